// A viewer that reads a progressive stream and keeps count of what came: for tests that break something in the middle.

import { Splitter } from '../../network/media/splitter.ts';

export class FeedReader {
  /** Sequence numbers in the order in which they came. */
  readonly sequences: number[] = [];
  /** The longest time between two chunks, ms. */
  longestGapMs = 0;
  readonly #controller = new AbortController();
  readonly #done: Promise<void>;
  #lastAtMs = performance.now();

  constructor(url: string) {
    this.#done = this.#read(url).catch(() => {});
  }

  /** How many numbers are missing between the first and the last that came. */
  get missing(): number {
    const [first = 0, last = -1] = [this.sequences[0], this.sequences.at(-1)];
    return last - first + 1 - new Set(this.sequences).size;
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await this.#done;
  }

  async #read(url: string): Promise<void> {
    const answer = await fetch(url, { signal: this.#controller.signal });
    const splitter = new Splitter();
    for await (const bytes of answer.body!) {
      for (const piece of splitter.push(bytes)) if (piece.kind === 'chunk') this.#take(piece.chunk.sequence);
    }
  }

  #take(sequence: number): void {
    const nowMs = performance.now();
    if (this.sequences.length > 0) this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastAtMs);
    this.#lastAtMs = nowMs;
    this.sequences.push(sequence);
  }
}
