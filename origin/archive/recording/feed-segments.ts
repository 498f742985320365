// The whole segments of a feed, one after the other, as a recording wants them. Pure but for the place it keeps.

import type { FeedReader } from '../../../network/feed/feed.ts';
import { describeRendition } from '../../../network/feed/rendition.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import { codecsOf, type Init } from '../../../network/media/init.ts';
import type { NewSegment } from './recording-file.ts';

export type Taken =
  | { readonly kind: 'segment'; readonly segment: NewSegment }
  /** The feed has dropped what was not taken in time: segments from `fromMsn` up to `toMsn`. */
  | { readonly kind: 'missed'; readonly fromMsn: number; readonly toMsn: number }
  /** No whole segment waits. */
  | { readonly kind: 'nothing' };

/** A cursor into a feed that goes from segment to segment. */
export class FeedSegments {
  readonly #feed: FeedReader;
  readonly #rendition: string;
  /** Of the next segment to take; undefined before the first. */
  #msn: number | undefined;

  constructor(feed: FeedReader, rendition: string) {
    this.#feed = feed;
    this.#rendition = rendition;
  }

  /** The next whole segment, its bytes those of the feed's window: they must be written before the window moves on. */
  take(): Taken {
    const starts = this.#feed.segments;
    const first = starts[0];
    if (!first) return { kind: 'nothing' };
    this.#msn ??= first.msn;
    if (first.msn > this.#msn) {
      const fromMsn = this.#msn;
      this.#msn = first.msn;
      return { kind: 'missed', fromMsn, toMsn: first.msn };
    }
    const at = starts.findIndex(({ msn }) => msn >= this.#msn!);
    const start = starts[at];
    const next = starts[at + 1];
    if (!start || (!next && this.#feed.ended === undefined)) return { kind: 'nothing' };
    this.#msn = start.msn + 1;
    return { kind: 'segment', segment: this.#read(start, next) };
  }

  #read(start: Chunk, next: Chunk | undefined): NewSegment {
    const to = next?.sequence ?? this.#feed.next;
    const init = this.#feed.initOf(start.epoch)!;
    const endUs =
      next && next.epoch === start.epoch ? usOf(init, next.decodeTime) : this.#leadEndUs(init, start, to);
    return {
      views: this.#feed.bytes(start.sequence, to),
      init: { bytes: init.bytes, record: this.#describe(init) },
      record: {
        msn: start.msn,
        epoch: start.epoch,
        discontinuitySequence: start.discontinuitySequence,
        startUs: usOf(init, start.decodeTime),
        endUs,
        arrivedAtMs: start.arrivedAtMs,
        isIndependent: start.keyframe,
      },
    };
  }

  #describe(init: Init): NewSegment['init']['record'] {
    const frameRate = describeRendition(this.#rendition, this.#feed)?.frameRate ?? 0;
    return { codecs: codecsOf(init), width: init.lead.width, height: init.lead.height, frameRate };
  }

  /** Before a change of epoch, a segment ends with its last frame. */
  #leadEndUs(init: Init, start: Chunk, to: number): number {
    for (let sequence = to - 1; sequence >= start.sequence; sequence--) {
      const chunk = this.#feed.at(sequence)!;
      if (chunk.trackId === init.lead.id) return usOf(init, chunk.decodeTime + chunk.duration);
    }
    return usOf(init, start.decodeTime);
  }
}

/** Rounding times and not durations keeps every sum of durations true to a microsecond. */
function usOf(init: Init, ticks: number): number {
  return Math.round((ticks / init.lead.timescale) * 1_000_000);
}
