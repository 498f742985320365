// Ends progressive answers whose token has: an endless answer would else be one that nobody has to pay for again.

import type { Clock, Timer } from '../../network/clock.ts';
import { endOutlet, type Outlet } from '../../network/http/listener.ts';

/** So that a player whose site has given it a new token has joined with that before the old connection goes. */
export const TOKEN_GRACE_MS = 30_000;
const SWEEP_MS = 1_000;

export class TokenEnds {
  readonly #clock: Clock;
  /** By the wall clock, as tokens say it. */
  readonly #endsAtMs = new Map<Outlet, number>();
  #sweeper: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  watch(outlet: Outlet, expiresAtMs: number): void {
    this.#endsAtMs.set(outlet, expiresAtMs + TOKEN_GRACE_MS);
    outlet.once('close', () => this.#forget(outlet));
    this.#sweeper ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Whole chunks were written to each. */
  #sweep(): void {
    const nowMs = this.#clock.now();
    for (const [outlet, endsAtMs] of this.#endsAtMs) if (endsAtMs <= nowMs) endOutlet(outlet);
  }

  #forget(outlet: Outlet): void {
    this.#endsAtMs.delete(outlet);
    if (this.#endsAtMs.size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }
}
