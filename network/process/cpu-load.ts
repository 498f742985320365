// How busy this process is: its JavaScript has one core and no more, and waits for that where encoders take it away.

import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../clock.ts';

/** Time of the event loop since the process was started, in any unit. */
export interface LoopTimes {
  readonly active: number;
  readonly idle: number;
}

const PERIOD_MS = 1_000;
/** Of the figure so far, what a new measure leaves: a second alone says little. */
const KEPT = 0.6;

export class CpuLoad implements Disposable {
  readonly #timer: Timer;
  readonly #read: () => LoopTimes;
  #last: LoopTimes;
  #share = 0;

  constructor({ clock, read = readLoop }: { readonly clock: Clock; readonly read?: () => LoopTimes }) {
    this.#read = read;
    this.#last = read();
    this.#timer = clock.every(PERIOD_MS, () => this.#measure());
  }

  /** Of the last seconds, in which it did not wait for anything to do: 0 to 1, to a hundredth. */
  get share(): number {
    return Math.round(this.#share * 100) / 100;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #measure(): void {
    const now = this.#read();
    const active = now.active - this.#last.active;
    const total = active + now.idle - this.#last.idle;
    this.#last = now;
    if (total > 0) this.#share = this.#share * KEPT + (active / total) * (1 - KEPT);
  }
}

function readLoop(): LoopTimes {
  return performance.eventLoopUtilization();
}
