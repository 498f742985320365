// Somebody who reads a stream on one server for as long as it lives, and notes what must not happen.

import type { FeedReader } from '../../../network/feed/feed.ts';
import type { Feeds } from '../../../network/feed/feeds.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import type { SimulatedClock } from '../world/simulated-clock.ts';

/** What the origins of a stream have written, by `<epoch>/<sequence>`. */
export interface Truth {
  readonly name: string;
  readonly chunks: Map<string, Chunk>;
}

const RENDITION = 'source';

export class SimulatedReader {
  readonly truth: Truth;
  readonly faults: string[] = [];
  /** How often it was told that its feed does not go on. */
  gaps = 0;
  read = 0;
  /** The longest time without a chunk while the origin wrote some. */
  longestWaitMs = 0;
  #waitedMs = 0;
  readonly #name: string;
  readonly #feeds: Feeds;
  readonly #clock: SimulatedClock;
  #feed: FeedReader | undefined;
  #last: Chunk | undefined;
  #unchecked: Chunk[] = [];
  /** What comes next in the same feed. */
  #next: number | undefined;

  constructor(name: string, truth: Truth, feeds: Feeds, clock: SimulatedClock) {
    this.#name = name;
    this.truth = truth;
    this.#feeds = feeds;
    this.#clock = clock;
  }

  get feed(): FeedReader | undefined {
    return this.#feed;
  }

  /** The server starts again, with nothing: so does its reader, which keeps what it has noted. */
  restarted(feeds: Feeds): SimulatedReader {
    const reader = new SimulatedReader(this.#name, this.truth, feeds, this.#clock);
    reader.faults.push(...this.faults);
    reader.gaps = this.gaps;
    reader.read = this.read;
    reader.longestWaitMs = this.longestWaitMs;
    return reader;
  }

  /** Once a second: is there a feed now, and how long has nothing come though something was written? */
  look(isFlowing: boolean): void {
    if (!this.#feed) this.#open();
    for (const chunk of this.#unchecked.splice(0)) this.#check(chunk);
    this.#waitedMs = this.#feed && isFlowing ? this.#waitedMs + 1_000 : 0;
    this.longestWaitMs = Math.max(this.longestWaitMs, this.#waitedMs);
  }

  #open(): void {
    const feed = this.#feeds.get(this.truth.name, RENDITION);
    this.#feed = feed;
    this.#next = undefined;
    if (!feed) return;
    for (let sequence = feed.first; sequence < feed.next; sequence++) this.#take(feed.at(sequence)!);
    feed.subscribe((chunk) => {
      if (chunk) this.#take(chunk);
      else this.#ended(feed);
    });
  }

  /** It is told: the feed that has the name now is another one. */
  #ended(feed: FeedReader): void {
    if (!feed.isCut) this.#fault(`the feed ended: ${feed.ended}`);
    this.gaps++;
    this.#open();
  }

  #take(chunk: Chunk): void {
    const { sequence } = chunk;
    if (this.#next !== undefined && sequence !== this.#next)
      this.#fault(`${sequence} where ${this.#next} belongs`);
    this.#next = sequence + 1;
    this.#unchecked.push(chunk);
    if (this.#last && !isAfter(chunk, this.#last)) return;
    this.#last = chunk;
    this.#waitedMs = 0;
    this.read++;
  }

  /** Later than it is read: on the origin itself a reader may come before whoever notes what was written. */
  #check({ epoch, sequence, bytes }: Chunk): void {
    const written = this.truth.chunks.get(`${epoch}/${sequence}`);
    if (!written) this.#fault(`${sequence} of epoch ${epoch} was never written`);
    else if (Buffer.compare(written.bytes, bytes) !== 0) this.#fault(`${sequence} has other bytes`);
  }

  #fault(what: string): void {
    this.faults.push(`${this.#clock.now()} ${this.#name}: ${what}`);
  }
}

function isAfter(chunk: Chunk, last: Chunk): boolean {
  return chunk.epoch === last.epoch ? chunk.sequence > last.sequence : chunk.epoch > last.epoch;
}
