// When a part is long enough, or would be too long: the rule by which feeds are cut, whoever writes them. Pure.

import { PART_MAX_MS } from './hls-limits.ts';

const TICKS_PER_MS = 90;

/**
 * Length that parts are cut to, up to PART_MAX_MS: 6 frames at 30 Hz, 12 at 60, 5 at 25 and at 24. Below 8.9 Hz a part is one
 * frame, and below 4.4 Hz that frame is longer than the maximum; so is a part whose last frame stays longer than predicted.
 */
const PART_TARGET_MS = 200;

/** When a frame is decoded and for how long it is shown, in ticks of 90 kHz. */
export interface FrameTimes {
  readonly ticks: number;
  readonly durationTicks: number;
}

/** Whether a frame begins another part than the one that began at `startTicks`. */
export function endsPart(startTicks: number, frame: FrameTimes): boolean {
  return isReached(PART_TARGET_MS, startTicks, frame) || isExceeded(PART_MAX_MS, startTicks, frame);
}

/** At a constant rate the cut nearest to the target is half a frame before it or later: so cuts are regular. */
export function isReached(targetMs: number, startTicks: number, frame: FrameTimes): boolean {
  return frame.ticks - startTicks >= targetMs * TICKS_PER_MS - frame.durationTicks / 2;
}

/** Whether the frame would make it longer than allowed. */
export function isExceeded(maximumMs: number, startTicks: number, frame: FrameTimes): boolean {
  return frame.ticks + frame.durationTicks - startTicks > maximumMs * TICKS_PER_MS;
}
