// What lies over the picture: why there is none, in words for viewers, and the last one that there was.

import type { PlayerState, PlayerStatus } from '../../status.ts';
import { part, setText } from '../dom.ts';
import { agoText } from '../words.ts';

const VEILS: Readonly<Record<PlayerState, readonly [title: string, detail: string]>> = {
  ready: ['', ''],
  loading: ['', ''],
  playing: ['', ''],
  stalled: ['', ''],
  away: [
    'Back in a moment',
    'The broadcaster has lost the connection. The stream goes on as soon as it is back.',
  ],
  offline: ['Not live right now', 'It starts here by itself as soon as it is.'],
  paused: ['Paused', 'Live goes on: it continues at the newest picture.'],
  blocked: ['Ready to play', 'Your browser wants a click before it plays.'],
  unreachable: ['No connection', 'Look at your network. It goes on by itself when the connection is back.'],
  full: [
    'Every seat is taken',
    'So many want to watch that there is no room just now. We keep trying for you.',
  ],
  refused: [
    'This stream is by invitation',
    'The link is not valid, or not valid any more. Ask for a new one.',
  ],
  unsupported: [
    'This browser can’t play this stream',
    'A current Chrome, Edge, Firefox or Safari can. If this is one, another mode may do.',
  ],
};

/** `wasLiveAtMs`: when somebody has last seen it live, if it is known. */
export function showVeil(
  root: HTMLElement,
  status: PlayerStatus,
  nowMs: number,
  wasLiveAtMs: number | undefined,
): void {
  const [title, detail] = VEILS[status.state];
  const was = status.state === 'offline' && wasLiveAtMs !== undefined;
  setText(part(root, 'veil-title'), title);
  setText(part(root, 'veil-detail'), was ? `It was live ${agoText(nowMs - wasLiveAtMs)}. ${detail}` : detail);
  if (status.state === 'playing') part(root, 'still').hidden = true;
}
