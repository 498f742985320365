// Ways to serve viewers for whom their own site has nothing left: room at another site, or one copy more. Pure.

import { hotMicroUsd } from '../../placement/price/cost.ts';
import { type Copy, copyOn, newCopy } from '../cluster.ts';
import { audience } from '../demand.ts';
import type { PlanServer, PlanSite } from '../ground.ts';
import { crossingMicroUsd, elsewhereMicroUsd, hasRoom } from '../prices.ts';
import { type Balance, EPSILON_MBPS } from './balance.ts';
import type { Growth } from './growing.ts';

export type Offer =
  | { readonly kind: 'room'; readonly balance: Balance; readonly leftMbps: number; readonly microUsd: number }
  | { readonly kind: 'copy'; readonly copy: Copy; readonly microUsd: number };

/** The cheapest for an hour, for all whom a site can't serve. Undefined: nobody has room. */
export function bestOffer(growth: Growth, balance: Balance, mbps: number): Offer | undefined {
  const viewers = audience(balance) + balance.moving;
  let best: Offer | undefined;
  for (const other of growth.balances.all) {
    const offer = roomOffer(growth, balance, other, viewers);
    if (offer && !(best && best.microUsd <= offer.microUsd)) best = offer;
  }
  for (const site of growth.ground.sites.values()) {
    const awayMicroUsd = awayFrom(growth, balance, site, viewers);
    if (best && best.microUsd <= awayMicroUsd) continue;
    const offer = copyOffer(growth, site, { mbps, viewers, awayMicroUsd });
    if (offer && !(best && best.microUsd <= offer.microUsd)) best = offer;
  }
  return best;
}

function roomOffer(growth: Growth, balance: Balance, other: Balance, viewers: number): Offer | undefined {
  const leftMbps = growth.balances.leftMbps(other);
  if (leftMbps <= EPSILON_MBPS) return undefined;
  return { kind: 'room', balance: other, leftMbps, microUsd: awayFrom(growth, balance, other.site, viewers) };
}

function copyOffer(
  growth: Growth,
  site: PlanSite,
  { mbps, viewers, awayMicroUsd }: { mbps: number; viewers: number; awayMicroUsd: number },
): Offer | undefined {
  const { spread } = growth;
  const enterMicroUsd = enterFrom(growth, site);
  if (enterMicroUsd === undefined) return undefined;
  const server = candidate(growth, site, mbps);
  if (!server) return undefined;
  const keepMicroUsd = enterMicroUsd + spread.policy.copyMicroUsd;
  const microUsd = awayMicroUsd + keepMicroUsd + viewers * hotMicroUsd(spread, server);
  return { kind: 'copy', copy: copyOn(spread, server) ?? newCopy(server), microUsd };
}

function awayFrom({ spread, ground }: Growth, balance: Balance, site: PlanSite, viewers: number): number {
  return viewers * elsewhereMicroUsd(spread, ground.ways, balance.site, site);
}

/** What it costs that a rendition comes into a site, by the cheapest way. Undefined: no link has room for it. */
function enterFrom({ spread, ground, balances }: Growth, site: PlanSite): number | undefined {
  let least: number | undefined;
  for (const balance of balances.all) {
    if (balance.holders === 0) continue;
    if (balance.site === site) return 0;
    const way = ground.ways.between(balance.site, site);
    const microUsd = crossingMicroUsd(spread, way);
    if (hasRoom(spread, way) && !(least !== undefined && least <= microUsd)) least = microUsd;
  }
  return least;
}

/** One that has another rendition already if it can serve them all; else the one with the most room, so that few are needed. */
function candidate(growth: Growth, site: PlanSite, mbps: number): PlanServer | undefined {
  const { siblings, taken, shelves, balances } = growth;
  const gainMbps = (server: PlanServer): number =>
    balances.gainMbps(copyOn(growth.spread, server) ?? newCopy(server));
  for (const server of siblings)
    if (server.site === site && !taken.has(server) && gainMbps(server) >= mbps) return server;
  const isOut = (server: PlanServer): boolean => taken.has(server) || gainMbps(server) <= EPSILON_MBPS;
  return shelves.best(site, balances.childMbps, isOut);
}
