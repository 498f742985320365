// Says what may come thousands of times a second a few times only, with how often it came: a flood does not become one of the log.

import type { Clock } from './clock.ts';

export class Seldom {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #everyMs: number;
  readonly #most: number;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #said = 0;
  #unsaid = 0;

  constructor(clock: Pick<Clock, 'monotonic'>, everyMs = 1_000, most = 1) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#most = most;
  }

  /** Calls `say` at once, or not at all when it has been called `most` times within `everyMs`: then the next call tells of it. */
  say(say: (timesSince: number) => void): void {
    this.#unsaid++;
    const nowMs = this.#clock.monotonic();
    if (nowMs - this.#sinceMs >= this.#everyMs) {
      this.#sinceMs = nowMs;
      this.#said = 0;
    }
    if (this.#said >= this.#most) return;
    this.#said++;
    const times = this.#unsaid;
    this.#unsaid = 0;
    say(times);
  }
}
