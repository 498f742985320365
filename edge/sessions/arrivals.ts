// How fast viewers come to each stream: a rate that follows a crowd within seconds and forgets it as fast.

import type { Clock } from '../../network/clock.ts';

/** A viewer counts for this long, less and less: the rate of the last moments, and not that of the last minute. */
const MEMORY_S = 2;

interface Rate {
  perS: number;
  atMs: number;
}

export class Arrivals {
  readonly #clock: Clock;
  readonly #rates = new Map<string, Rate>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  count(stream: string): void {
    this.#rates.set(stream, { perS: this.perS(stream) + 1 / MEMORY_S, atMs: this.#clock.monotonic() });
  }

  /** An average of the past in which what was MEMORY_S ago weighs 1/e. */
  perS(stream: string): number {
    const rate = this.#rates.get(stream);
    if (!rate) return 0;
    return rate.perS * Math.exp((rate.atMs - this.#clock.monotonic()) / (MEMORY_S * 1000));
  }

  /** Of a stream that nobody watches any more. */
  forget(stream: string): void {
    this.#rates.delete(stream);
  }
}
