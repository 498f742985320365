// What a server sends now, in Mbps, out of the counters of everything that it sends.

import type { Clock, Timer } from '../clock.ts';
import type { Metrics } from '../metrics.ts';

const SENT = [
  'headwater_http_sent_bytes_total',
  'headwater_progressive_sent_bytes_total',
  'headwater_relay_sent_bytes_total',
];
const PERIOD_MS = 1_000;

export class Egress implements Disposable {
  readonly #metrics: Metrics;
  readonly #clock: Clock;
  readonly #timer: Timer;
  #bytes = 0;
  #atMs: number;
  #mbps = 0;

  constructor({ metrics, clock }: { metrics: Metrics; clock: Clock }) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#atMs = clock.monotonic();
    this.#timer = clock.every(PERIOD_MS, () => this.#measure());
  }

  /** Over the last second. */
  get mbps(): number {
    return this.#mbps;
  }

  async #measure(): Promise<void> {
    const bytes = await this.#metrics.total(SENT);
    const nowMs = this.#clock.monotonic();
    this.#mbps = Math.round(((bytes - this.#bytes) * 8) / (nowMs - this.#atMs)) / 1000;
    this.#bytes = bytes;
    this.#atMs = nowMs;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
