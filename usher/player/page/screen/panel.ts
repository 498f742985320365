// Shows what the player says of itself, again and again: the veil, the controls, the deck.

import type { Clock } from '../../../../network/clock.ts';
import type { Player } from '../../player.ts';
import type { PlayerStatus } from '../../status.ts';
import { part, setText } from '../dom.ts';
import { secondsText } from '../words.ts';
import { listenToControls } from './controls.ts';
import { showInMediaSession } from './media-session.ts';
import { Numbers } from './numbers.ts';
import { showQuality } from './quality-menu.ts';
import { showVeil } from './veil.ts';

declare global {
  interface Window {
    /** The player's own numbers, for whoever looks from outside. */
    headwater: PlayerStatus | undefined;
  }
}

const REFRESH_MS = 250;
const RESTING = ['paused', 'ready', 'blocked'];

export interface PanelOptions {
  readonly root: HTMLElement;
  readonly player: Player;
  readonly clock: Clock;
  /** Told with each look. */
  readonly onStatus?: (status: PlayerStatus) => void;
  /** When the stream was last live, where the player has not seen it itself. */
  readonly wasLiveAtMs?: () => number | undefined;
}

/** Runs until the returned function is called. */
export function runPanel(options: PanelOptions): () => void {
  const { root, player, clock, onStatus, wasLiveAtMs } = options;
  const stop = new AbortController();
  listenToControls(root, player, clock, stop.signal);
  const numbers = new Numbers(root);
  const refresh = (): void => {
    const { status } = player;
    window.headwater = status;
    showVeil(root, status, clock.now(), status.lastLiveAtMs ?? wasLiveAtMs?.());
    showBar(root, status);
    showInMediaSession(status);
    numbers.show(status);
    onStatus?.(status);
  };
  refresh();
  const timer = clock.every(REFRESH_MS, refresh);
  return () => {
    stop.abort();
    timer.cancel();
  };
}

function showBar(root: HTMLElement, status: PlayerStatus): void {
  const { state, isBehind, latencyMs } = status;
  const isResting = RESTING.includes(state);
  root.dataset.state = state;
  root.toggleAttribute('data-resting', isResting);
  root.toggleAttribute('data-behind', isBehind);
  part(root, 'toggle').ariaLabel = isResting ? 'Play' : 'Pause';
  const isLive = state === 'playing' || state === 'stalled';
  setText(part(root, 'badge'), !isLive ? 'Not live' : isBehind ? 'Back to live' : 'Live');
  part<HTMLButtonElement>(root, 'live').disabled = !isBehind;
  setText(part(root, 'delay'), isLive && latencyMs !== undefined ? secondsText(latencyMs) : '');
  showQuality(root, status.levels);
}
