// A feed: one rendition as an append-only run of chunks, with one writer, any number of readers and a bounded window.

import type { Chunk } from '../media/chunk.ts';
import type { Init } from '../media/init.ts';
import { joinNeighbours, Slabs } from './slabs.ts';

/** What readers see. A reader keeps its own place, a sequence number, and holds nothing of the feed's. */
export interface FeedReader {
  /** Sequence number of the oldest chunk held; 0 before the first chunk came. */
  readonly first: number;
  /** The sequence number that the next chunk will have; 0 before the first chunk came. */
  readonly next: number;
  /** Why nothing more will come, or undefined while the feed is open. */
  readonly ended: string | undefined;
  /** Whether the feed ended here alone: the stream goes on, in another feed or on another server. */
  readonly isCut: boolean;
  /** The first chunk of each segment held, oldest first. */
  readonly segments: readonly Chunk[];
  /** The chunk at a sequence number, or undefined when it fell off the window or has not come yet. */
  at(sequence: number): Chunk | undefined;
  /** The init of an epoch, while the window holds a chunk of it. */
  initOf(epoch: number): Init | undefined;
  /** The newest chunk at which a viewer may begin: the newest segment that starts with a key frame. */
  newestStart(): Chunk | undefined;
  /** The bytes of the chunks in [from, to), all of them held, in as few views as they lie in memory. */
  bytes(from: number, to: number): readonly Uint8Array[];
  /** As `bytes`, with each init before the first chunk of its epoch, as the stream goes over the wire. */
  wire(from: number, to: number): readonly Uint8Array[];
  /** Calls back after each append and at the end, on the writer's turn: a listener must be quick. One that throws hears no more. */
  subscribe(listener: FeedListener): () => void;
}

/** Gets the chunk that was appended, or undefined when the feed has ended. */
export type FeedListener = (chunk: Chunk | undefined) => void;

export interface FeedLimits {
  /** Media time that is kept, in ms. Whole segments fall off behind it. */
  readonly windowMs: number;
  /** Segments that are kept even when they are longer than that, so that long GOPs leave a playable playlist. */
  readonly minSegments: number;
  /** Bytes that are kept at most, whatever the two above say. */
  readonly maxBytes: number;
}

/** Is told of what a listener threw, which is no fault of the writer's. */
export type OnFault = (error: unknown) => void;

export const FEED_LIMITS: FeedLimits = { windowMs: 30_000, minSegments: 8, maxBytes: 128 * 1024 * 1024 };

export class Feed implements FeedReader {
  readonly #limits: FeedLimits;
  readonly #onFault: OnFault;
  readonly #slabs = new Slabs();
  readonly #inits = new Map<number, Init>();
  readonly #listeners = new Set<FeedListener>();
  readonly #segments: Chunk[] = [];
  /** The chunks held, the oldest at `#head`: what is evicted is cut off once it is half of the array. */
  #chunks: (Chunk | undefined)[] = [];
  #head = 0;
  #first = 0;
  #bytesHeld = 0;
  #announced: Init | undefined;
  #ended: string | undefined;
  #isCut = false;

  constructor(limits: Partial<FeedLimits> = {}, onFault: OnFault = throwOnItsOwn) {
    this.#limits = { ...FEED_LIMITS, ...limits };
    this.#onFault = onFault;
  }

  get first(): number {
    return this.#first;
  }

  get next(): number {
    return this.#first + this.#chunks.length - this.#head;
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  get segments(): readonly Chunk[] {
    return this.#segments;
  }

  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  /** Media time held, in ms. */
  get heldMs(): number {
    const newest = this.at(this.next - 1);
    return newest ? this.#startMs(newest) - this.#startMs(this.#segments[0]!) : 0;
  }

  /** Announces the init of the epoch that the next chunk begins, or, before the first chunk, of the epoch that it is in. */
  begin(init: Init): void {
    this.#announced = init;
  }

  /** Room to write the bytes of the next chunk into, which `append` takes from there without a copy. */
  reserve(length: number): Uint8Array {
    return this.#slabs.reserve(length);
  }

  /** Appends the next chunk. One out of sequence, without its init or after the end is a mistake of the writer's. */
  append(chunk: Chunk): void {
    this.#check(chunk);
    const stored: Chunk = { ...chunk, bytes: this.#slabs.store(chunk.bytes) };
    this.#chunks.push(stored);
    this.#bytesHeld += stored.bytes.length;
    if (stored.startsSegment) {
      this.#segments.push(stored);
      this.#evict();
    }
    this.#tell(stored);
  }

  /** Ends the feed: readers take what they have not read, then learn the reason. */
  end(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.#tell(undefined);
    this.#listeners.clear();
  }

  /** Ends the feed though the stream goes on elsewhere: its readers have to look for it anew. */
  cut(reason: string): void {
    this.#isCut ||= this.#ended === undefined;
    this.end(reason);
  }

  at(sequence: number): Chunk | undefined {
    return sequence < this.#first ? undefined : this.#chunks[this.#head + sequence - this.#first];
  }

  initOf(epoch: number): Init | undefined {
    return this.#inits.get(epoch);
  }

  newestStart(): Chunk | undefined {
    return this.#segments.findLast((chunk) => chunk.keyframe);
  }

  bytes(from: number, to: number): readonly Uint8Array[] {
    return joinNeighbours(this.#views(from, to, false));
  }

  wire(from: number, to: number): readonly Uint8Array[] {
    return joinNeighbours(this.#views(from, to, true));
  }

  subscribe(listener: FeedListener): () => void {
    if (this.#ended === undefined) this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A fault of one reader's is neither the broadcaster's nor any other reader's. */
  #tell(chunk: Chunk | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(chunk);
      } catch (error) {
        this.#listeners.delete(listener);
        this.#onFault(error);
      }
    }
  }

  #check(chunk: Chunk): void {
    if (this.#ended !== undefined) throw new Error(`chunk after the feed's end (${this.#ended})`);
    if (this.#first !== 0 && chunk.sequence !== this.next)
      throw new Error(`chunk ${chunk.sequence} where ${this.next} belongs`);
    if (this.#first === 0 && !chunk.startsSegment) throw new Error('a feed begins with a segment');
    if (this.#announced && (chunk.startsEpoch || this.#inits.size === 0))
      this.#inits.set(chunk.epoch, this.#announced);
    this.#announced = undefined;
    if (!this.#inits.has(chunk.epoch)) throw new Error(`chunk of epoch ${chunk.epoch}, which has no init`);
    if (this.#first === 0) this.#first = chunk.sequence;
  }

  *#views(from: number, to: number, withInits: boolean): Generator<Uint8Array> {
    for (let sequence = from; sequence < to; sequence++) {
      const chunk = this.at(sequence);
      if (!chunk) throw new Error(`chunk ${sequence} is not in the window ${this.#first}-${this.next - 1}`);
      if (withInits && chunk.startsEpoch) yield this.#inits.get(chunk.epoch)!.bytes;
      yield chunk.bytes;
    }
  }

  #evict(): void {
    while (this.#segments.length > 1 && this.#isOverfull()) {
      this.#segments.shift();
      this.#dropUntil(this.#segments[0]!.sequence);
    }
    const oldestEpoch = this.#segments[0]!.epoch;
    for (const epoch of this.#inits.keys()) if (epoch < oldestEpoch) this.#inits.delete(epoch);
  }

  #isOverfull(): boolean {
    if (this.#bytesHeld > this.#limits.maxBytes) return true;
    if (this.#segments.length <= this.#limits.minSegments) return false;
    const heldWithoutOldestMs = this.#startMs(this.#segments.at(-1)!) - this.#startMs(this.#segments[1]!);
    return heldWithoutOldestMs >= this.#limits.windowMs;
  }

  #dropUntil(sequence: number): void {
    for (; this.#first < sequence; this.#first++) {
      this.#bytesHeld -= this.#chunks[this.#head]!.bytes.length;
      this.#chunks[this.#head++] = undefined;
    }
    if (this.#head * 2 < this.#chunks.length) return;
    this.#chunks = this.#chunks.slice(this.#head);
    this.#head = 0;
  }

  #startMs(chunk: Chunk): number {
    const track = this.#inits.get(chunk.epoch)!.tracks.find((candidate) => candidate.id === chunk.trackId)!;
    return (chunk.decodeTime / track.timescale) * 1000;
  }
}

/** Nobody else is there to be told. */
function throwOnItsOwn(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
