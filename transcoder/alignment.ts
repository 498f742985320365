// Where the frames of a rung belong: in the segment of the source that is shown at their time, under its numbers. Pure.

import { type Chunk, readFrame } from '../network/media/chunk.ts';
import { VIDEO_TIMESCALE } from '../network/media/fmp4.ts';

/** A segment of the source as it began. Times are in ticks of 90 kHz. */
export interface SourceSegment {
  /** Of its first chunk. */
  readonly sequence: number;
  readonly msn: number;
  readonly epoch: number;
  readonly discontinuitySequence: number;
  readonly startsEpoch: boolean;
  /** Of its first frame. */
  readonly decodeTime: number;
  readonly presentation: number;
}

/** What a frame of a rung takes over from the frame of the source that it was made of. */
export interface Place {
  readonly segment: SourceSegment;
  readonly durationTicks: number;
  readonly arrivedAtMs: number;
  readonly targetDurationS: number;
}

/** Of the source's frames so much is remembered: encoders are not further behind. */
const REMEMBERED_MS = 60_000;

/** The source's video of one epoch, as far as it was given to an encoder. */
export class Alignment {
  readonly #segments: SourceSegment[] = [];
  /** By presentation time, which encoders keep. */
  readonly #frames = new Map<number, Omit<Place, 'segment'>>();
  #endTicks = 0;

  /** Where the source's video ends in decode time so far. */
  get endTicks(): number {
    return this.#endTicks;
  }

  /** Takes the next chunk of the source's video. */
  add(chunk: Chunk): void {
    const { decodeTime, duration, arrivedAtMs, targetDurationS } = chunk;
    const presentation = decodeTime + readFrame(chunk).composition;
    if (chunk.startsSegment) this.#begin(chunk, presentation);
    this.#frames.set(presentation, { durationTicks: duration, arrivedAtMs, targetDurationS });
    this.#endTicks = decodeTime + duration;
  }

  /**
   * The place of a frame by when it is presented: in the segment that began last by then. So the frames that an open GOP shows
   * before its key frame are in the segment before. Undefined: the source has no such frame.
   */
  place(presentation: number): Place | undefined {
    const frame = this.#frames.get(presentation);
    const segment = this.#segments.findLast((each) => each.presentation <= presentation);
    return frame && segment && { ...frame, segment };
  }

  /** The segment that began last by a decode time. */
  segmentAt(ticks: number): SourceSegment | undefined {
    return this.#segments.findLast(({ decodeTime }) => decodeTime <= ticks);
  }

  #begin(chunk: Chunk, presentation: number): void {
    const { sequence, msn, epoch, discontinuitySequence, startsEpoch, decodeTime } = chunk;
    this.#segments.push({
      sequence,
      msn,
      epoch,
      discontinuitySequence,
      startsEpoch,
      decodeTime,
      presentation,
    });
    const oldest = decodeTime - (REMEMBERED_MS * VIDEO_TIMESCALE) / 1000;
    while (this.#segments.length > 1 && this.#segments[1]!.decodeTime < oldest) this.#segments.shift();
    for (const ticks of this.#frames.keys()) {
      if (ticks >= oldest) break;
      this.#frames.delete(ticks);
    }
  }
}
