// What a rendition's viewers need at each site, and what those who hold it have for them there. Pure.

import { type Copy, ownMbps, type Spread } from '../cluster.ts';
import { comingPerArrival } from '../demand.ts';
import type { Pipe, PlanSite } from '../ground.ts';

/** A rendition is given this share of what others leave it: streams vary in bitrate, and copies are made before all is full. */
export const FILL = 0.85;
/** Less than a bit per second is rounding. */
export const EPSILON_MBPS = 1e-6;
/** Most children of one server. */
export const FANOUT = 4;

/** At one site. */
export interface Balance {
  readonly site: PlanSite;
  /** Who would be served best there. */
  perS: number;
  lastingPerS: number;
  /** Who watches there and has to move. */
  moving: number;
  /** For those who watch there, and those who will have come by the time that one more copy is made. */
  needMbps: number;
  /** What those who hold it there can send to viewers, the present ones among them. */
  haveMbps: number;
  /** How many hold it there, the origin among them. */
  holders: number;
}

/** Of one rendition, if it is given a share of what others leave it. */
export class Balances {
  readonly all: Balance[] = [];
  readonly #spread: Spread;
  readonly #share: number;
  /** What is left of hosts' cards, where there are any. */
  #cards: Map<Pipe, number> | undefined;
  /** Children of an origin that serves no viewers cost nothing that viewers could have. */
  #freeChildren = 0;

  /** Holders are without the origin. */
  constructor(spread: Spread, holders: readonly Copy[], sites: ReadonlyMap<string, PlanSite>, share: number) {
    this.#spread = spread;
    this.#share = share;
    const root = spread.root!;
    this.#countNeed(sites);
    this.at(root.on.site).holders += 1;
    if (root.on.mayHold) this.at(root.on.site).haveMbps += this.#take(root);
    else this.#freeChildren = Math.min(FANOUT, this.#take(root) / spread.bitrateMbps);
    for (const holder of holders) this.add(holder);
  }

  /** What a server may send of the rendition beside all else that it sends. */
  roomMbps(copy: Copy): number {
    const { load, host } = copy.on;
    const own = ownMbps(copy, this.#spread.bitrateMbps);
    const room = (load.limitMbps - load.usedMbps + own) * this.#share;
    return Math.max(0, host ? Math.min(room, this.#cardMbps(host)) : room);
  }

  /** What the next holder costs of some server, whose child it is. */
  get childMbps(): number {
    return this.#spread.bitrateMbps * Math.max(0, 1 - this.#freeChildren);
  }

  /** What one holder more would add for viewers. */
  gainMbps(copy: Copy): number {
    const { site } = copy.on;
    const haveMbps = this.all.find((balance) => balance.site === site)?.haveMbps ?? 0;
    return Math.min(this.roomMbps(copy) - this.childMbps, this.#ceilingMbps(site) - haveMbps);
  }

  /** Counts one holder more. */
  add(copy: Copy): void {
    const balance = this.at(copy.on.site);
    balance.haveMbps += this.#take(copy) - this.childMbps;
    balance.holders += 1;
    this.#freeChildren = Math.max(0, this.#freeChildren - 1);
  }

  /** What is free at a site for viewers of any: its uplinks may be the limit. */
  leftMbps({ site, haveMbps, needMbps }: Balance): number {
    return Math.min(haveMbps, this.#ceilingMbps(site)) - needMbps;
  }

  /** Of all sites together. */
  sums(): { readonly needMbps: number; readonly haveMbps: number } {
    let needMbps = 0;
    let haveMbps = 0;
    for (const balance of this.all) {
      needMbps += balance.needMbps;
      haveMbps += Math.min(balance.haveMbps, this.#ceilingMbps(balance.site));
    }
    return { needMbps, haveMbps };
  }

  at(site: PlanSite): Balance {
    for (const balance of this.all) if (balance.site === site) return balance;
    const balance: Balance = {
      site,
      perS: 0,
      lastingPerS: 0,
      moving: 0,
      needMbps: 0,
      haveMbps: 0,
      holders: 0,
    };
    this.all.push(balance);
    return balance;
  }

  #countNeed(sites: ReadonlyMap<string, PlanSite>): void {
    const { copies, asked, bitrateMbps, root } = this.#spread;
    for (const { on, viewers, arrivalsPerS } of copies) {
      if (viewers === 0 && arrivalsPerS === 0) continue;
      const balance = this.at(on.site);
      balance.needMbps += viewers * bitrateMbps;
      if (!on.mayHold) balance.moving += viewers;
      if (!asked) balance.perS += arrivalsPerS;
    }
    for (const [name, { perS, lastingPerS }] of asked ?? []) {
      const balance = this.at(sites.get(name) ?? root!.on.site);
      balance.perS += perS;
      balance.lastingPerS += lastingPerS;
    }
    for (const balance of this.all)
      balance.needMbps += balance.perS * comingPerArrival(balance.site.copyMs) * bitrateMbps;
  }

  #take(copy: Copy): number {
    const roomMbps = this.roomMbps(copy);
    const { host } = copy.on;
    if (host) this.#cards!.set(host, this.#cardMbps(host) - roomMbps);
    return roomMbps;
  }

  #cardMbps(host: Pipe): number {
    this.#cards ??= new Map();
    return this.#cards.getOrInsertComputed(host, () => {
      const { copies, bitrateMbps } = this.#spread;
      const own = copies.filter(({ on }) => on.host === host).map((copy) => ownMbps(copy, bitrateMbps));
      return own.reduce((left, mbps) => left + mbps, host.limitMbps - host.usedMbps) * this.#share;
    });
  }

  /** Viewers alone use them. */
  #ceilingMbps(site: PlanSite): number {
    const { uplinks } = site;
    if (!uplinks) return Number.POSITIVE_INFINITY;
    const { copies, bitrateMbps } = this.#spread;
    const viewers = copies.reduce((all, copy) => all + (copy.on.site === site ? copy.viewers : 0), 0);
    return (uplinks.limitMbps - uplinks.usedMbps + viewers * bitrateMbps) * this.#share;
  }
}
