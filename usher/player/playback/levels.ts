// The renditions that a viewer may choose from, and which one it is.

export interface Levels {
  /** As a menu shows them, in the order of the playlist; none where there is no choice. */
  readonly names: readonly string[];
  /** Places in `names`: what is shown, once it is, and what the viewer wants; undefined: what the network allows. */
  readonly shown: number | undefined;
  readonly wanted: number | undefined;
}

export const NO_LEVELS: Levels = { names: [], shown: undefined, wanted: undefined };

/** `720p60`, or the bitrate of sound alone. Lines are those of the shorter side. */
export function levelName(level: {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly bitrate: number;
}): string {
  const { width, height, frameRate, bitrate } = level;
  if (!height) return `${Math.round(bitrate / 1000)} kbps`;
  return `${Math.min(width || height, height)}p${frameRate ? Math.round(frameRate) : ''}`;
}
