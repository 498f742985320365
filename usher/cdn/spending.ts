// What viewers of CDNs cost: counted when they are sent there and when their players ask how to go on, until the state is told.

import type { Cdn } from '../../network/map/topology.ts';
import { spentMicroUsd } from './cdn.ts';
import { Recent } from './recent.ts';

/** Past so many the sessions that were paid for first are forgotten; those that are still there are paid for from now. */
const MAX_SESSIONS = 200_000;
/** Players that can be steered ask as soon as they have the playlist, and each ten seconds. One that has not by then never does. */
const SILENT_S = 60;
/** Nobody hears of such a viewer again, so it is paid for as long as viewers stay on average. */
const STAY_S = 600;
/**
 * So many of one address are paid for in such a time. More who are never heard of are rather somebody who only asks for playlists,
 * and would use up the month's money without a byte from a CDN.
 */
const MAX_SILENT = 1_000;
/** Past so many addresses the one that was counted first is counted anew. */
const MAX_NETWORKS = 100_000;

interface Sent {
  readonly cdn: Cdn;
  readonly mbps: number;
  readonly atMs: number;
  /** Address or /64; empty where any number may come. */
  readonly network: string;
}

export class Spending {
  /** By session: until when it is paid for. */
  readonly #paidUntilMs = new Recent<string, number>(MAX_SESSIONS);
  /** Who was sent to a CDN and has not asked since, in order of their coming. */
  readonly #unheard = new Map<string, Sent>();
  /** Of each address, those who were not heard of in the time that ends then. */
  readonly #silent = new Map<string, { count: number; readonly untilMs: number }>();
  readonly #spentMicroUsd = new Map<string, number>();

  /** A viewer is sent to a CDN. Whether it will ever ask how to go on shows later. */
  send(session: string, cdn: Cdn, mbps: number, nowMs: number, network = ''): void {
    this.#unheard.set(session, { cdn, mbps, atMs: nowMs, network });
    if (this.#unheard.size > MAX_SESSIONS) this.#unheard.delete(this.#unheard.keys().next().value!);
  }

  /** Its player has asked how to go on: what it costs from now on `watch` is told. */
  hear(session: string): void {
    this.#unheard.delete(session);
  }

  /** A viewer watches by a CDN until it asks again: that is paid now, and once however often it asks. */
  watch(session: string, cdn: Cdn, mbps: number, forS: number, nowMs: number): void {
    const paidMs = Math.max(nowMs, this.#paidUntilMs.get(session) ?? 0);
    const untilMs = nowMs + forS * 1000;
    if (untilMs <= paidMs) return;
    this.#paidUntilMs.set(session, untilMs);
    this.#add(cdn.name, spentMicroUsd(cdn, mbps, (untilMs - paidMs) / 1000));
  }

  /** By CDN, what was spent since this was asked last, in whole micro-dollars; the rest is kept for the next time. */
  take(nowMs: number): Record<string, number> {
    this.#payForSilent(nowMs);
    const taken: Record<string, number> = {};
    for (const [name, spent] of this.#spentMicroUsd) {
      const whole = Math.floor(spent);
      if (whole === 0) continue;
      taken[name] = whole;
      this.#spentMicroUsd.set(name, spent - whole);
    }
    return taken;
  }

  #payForSilent(nowMs: number): void {
    for (const [session, { cdn, mbps, atMs, network }] of this.#unheard) {
      if (nowMs - atMs < SILENT_S * 1000) break;
      this.#unheard.delete(session);
      if (this.#isBelievable(network, nowMs)) this.watch(session, cdn, mbps, STAY_S, nowMs);
    }
  }

  #isBelievable(network: string, nowMs: number): boolean {
    if (network === '') return true;
    const known = this.#silent.get(network);
    if (known && nowMs < known.untilMs) return ++known.count <= MAX_SILENT;
    this.#silent.delete(network);
    this.#silent.set(network, { count: 1, untilMs: nowMs + STAY_S * 1000 });
    if (this.#silent.size > MAX_NETWORKS) this.#silent.delete(this.#silent.keys().next().value!);
    return true;
  }

  #add(name: string, microUsd: number): void {
    this.#spentMicroUsd.set(name, (this.#spentMicroUsd.get(name) ?? 0) + microUsd);
  }
}
