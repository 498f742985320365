// A feed seen as HLS sees it: runs of chunks as segments and parts, with their times. Pure.

import type { Chunk } from '../../network/media/chunk.ts';
import type { Init } from '../../network/media/init.ts';

/** A whole part: the chunks in [from, to). Its number is its place in its segment. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** Microseconds on the feed's timeline. A part ends where the next one starts, so durations sum exactly. */
  readonly startUs: number;
  readonly endUs: number;
}

/** A segment whose parts are whole; of the open segment, as far as it is whole. */
export interface Segment extends Part {
  readonly msn: number;
  readonly epoch: number;
  readonly discontinuitySequence: number;
  /** It begins an epoch: what came before it has another init. */
  readonly startsEpoch: boolean;
  /** It begins with a key frame. */
  readonly isIndependent: boolean;
  /** Wall clock at which its first frame came to the origin, ms since the Unix epoch. */
  readonly arrivedAtMs: number;
  readonly init: Init;
  /** Names the init: the first digits of its digest. */
  readonly initHash: string;
  readonly parts: readonly Part[];
}

/** A part, named by numbers: the one that the feed is writing, or one that somebody asks for. */
export interface Place {
  readonly msn: number;
  readonly part: number;
}

export interface SegmentsOptions {
  /** The init of an epoch whose first chunk is pushed. */
  readonly initOf: (epoch: number) => Init | undefined;
  readonly hashOf: (init: Init) => string;
}

interface OpenSegment extends Segment {
  to: number;
  endUs: number;
  readonly parts: Part[];
  /** Where its open part begins. */
  partFrom: number;
  partStartUs: number;
  /** Where the newest frames of the lead track end. */
  leadEndUs: number;
}

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #closed: Segment[] = [];
  #open: OpenSegment | undefined;
  #targetDurationS = 0;
  #hasEnded = false;

  constructor(options: SegmentsOptions) {
    this.#options = options;
  }

  /** The whole segments held, oldest first; their numbers have no gap. */
  get closed(): readonly Segment[] {
    return this.#closed;
  }

  /** The segment that is being written, with its whole parts; undefined before the first chunk and after the end. */
  get open(): Segment | undefined {
    return this.#open;
  }

  /** The part that is being written: everything before it is whole. Undefined as `open` is. */
  get front(): Place | undefined {
    return this.#open && { msn: this.#open.msn, part: this.#open.parts.length };
  }

  /** Seconds; 0 until a segment has closed that was long enough to tell. */
  get targetDurationS(): number {
    return this.#targetDurationS;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The segment with a number, open or closed, if it is held. */
  find(msn: number): Segment | undefined {
    if (this.#open?.msn === msn) return this.#open;
    const oldest = this.#closed[0];
    return oldest && this.#closed[msn - oldest.msn];
  }

  /** Takes the feed's next chunk. Returns whether it made a part whole. What comes before a segment's start is passed over. */
  push(chunk: Chunk): boolean {
    this.#targetDurationS = chunk.targetDurationS || this.#targetDurationS;
    const cuts = chunk.startsSegment || (chunk.startsPart && this.#open !== undefined);
    if (chunk.startsSegment) this.#beginSegment(chunk);
    else if (chunk.startsPart) this.#beginPart(chunk);
    const open = this.#open;
    if (open && chunk.trackId === open.init.lead.id) {
      open.leadEndUs = Math.max(open.leadEndUs, usOf(open.init, chunk.decodeTime + chunk.duration));
    }
    return cuts;
  }

  /** The feed has ended before `next`, the sequence number that its next chunk would have had. */
  end(next: number): void {
    if (this.#open) this.#closeSegment(next, this.#open.leadEndUs);
    this.#hasEnded = true;
  }

  /** Forgets the segments that begin before `first`, the oldest chunk that the feed holds. */
  evict(first: number): void {
    while (this.#closed[0] && this.#closed[0].from < first) this.#closed.shift();
  }

  #beginSegment(chunk: Chunk): void {
    const init = this.#options.initOf(chunk.epoch)!;
    const startUs = usOf(init, chunk.decodeTime);
    const open = this.#open;
    if (open) this.#closeSegment(chunk.sequence, chunk.startsEpoch ? open.leadEndUs : startUs);
    this.#open = {
      msn: chunk.msn,
      epoch: chunk.epoch,
      discontinuitySequence: chunk.discontinuitySequence,
      startsEpoch: chunk.startsEpoch,
      isIndependent: chunk.keyframe,
      arrivedAtMs: chunk.arrivedAtMs,
      init,
      initHash: open?.init === init ? open.initHash : this.#options.hashOf(init),
      from: chunk.sequence,
      to: chunk.sequence,
      startUs,
      endUs: startUs,
      parts: [],
      partFrom: chunk.sequence,
      partStartUs: startUs,
      leadEndUs: startUs,
    };
  }

  #beginPart(chunk: Chunk): void {
    const open = this.#open;
    if (open) this.#closePart(open, chunk.sequence, usOf(open.init, chunk.decodeTime));
  }

  #closeSegment(to: number, endUs: number): void {
    const open = this.#open!;
    this.#closePart(open, to, endUs);
    this.#closed.push(open);
    this.#open = undefined;
  }

  #closePart(open: OpenSegment, to: number, endUs: number): void {
    open.parts.push({ from: open.partFrom, to, startUs: open.partStartUs, endUs });
    open.to = to;
    open.endUs = endUs;
    open.partFrom = to;
    open.partStartUs = endUs;
  }
}

/** A time of the lead track. Rounding times and not durations keeps every sum of durations true to a microsecond. */
function usOf(init: Init, ticks: number): number {
  return Math.round((ticks / init.lead.timescale) * 1_000_000);
}
