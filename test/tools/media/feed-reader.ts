// A viewer that reads a progressive stream, goes on where it was when its connection breaks, and keeps count of what came.

import type { Chunk } from '../../../network/media/chunk.ts';
import { VIDEO_TRACK_ID } from '../../../network/media/fmp4.ts';
import type { Init } from '../../../network/media/init.ts';
import { Splitter } from '../../../network/media/splitter.ts';

const RETRY_MS = 100;
/** What a player at low latency has in hand: it stands still when media come later than that. */
const IN_HAND_MS = 1_000;

export class FeedReader implements AsyncDisposable {
  readonly url: string;
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;
  #next: number | undefined;
  #chunks = 0;
  #lost = 0;
  #repeated = 0;
  #splits = 0;
  #longestGapMs = 0;
  #stalledMs = 0;
  /** Of the video; and when, by this clock, its time zero of this epoch would have come, had it come as soon as any frame did. */
  #timescale = 0;
  #epoch = 0;
  #zeroAtMs = Number.POSITIVE_INFINITY;
  #lastAtMs = performance.now();

  constructor(url: string) {
    this.url = url;
    this.#done = this.#read();
  }

  /** Chunks that came since `begin`; how many numbers were missing between them; how many came that had come before. */
  get chunks(): number {
    return this.#chunks;
  }

  get lost(): number {
    return this.#lost;
  }

  get repeated(): number {
    return this.#repeated;
  }

  /** Key frames inside of segments: there an encoder began anew. */
  get splits(): number {
    return this.#splits;
  }

  /** The longest time without a chunk since `begin`, the one that goes on now included. */
  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, performance.now() - this.#lastAtMs);
  }

  /** How long a player would have stood still since `begin` that has a second in hand. */
  get stalledMs(): number {
    return Math.max(this.#stalledMs, performance.now() - this.#lastAtMs - IN_HAND_MS);
  }

  /** Counts anew from here. */
  begin(): void {
    [this.#chunks, this.#lost, this.#repeated, this.#splits, this.#longestGapMs] = [0, 0, 0, 0, 0];
    this.#stalledMs = 0;
    this.#lastAtMs = performance.now();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await this.#done;
  }

  async #read(): Promise<void> {
    const { signal } = this.#controller;
    while (!signal.aborted) {
      await this.#readOnce(signal).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, signal.aborted ? 0 : RETRY_MS));
    }
  }

  async #readOnce(signal: AbortSignal): Promise<void> {
    const url = this.#next === undefined ? this.url : `${this.url}?from=${this.#next}`;
    const answer = await fetch(url, { signal });
    if (!answer.ok) throw new Error(await answer.text());
    const splitter = new Splitter();
    for await (const bytes of answer.body!) {
      for (const piece of splitter.push(bytes)) {
        if (piece.kind === 'init') this.#begin(piece.init);
        if (piece.kind === 'chunk') this.#take(piece.chunk);
      }
    }
  }

  #begin({ tracks }: Init): void {
    this.#timescale = tracks.find(({ id }) => id === VIDEO_TRACK_ID)?.timescale ?? 0;
  }

  /** Once a player has stood still, it stays that far behind: how late media come counts, and not how often. */
  #measure(epoch: number, decodeTime: number): void {
    const atMs = performance.now() - (decodeTime / this.#timescale) * 1000;
    this.#zeroAtMs = epoch === this.#epoch ? Math.min(this.#zeroAtMs, atMs) : atMs;
    this.#epoch = epoch;
    this.#stalledMs = Math.max(this.#stalledMs, atMs - this.#zeroAtMs - IN_HAND_MS);
  }

  #take({ sequence, epoch, trackId, keyframe, startsSegment, decodeTime }: Chunk): void {
    const expected = this.#next ?? sequence;
    this.#longestGapMs = this.longestGapMs;
    this.#lastAtMs = performance.now();
    if (sequence < expected) {
      this.#repeated++;
      return;
    }
    this.#chunks++;
    this.#lost += sequence - expected;
    if (trackId === VIDEO_TRACK_ID && this.#timescale > 0) this.#measure(epoch, decodeTime);
    if (trackId === VIDEO_TRACK_ID && keyframe && !startsSegment) this.#splits++;
    this.#next = sequence + 1;
  }
}
