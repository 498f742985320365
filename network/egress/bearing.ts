// What this server can bear to send: what its egress has, or less where the one core that its process has is used up before.

import type { Clock, Timer } from '../clock.ts';

export interface BearingOptions {
  readonly clock: Clock;
  readonly egressMbps: number;
  /** Of the core's time, 0 to 1, as much as may be used; 1: as much as there is, and nobody is refused for it. */
  readonly cpuLimit: number;
  /** Of the last seconds, how much of it was: 0 to 1. */
  readonly cpuLoad: { readonly share: number };
  /** What those that were admitted take. */
  readonly usedMbps: () => number;
}

const PERIOD_MS = 1_000;
/** As `CpuLoad` does: what was used is compared with how busy the same seconds were. */
const KEPT = 0.6;
/** Of a core that is less busy than that nothing can be told. */
const TELLING_SHARE = 0.3;
/** So much takes a few hundredths of a core: where it is busy with less, something else keeps it. */
const LEAST_MBPS = 200;
/** Announced in steps, so that plans do not follow each breath of a core. */
const STEP_MBPS = 10;

/**
 * A megabit costs a core more or less by what is played, how it is played and what else the core does, so it is measured while it
 * is sent: what was used of late took so much of the core, and the rest is good for as much in proportion.
 */
export class Bearing implements Disposable {
  readonly #options: BearingOptions;
  readonly #timer: Timer;
  #usedMbps = 0;
  #mbps: number;

  constructor(options: BearingOptions) {
    this.#options = options;
    this.#mbps = options.egressMbps;
    this.#timer = options.clock.every(PERIOD_MS, () => this.#measure());
  }

  get mbps(): number {
    return this.#mbps;
  }

  /** The core is the limit, and not the egress. */
  get isCpuBound(): boolean {
    return this.#mbps < this.#options.egressMbps;
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #measure(): void {
    const { egressMbps, cpuLimit, cpuLoad, usedMbps } = this.#options;
    this.#usedMbps = this.#usedMbps * KEPT + usedMbps() * (1 - KEPT);
    const { share } = cpuLoad;
    const isTold = cpuLimit < 1 && share >= TELLING_SHARE;
    const bearable = Math.round((this.#usedMbps * cpuLimit) / share / STEP_MBPS) * STEP_MBPS;
    this.#mbps = isTold ? Math.min(egressMbps, Math.max(LEAST_MBPS, bearable)) : egressMbps;
  }
}
