// What viewers of CDNs cost: counted when their players ask how to go on, until the state is told.

import type { Cdn } from '../network/map/topology.ts';
import { spentMicroUsd } from './cdn.ts';

/** Past so many the session that was paid for first is forgotten; if it is still there, it is paid for from now. */
const MAX_SESSIONS = 200_000;

export class Spending {
  /** By session: until when it is paid for. */
  readonly #paidUntilMs = new Map<string, number>();
  readonly #spentMicroUsd = new Map<string, number>();

  /** A viewer watches by a CDN until it asks again: that is paid now, and once however often it asks. */
  watch(session: string, cdn: Cdn, mbps: number, forS: number, nowMs: number): void {
    const paidMs = Math.max(nowMs, this.#paidUntilMs.get(session) ?? 0);
    const untilMs = nowMs + forS * 1000;
    if (untilMs <= paidMs) return;
    this.#paidUntilMs.delete(session);
    this.#paidUntilMs.set(session, untilMs);
    if (this.#paidUntilMs.size > MAX_SESSIONS)
      this.#paidUntilMs.delete(this.#paidUntilMs.keys().next().value!);
    this.#add(cdn.name, spentMicroUsd(cdn, mbps, (untilMs - paidMs) / 1000));
  }

  /** By CDN, what was spent since this was asked last, in whole micro-dollars; the rest is kept for the next time. */
  take(): Record<string, number> {
    const taken: Record<string, number> = {};
    for (const [name, spent] of this.#spentMicroUsd) {
      const whole = Math.floor(spent);
      if (whole === 0) continue;
      taken[name] = whole;
      this.#spentMicroUsd.set(name, spent - whole);
    }
    return taken;
  }

  #add(name: string, microUsd: number): void {
    this.#spentMicroUsd.set(name, (this.#spentMicroUsd.get(name) ?? 0) + microUsd);
  }
}
