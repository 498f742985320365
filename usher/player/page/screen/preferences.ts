// What a viewer has chosen and finds again: volume, sound and mode. A browser that keeps nothing for us has no preferences.

import { isMode, type Mode } from '../../playback/modes.ts';

export interface Preferences {
  /** 0 to 1. */
  readonly volume?: number;
  readonly isMuted?: boolean;
  readonly mode?: Mode;
}

const KEY = 'headwater-player';

/** What makes no sense is left out. In other sites' frames browsers may refuse to look. */
export function readPreferences(): Preferences {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Record<keyof Preferences, unknown>;
    const { volume, isMuted, mode } = kept;
    return {
      ...(typeof volume === 'number' && volume >= 0 && volume <= 1 ? { volume } : {}),
      ...(typeof isMuted === 'boolean' ? { isMuted } : {}),
      ...(isMode(mode) ? { mode } : {}),
    };
  } catch {
    return {};
  }
}

export function keepPreferences(changed: Preferences): void {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readPreferences(), ...changed }));
  } catch {
    // It is as it was the next time.
  }
}
