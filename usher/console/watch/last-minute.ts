// By how much a count that only grows has grown in the last minute. Pure.

interface Reading {
  readonly atMs: number;
  readonly count: number;
}

const MINUTE_MS = 60_000;

export class LastMinute {
  /** Of the last minute, and the one before that. */
  #readings: Reading[] = [];

  /** `atMs` is of a monotonic clock. */
  read(count: number, atMs: number): number {
    this.#readings.push({ atMs, count });
    while (this.#readings.length > 1 && this.#readings[1]!.atMs <= atMs - MINUTE_MS) this.#readings.shift();
    return count - this.#readings[0]!.count;
  }
}
