// Makes a player of what a page says: its elements, and the mode and token in its address.

import { browserChance, browserClock } from '../clock.ts';
import { isMode, type Mode, supportedModes } from '../playback/modes.ts';
import { Player } from '../player.ts';
import { part } from './dom.ts';

/** `token` to play with, where the address does not say one. */
export function openPlayer(root: HTMLElement, stream: string, token: string | null = null): Player {
  const query = new URLSearchParams(location.search);
  const video = part<HTMLVideoElement>(root, 'video');
  return new Player({
    video,
    origin: location.origin,
    stream,
    token: query.get('token') ?? token,
    mode: chosenMode(query.get('mode'), supportedModes(video)),
    clock: browserClock,
    chance: browserChance,
  });
}

function chosenMode(wanted: string | null, supported: readonly Mode[]): Mode {
  return isMode(wanted) ? wanted : (supported[0] ?? 'instant');
}
