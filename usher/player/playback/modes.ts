// The three ways to watch, and which of them a browser can do.

import { HlsPlayback, LOW_LATENCY, STEADY } from './hls.ts';
import { mediaSourceClass } from './media-buffer.ts';
import { hasNativeHls, NativeHlsPlayback } from './native-hls.ts';
import type { Playback, PlaybackOptions } from './playback.ts';
import { ProgressivePlayback } from './progressive.ts';

export const MODES = ['instant', 'low-latency', 'steady'] as const;

export type Mode = (typeof MODES)[number];

export function isMode(text: unknown): text is Mode {
  return MODES.some((mode) => mode === text);
}

/** Without Media Source Extensions there is only what the browser's own HLS does. */
export function supportedModes(video: HTMLVideoElement): readonly Mode[] {
  if (!mediaSourceClass()) return hasNativeHls(video) ? ['low-latency'] : [];
  return globalThis.MediaSource || !hasNativeHls(video) ? MODES : ['instant', 'low-latency'];
}

/** What a viewer who has not chosen gets: it adapts to the network, which instant can't. */
export function usualMode(video: HTMLVideoElement): Mode {
  return supportedModes(video).find((mode) => mode === 'low-latency') ?? 'instant';
}

export function openPlayback(mode: Mode, options: PlaybackOptions): Playback {
  if (mode === 'instant') return new ProgressivePlayback(options);
  if (!globalThis.MediaSource && hasNativeHls(options.video)) return new NativeHlsPlayback(options);
  return new HlsPlayback(options, mode === 'steady' ? STEADY : LOW_LATENCY);
}
