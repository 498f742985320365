// Says what may come thousands of times a second once in a while, with how often it came: a flood does not become one of the log.

import type { Clock } from './clock.ts';

export class Seldom {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #everyMs: number;
  #saidMs = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, everyMs = 1_000) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** Calls `say` at once, or not at all when it has been called within the last `everyMs`: then the next call tells of it. */
  say(say: (timesSince: number) => void): void {
    this.#unsaid++;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#saidMs < this.#everyMs) return;
    const times = this.#unsaid;
    this.#saidMs = nowMs;
    this.#unsaid = 0;
    say(times);
  }
}
