// What viewers received: bytes, and the gaps between two receipts of each of them as a histogram.

import type { Clock } from '../../../network/clock.ts';

export interface TallyResult {
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
}

/** One viewer's receipts. */
export type Source = (bytes: number) => void;

const BUCKETS_PER_MS = 10;
const LONGEST_MS = 10_000;

export class Tally {
  readonly #clock: Clock;
  readonly #gaps = new Uint32Array(LONGEST_MS * BUCKETS_PER_MS);
  #bytes = 0;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  source(): Source {
    let lastMs = this.#clock.monotonic();
    return (bytes) => {
      const nowMs = this.#clock.monotonic();
      const bucket = Math.min(this.#gaps.length - 1, Math.floor((nowMs - lastMs) * BUCKETS_PER_MS));
      this.#gaps[bucket]!++;
      this.#bytes += bytes;
      lastMs = nowMs;
    };
  }

  reset(): void {
    this.#gaps.fill(0);
    this.#bytes = 0;
    this.#sinceMs = this.#clock.monotonic();
  }

  result(): TallyResult {
    return {
      bytes: this.#bytes,
      elapsedMs: this.#clock.monotonic() - this.#sinceMs,
      gapMedianMs: this.#gapMs(0.5),
      gapP99Ms: this.#gapMs(0.99),
    };
  }

  #gapMs(share: number): number {
    const wanted = this.#gaps.reduce((sum, count) => sum + count, 0) * share;
    let seen = 0;
    const bucket = this.#gaps.findIndex((count) => {
      seen += count;
      return seen >= wanted;
    });
    return bucket / BUCKETS_PER_MS;
  }
}
