// The fan-out of a feed: its progressive viewers as cursors, and the one buffer per beat that they all are sent.

import type { Clock } from '../../network/clock.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import type { Outlet } from '../../network/http/listener.ts';
import type { Counter } from '../../network/metrics.ts';
import { Cursor, type CursorEvents } from './cursor.ts';
import { openingAt, type Place } from './place.ts';

export interface FanoutCounters {
  readonly bytes: { inc(bytes: number): void };
  /** Writes not made because a connection was full, jumps to a key frame, connections closed for taking nothing. */
  readonly skips: Counter;
  readonly jumps: Counter;
  readonly letGo: Counter;
}

export interface FanoutOptions {
  readonly feed: FeedReader;
  readonly clock: Clock;
  readonly counters: FanoutCounters;
  /** Whether chunks are to be written as they come; else `flush` is called for each slot of each beat. */
  isImmediate(): boolean;
  onLeave(): void;
  /** Writing to a viewer failed by a mistake of ours. Its connection is closed; the others go on. */
  onFault(error: unknown): void;
}

/** A viewer that lags further behind than this when its connection drains goes on with the newest key frame. */
export const MAX_LAG_MS = 4000;
/** What is written before looking whether the connection is full: it stays with the outlet when it is. */
const PIECE_BYTES = 256 * 1024;
/** Writes between two places where a flush may rest: some 200 µs. */
const WRITES_IN_A_ROW = 25;
/** What is written in one flush, by first sequence number: nearly all viewers are at the same one. */
type Runs = Map<number, Buffer>;

export class Fanout implements CursorEvents {
  readonly #options: FanoutOptions;
  readonly #feed: FeedReader;
  readonly #cursors: Cursor[] = [];
  readonly #unsubscribe: () => void;
  #isFlushDue = false;

  constructor(options: FanoutOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#unsubscribe = options.feed.subscribe((chunk) => {
      if (chunk === undefined || options.isImmediate()) this.#flushSoon();
    });
  }

  get size(): number {
    return this.#cursors.length;
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Begins to write to a viewer, from `place` on. */
  add(outlet: Outlet, place: Place): void {
    const { clock } = this.#options;
    const cursor = new Cursor({
      outlet,
      clock,
      events: this,
      next: place.sequence,
      promised: this.#feed.next,
    });
    cursor.index = this.#cursors.push(cursor) - 1;
    if (place.opening) cursor.write(asBuffer(place.opening.bytes));
    this.#catchUp(cursor);
  }

  /**
   * Writes what had come when it began to the viewers of one slot: each gets one write of a shared buffer. It yields where
   * others may have their turn; viewers may come and go there, and chunks come.
   */
  *flush(slot: number, slots: number): Generator<void> {
    const { next } = this.#feed;
    const runs: Runs = new Map();
    const start = Math.floor((this.#cursors.length * slot) / slots);
    const end = Math.floor((this.#cursors.length * (slot + 1)) / slots);
    let sentBytes = 0;
    let skips = 0;
    for (let index = start; index < Math.min(end, this.#cursors.length); index++) {
      const cursor = this.#cursors[index]!;
      if (cursor.isBehind) skips++;
      else if (cursor.next < this.#feed.first) this.#catchUp(cursor);
      else if (cursor.next < next) sentBytes += this.#advance(cursor, next, runs);
      if ((index - start) % WRITES_IN_A_ROW === WRITES_IN_A_ROW - 1) yield;
    }
    if (sentBytes > 0) this.#options.counters.bytes.inc(sentBytes);
    if (skips > 0) this.#options.counters.skips.inc(skips);
  }

  /** All that was written to a viewer so far are whole chunks. */
  tell(bytes: Buffer): void {
    for (const cursor of this.#cursors) if (!cursor.isBehind) cursor.write(bytes);
  }

  onDrain(cursor: Cursor): void {
    if (this.#isTooLate(cursor)) this.#jump(cursor);
    this.#catchUp(cursor);
  }

  onFault(cursor: Cursor, error: unknown): void {
    cursor.leave();
    this.#options.onFault(error);
  }

  onLetGo(): void {
    this.#options.counters.letGo.inc();
  }

  /** The last in the list takes the place of the one that left. */
  onClose(cursor: Cursor): void {
    const last = this.#cursors.pop()!;
    if (last !== cursor) {
      last.index = cursor.index;
      this.#cursors[last.index] = last;
    }
    this.#options.onLeave();
  }

  /** All that comes in one turn of the writer's goes out in one write. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      for (const _ of this.flush(0, 1));
      if (this.#feed.ended !== undefined) for (const cursor of this.#cursors) this.#catchUp(cursor);
    });
  }

  /** Gives the bytes that were written. */
  #advance(cursor: Cursor, next: number, runs: Runs): number {
    try {
      const run = this.#run(cursor.next, next, runs);
      cursor.write(run);
      cursor.next = next;
      return run.length;
    } catch (error) {
      this.onFault(cursor, error);
      return 0;
    }
  }

  /** One write costs more than copying a beat's worth of bytes once for all viewers, so a beat is one buffer. */
  #run(from: number, to: number, runs: Runs): Buffer {
    const known = runs.get(from);
    if (known) return known;
    const views = this.#feed.wire(from, to);
    const run = views.length === 1 ? asBuffer(views[0]!) : Buffer.concat(views);
    runs.set(from, run);
    return run;
  }

  /** Writes up to the head of the feed, as far as the connection takes it, and closes it behind the feed's end. */
  #catchUp(cursor: Cursor): void {
    try {
      this.#writeAll(cursor);
    } catch (error) {
      this.onFault(cursor, error);
    }
  }

  #writeAll(cursor: Cursor): void {
    let sentBytes = 0;
    while (!cursor.isBehind && cursor.next < this.#feed.next) {
      if (cursor.next < this.#feed.first) this.#jump(cursor);
      const to = this.#pieceEnd(cursor.next);
      for (const view of this.#feed.wire(cursor.next, to)) {
        cursor.write(asBuffer(view));
        sentBytes += view.length;
      }
      cursor.next = to;
    }
    this.#options.counters.bytes.inc(sentBytes);
    if (!cursor.isBehind && this.#feed.ended !== undefined) cursor.end();
  }

  #pieceEnd(from: number): number {
    let bytes = 0;
    let to = from;
    for (; to < this.#feed.next && bytes < PIECE_BYTES; to++) bytes += this.#feed.at(to)!.bytes.length;
    return to;
  }

  #isTooLate(cursor: Cursor): boolean {
    const start = this.#feed.newestStart();
    if (cursor.next < cursor.promised || !start || start.sequence <= cursor.next) return false;
    const [wanted, newest] = [this.#feed.at(cursor.next), this.#feed.at(this.#feed.next - 1)];
    return !wanted || newest!.arrivedAtMs - wanted.arrivedAtMs > MAX_LAG_MS;
  }

  /** To the newest key frame, with the init before it, as the epoch may be another than the one that was left. */
  #jump(cursor: Cursor): void {
    const start = this.#feed.newestStart() ?? this.#feed.segments[0]!;
    const opening = openingAt(this.#feed, start);
    cursor.next = start.sequence;
    if (opening) cursor.write(asBuffer(opening.bytes));
    this.#options.counters.jumps.inc();
  }
}

/** `write` would make such a view of any other array, once for each viewer. */
function asBuffer(view: Uint8Array): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}
