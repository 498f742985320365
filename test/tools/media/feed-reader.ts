// A viewer that reads a progressive stream, goes on where it was when its connection breaks, and keeps count of what came.

import type { Chunk } from '../../../network/media/chunk.ts';
import { VIDEO_TRACK_ID } from '../../../network/media/fmp4.ts';
import { Splitter } from '../../../network/media/splitter.ts';

const RETRY_MS = 100;

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

  /** Counts anew from here. */
  begin(): void {
    [this.#chunks, this.#lost, this.#repeated, this.#splits, this.#longestGapMs] = [0, 0, 0, 0, 0];
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
      for (const piece of splitter.push(bytes)) if (piece.kind === 'chunk') this.#take(piece.chunk);
    }
  }

  #take({ sequence, trackId, keyframe, startsSegment }: Chunk): void {
    const expected = this.#next ?? sequence;
    this.#longestGapMs = this.longestGapMs;
    this.#lastAtMs = performance.now();
    if (sequence < expected) {
      this.#repeated++;
      return;
    }
    this.#chunks++;
    this.#lost += sequence - expected;
    if (trackId === VIDEO_TRACK_ID && keyframe && !startsSegment) this.#splits++;
    this.#next = sequence + 1;
  }
}
