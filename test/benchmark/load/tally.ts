// What viewers received: bytes, and the gaps between two receipts of each of them as a histogram.

import type { Clock } from '../../../network/clock.ts';
import { percentile } from '../report.ts';

export interface TallyResult {
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
  /** Of the longest gap that each viewer saw, the 99th percentile of the viewers. */
  readonly longestP99Ms: number;
}

/** One viewer's receipts. */
export type Source = (bytes: number) => void;

/** Of a viewer that has received something. */
interface Seen {
  lastMs: number;
  longestMs: number;
}

const BUCKETS_PER_MS = 10;
const LONGEST_MS = 10_000;

export class Tally {
  readonly #clock: Clock;
  readonly #gaps = new Uint32Array(LONGEST_MS * BUCKETS_PER_MS);
  readonly #seen: Seen[] = [];
  #bytes = 0;
  #sinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  source(): Source {
    const seen: Seen = { lastMs: 0, longestMs: 0 };
    return (bytes) => {
      if (bytes === 0) return;
      const nowMs = this.#clock.monotonic();
      this.#bytes += bytes;
      if (seen.lastMs === 0) this.#seen.push(seen);
      else this.#note(seen, nowMs - seen.lastMs);
      seen.lastMs = nowMs;
    };
  }

  reset(): void {
    this.#gaps.fill(0);
    for (const seen of this.#seen) seen.longestMs = 0;
    this.#bytes = 0;
    this.#sinceMs = this.#clock.monotonic();
  }

  /** A gap that goes on counts as far as it has come: who starves receives nothing that would end it. */
  result(): TallyResult {
    const nowMs = this.#clock.monotonic();
    const longest = this.#seen.map(({ lastMs, longestMs }) => Math.max(longestMs, nowMs - lastMs));
    return {
      bytes: this.#bytes,
      elapsedMs: nowMs - this.#sinceMs,
      gapMedianMs: this.#gapMs(0.5),
      gapP99Ms: this.#gapMs(0.99),
      longestP99Ms: percentile(longest, 0.99),
    };
  }

  #note(seen: Seen, gapMs: number): void {
    this.#gaps[Math.min(this.#gaps.length - 1, Math.floor(gapMs * BUCKETS_PER_MS))]!++;
    seen.longestMs = Math.max(seen.longestMs, gapMs);
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
