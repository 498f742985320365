// A recording by keyboard, and with the sound as the viewer left it.

import { type Keys, listenToKeys } from '../screen/keys.ts';
import { keepPreferences, readPreferences } from '../screen/preferences.ts';
import { toggleFloating, toggleFullscreen } from '../screen/wide.ts';

const STEP_S = 5;
const LOUDER = 0.1;

/** As long as the page is open. */
export function listenToReplayKeys(video: HTMLVideoElement): void {
  video.volume = readPreferences().volume ?? 1;
  video.addEventListener('volumechange', () => keepPreferences({ volume: video.volume }));
  listenToKeys(keysFor(video), new AbortController().signal);
}

function keysFor(video: HTMLVideoElement): Keys {
  const toggle = (): void => {
    if (video.paused) void video.play();
    else video.pause();
  };
  const go = (seconds: number): void => {
    video.currentTime = Math.max(0, video.currentTime + seconds);
  };
  const louder = (by: number): void => {
    video.volume = Math.min(1, Math.max(0, video.volume + by));
  };
  return {
    ' ': toggle,
    k: toggle,
    m: () => {
      video.muted = !video.muted;
    },
    arrowup: () => louder(LOUDER),
    arrowdown: () => louder(-LOUDER),
    arrowleft: () => go(-STEP_S),
    arrowright: () => go(STEP_S),
    f: () => toggleFullscreen(video, video),
    i: () => toggleFloating(video),
  };
}
