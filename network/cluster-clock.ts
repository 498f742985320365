// What time it is in the cluster: all its processes go by the wall clock of the cluster's state, whatever their own clocks say.

import type { Clock, Timer } from './clock.ts';
import type { Condition } from './http/health.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

export interface ClusterClockOptions {
  /** Of this machine. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Tokens are in whole seconds, and clocks that are kept by NTP differ by milliseconds. */
const OFF_MS = 1_000;

/**
 * Its wall clock is what the state said last, carried on by the monotonic clock: tokens that one server signs and another
 * checks, times of recordings and the program's date and time are all of one clock, and nothing jumps when an operator sets
 * that of a machine. Until the state has been heard it is the machine's own.
 */
export class ClusterClock implements Clock {
  readonly #own: Clock;
  readonly #logger: Logger;
  /** The state's wall clock less this machine's monotonic clock; undefined before the first word. */
  #aheadMs: number | undefined;
  #isOff = false;

  constructor({ clock, logger, metrics }: ClusterClockOptions) {
    this.#own = clock;
    this.#logger = logger;
    metrics.gauge(
      'headwater_clock_offset_seconds',
      'By how much the clock of this machine is ahead of that of the cluster.',
      [],
      (gauge) => gauge.set(this.#offMs / 1000),
    );
  }

  now(): number {
    return this.#aheadMs === undefined ? this.#own.now() : Math.floor(this.#own.monotonic() + this.#aheadMs);
  }

  monotonic(): number {
    return this.#own.monotonic();
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#own.after(delayMs, run);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#own.every(periodMs, run);
  }

  /** Nothing is wrong with the cluster: who looks after this machine is to know of it. */
  get condition(): Condition | undefined {
    if (!this.#isOff) return undefined;
    const offS = this.#offMs / 1000;
    const detail = `the clock of this machine is ${Math.abs(offS)} s ${offS > 0 ? 'ahead of' : 'behind'} the cluster’s`;
    return { code: 'clock_off', detail, blocks: false };
  }

  /**
   * The state said that it was `stateMs` at some instant between two of the monotonic clock. What is known already is kept as
   * long as it agrees with that: a slow answer says little, and moves nothing.
   */
  hear(stateMs: number, askedAtMs: number, heardAtMs: number): void {
    const [leastMs, mostMs] = [stateMs - heardAtMs, stateMs + 1 - askedAtMs];
    const knownMs = this.#aheadMs ?? (leastMs + mostMs) / 2;
    this.#aheadMs = Math.min(Math.max(knownMs, leastMs), mostMs);
    this.#compare();
  }

  get #offMs(): number {
    return this.#own.now() - this.now();
  }

  #compare(): void {
    const offMs = this.#offMs;
    const isOff = Math.abs(offMs) > OFF_MS;
    if (isOff === this.#isOff) return;
    this.#isOff = isOff;
    if (isOff) this.#logger.warn({ offMs }, 'the clock of this machine is not that of the cluster');
    else this.#logger.info({ offMs }, 'the clock of this machine is that of the cluster again');
  }
}
