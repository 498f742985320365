// How long to wait before the next try: doubling up to a cap, with jitter so that viewers do not come back as one. Pure.

import type { Chance } from './clock.ts';

export interface BackOffLimits {
  readonly firstMs: number;
  readonly capMs: number;
}

/** A wait is up to this share shorter or longer than the plain doubling says. */
const JITTER = 0.2;

export class BackOff {
  readonly #limits: BackOffLimits;
  readonly #chance: Chance;
  #plainMs: number;

  constructor(limits: BackOffLimits, chance: Chance) {
    this.#limits = limits;
    this.#chance = chance;
    this.#plainMs = limits.firstMs;
  }

  /** The wait before the next try. */
  next(): number {
    const waitMs = this.#plainMs * (1 + JITTER * (2 * this.#chance() - 1));
    this.#plainMs = Math.min(this.#plainMs * 2, this.#limits.capMs);
    return waitMs;
  }

  /** To be called when a try has succeeded. */
  reset(): void {
    this.#plainMs = this.#limits.firstMs;
  }
}
