// Notices when this process has stood still: its event loop was held up, it was stopped, or its machine slept.

import type { Clock, Timer } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Counter, Metrics } from '../metrics.ts';

export interface StillnessOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const LOOK_MS = 250;
/** Players have a second or two in hand at the lowest latency; a loaded machine is late by less. */
const STILL_MS = 1_000;

export class Stillness implements Disposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #times: Counter;
  readonly #seconds: Counter;
  readonly #timer: Timer;
  #lookedMs: number;

  constructor({ clock, logger, metrics }: StillnessOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#times = metrics.counter(
      'headwater_standstills_total',
      'Times that the event loop stood still for more than a second.',
    );
    this.#seconds = metrics.counter(
      'headwater_standstill_seconds_total',
      'How long it stood still in all of them.',
    );
    this.#lookedMs = clock.monotonic();
    this.#timer = clock.every(LOOK_MS, () => this.#look());
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #look(): void {
    const nowMs = this.#clock.monotonic();
    const stillMs = Math.round(nowMs - this.#lookedMs - LOOK_MS);
    this.#lookedMs = nowMs;
    if (stillMs < STILL_MS) return;
    this.#times.inc();
    this.#seconds.inc(stillMs / 1000);
    this.#logger.warn({ stillMs }, 'this process stood still');
  }
}
