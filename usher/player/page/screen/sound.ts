// The sound of a video: a volume that is remembered, and a mute that gives back the volume that was.

import { part } from '../dom.ts';
import { keepPreferences, readPreferences } from './preferences.ts';

const STEP = 0.1;

export interface Sound {
  toggle(): void;
  /** By so many steps; from silence it begins at nothing. */
  step(steps: number): void;
}

/** `isMuted` of a page that says so; otherwise as it was the last time, and muted the first time, as browsers want it. */
export function startSound(video: HTMLVideoElement, isMuted?: boolean): void {
  const kept = readPreferences();
  video.volume = kept.volume ?? 1;
  video.muted = isMuted ?? kept.isMuted ?? true;
}

/** Until the signal is aborted. */
export function listenToSound(root: HTMLElement, video: HTMLVideoElement, signal: AbortSignal): Sound {
  const range = part<HTMLInputElement>(root, 'volume');
  const button = part(root, 'mute');
  const set = (volume: number, isMuted: boolean): void => {
    video.volume = Math.min(1, Math.max(0, volume));
    video.muted = isMuted;
    keepPreferences({ volume: video.volume, isMuted });
  };
  const sound: Sound = {
    toggle: () => set(video.volume || 1, !video.muted),
    step: (steps) => set((video.muted ? 0 : video.volume) + steps * STEP, false),
  };
  const show = (): void => {
    const percent = video.muted ? 0 : Math.round(video.volume * 100);
    range.value = String(percent);
    button.ariaLabel = video.muted ? 'Unmute' : 'Mute';
    root.toggleAttribute('data-muted', video.muted || percent === 0);
  };
  range.addEventListener('input', () => set(range.valueAsNumber / 100, range.valueAsNumber === 0), {
    signal,
  });
  button.addEventListener('click', sound.toggle, { signal });
  part(root, 'unmute').addEventListener('click', () => set(video.volume || 1, false), { signal });
  video.addEventListener('volumechange', show, { signal });
  show();
  return sound;
}
