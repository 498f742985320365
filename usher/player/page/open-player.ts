// Makes a player of what a page says: its elements, and the mode and token in its address.

import { browserChance, browserClock } from '../clock.ts';
import { isMode, type Mode, supportedModes, usualMode } from '../playback/modes.ts';
import { Player } from '../player.ts';
import { part } from './dom.ts';
import { readPreferences } from './screen/preferences.ts';
import { startSound } from './screen/sound.ts';
import { keepStill } from './screen/still.ts';

export interface OpeningOptions {
  /** To play with, where the address does not say one. */
  readonly token?: string | null;
  /** Whether it plays at once; it does when nothing is said. */
  readonly autoplay?: boolean;
  /** Undefined: as the viewer left it the last time. */
  readonly isMuted?: boolean | undefined;
}

export function openPlayer(root: HTMLElement, stream: string, options: OpeningOptions = {}): Player {
  const { token = null, autoplay = true, isMuted } = options;
  const query = new URLSearchParams(location.search);
  const video = part<HTMLVideoElement>(root, 'video');
  startSound(video, isMuted);
  return new Player({
    video,
    origin: location.origin,
    stream,
    token: query.get('token') ?? token,
    mode: chosenMode(video, query.get('mode')),
    autoplay,
    clock: browserClock,
    chance: browserChance,
    onLeave: () => keepStill(root),
  });
}

/** What the address says, or the viewer has chosen before, as far as the browser can. */
function chosenMode(video: HTMLVideoElement, said: string | null): Mode {
  if (isMode(said)) return said;
  const { mode } = readPreferences();
  return mode && supportedModes(video).includes(mode) ? mode : usualMode(video);
}
