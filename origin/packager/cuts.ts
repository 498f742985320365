// Where segments and parts begin: decided here, once, on the lead track's frames, and written into each chunk's mark. Pure.

import { endsPart, type FrameTimes, isExceeded, isReached } from '../../network/feed/cut-times.ts';
import type { Mark } from '../../network/media/chunk.ts';

const TICKS_PER_MS = 90;
const TICKS_PER_S = 90_000;

/** Key frames closer than this do not each begin a segment: every frame of some sources is one. */
export const MIN_SEGMENT_MS = 500;
/** Where a GOP that does not end is cut while no target duration is fixed. */
const MAX_FIRST_SEGMENT_MS = 10_000;
/** Without video any frame can begin a segment. */
const AUDIO_SEGMENT_MS = 2_000;
/** EXTINF is rounded to the nearest second before it is held against the target (RFC 8216bis 4.4.4.1); half of that is kept as a margin. */
const OVER_TARGET_MS = 450;
/** A GOP of nominally whole seconds is often a frame longer; it still rounds to them. */
const TARGET_SLACK_S = 0.05;
/** Up to here an interrupted first segment fits any target duration, so that a whole one can fix it later. */
const NEGLIGIBLE_SEGMENT_MS = 1_450;
const MAX_TARGET_DURATION_S = 255;

/** Where the numbering of segments stands. */
export interface CutNumbers {
  /** Media sequence number of the next segment. */
  readonly msn: number;
  /** Of the next epoch. */
  readonly discontinuitySequence: number;
  readonly targetDurationS: number;
}

/** One frame of the lead track, on the feed's timeline. */
export interface LeadFrame extends FrameTimes {
  readonly keyframe: boolean;
}

export class Cuts {
  #numbers: CutNumbers;
  #isAudioOnly = false;
  #epoch = 0;
  #part = 0;
  #segmentTicks = 0;
  #partTicks = 0;

  constructor({ msn, discontinuitySequence, targetDurationS }: CutNumbers) {
    this.#numbers = { msn, discontinuitySequence, targetDurationS };
  }

  get numbers(): CutNumbers {
    return this.#numbers;
  }

  /** The mark of an epoch's first chunk. */
  beginEpoch(epoch: number, isAudioOnly: boolean, ticks: number): Mark {
    this.#epoch = epoch;
    this.#isAudioOnly = isAudioOnly;
    this.#beginSegment(ticks);
    this.#numbers = { ...this.#numbers, discontinuitySequence: this.#numbers.discontinuitySequence + 1 };
    return { ...this.follow(), startsEpoch: true, startsSegment: true, startsPart: true };
  }

  /** The mark of a frame of the lead track. */
  lead(frame: LeadFrame): Mark {
    if (this.#endsSegment(frame)) {
      this.#closeSegment(frame.ticks);
      this.#beginSegment(frame.ticks);
      return { ...this.follow(), startsSegment: true, startsPart: true };
    }
    if (!endsPart(this.#partTicks, frame)) return this.follow();
    this.#part++;
    this.#partTicks = frame.ticks;
    return { ...this.follow(), startsPart: true };
  }

  /** The mark of any other frame: it goes with what was last begun. */
  follow(): Mark {
    return {
      epoch: this.#epoch,
      discontinuitySequence: this.#numbers.discontinuitySequence - 1,
      msn: this.#numbers.msn - 1,
      part: this.#part,
      startsEpoch: false,
      startsSegment: false,
      startsPart: false,
      targetDurationS: this.#numbers.targetDurationS,
    };
  }

  endEpoch(ticks: number): void {
    if (ticks - this.#segmentTicks >= NEGLIGIBLE_SEGMENT_MS * TICKS_PER_MS) this.#closeSegment(ticks);
  }

  #beginSegment(ticks: number): void {
    this.#numbers = { ...this.#numbers, msn: this.#numbers.msn + 1 };
    this.#part = 0;
    this.#segmentTicks = ticks;
    this.#partTicks = ticks;
  }

  /** The first segment that closes fixes the target duration for the feed's life. */
  #closeSegment(ticks: number): void {
    if (this.#numbers.targetDurationS > 0) return;
    const durationS = (ticks - this.#segmentTicks) / TICKS_PER_S;
    const rounded = Math.max(1, Math.ceil(durationS - TARGET_SLACK_S));
    this.#numbers = { ...this.#numbers, targetDurationS: Math.min(rounded, MAX_TARGET_DURATION_S) };
  }

  #endsSegment(frame: LeadFrame): boolean {
    const minimumMs = this.#isAudioOnly ? AUDIO_SEGMENT_MS : MIN_SEGMENT_MS;
    if (frame.keyframe && isReached(minimumMs, this.#segmentTicks, frame)) return true;
    const { targetDurationS } = this.#numbers;
    const maximumMs = targetDurationS > 0 ? targetDurationS * 1000 + OVER_TARGET_MS : MAX_FIRST_SEGMENT_MS;
    return isExceeded(maximumMs, this.#segmentTicks, frame);
  }
}
