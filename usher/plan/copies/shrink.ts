// Shrink: which copy of a rendition can go, and how long it may be of no use before it costs more than making it again. Pure.

import { hotMicroUsd } from '../../placement/price/cost.ts';
import type { Copy, Spread } from '../cluster.ts';
import { audience } from '../demand.ts';
import type { Ways } from '../ground.ts';
import { crossingMicroUsd, elsewhereMicroUsd } from '../prices.ts';
import type { Balances } from './balance.ts';

/** A copy goes only when the others have this many times what is needed, so that it is not made again a moment later. */
export const SLACK = 1.25;
/** Whatever it costs: a crowd that pauses for a moment finds its copy again, and none is kept for longer than a minute. */
const LEAST_LINGER_MS = 10_000;
const MOST_LINGER_MS = 60_000;
const HOUR_MS = 3_600_000;

export interface Spare {
  readonly copy: Copy;
  /** When there has been one copy too many for so long it goes: the sooner, the more of them there are. */
  readonly lingerMs: number;
}

/** Of the copies that nobody watches and nobody comes to: one whose going moves the fewest others. */
export function spareOf(
  spread: Spread,
  holders: readonly Copy[],
  balances: Balances,
  ways: Ways,
): Spare | undefined {
  const unused = holders.filter(({ viewers, arrivalsPerS }) => viewers === 0 && arrivalsPerS === 0);
  if (unused.length === 0) return undefined;
  const { needMbps, haveMbps } = balances.sums();
  const spareMbps = needMbps === 0 ? Number.POSITIVE_INFINITY : haveMbps - needMbps * SLACK;
  const mayGo = unused.filter(
    (copy) => balances.roomMbps(copy) <= spareMbps && !isNear(spread, copy, balances, ways),
  );
  const [copy] = mayGo.sort((one, other) => one.children - other.children || other.on.index - one.on.index);
  if (!copy) return undefined;
  const count = Math.min(mayGo.length, Math.ceil(spareMbps / (balances.roomMbps(copy) || 1)));
  return { copy, lingerMs: lingerMs(spread, copy, ways) / Math.max(1, count) };
}

/** Whether viewers would be served best at its site, where nobody else has it, and all in all pay for it. */
function isNear(spread: Spread, copy: Copy, balances: Balances, ways: Ways): boolean {
  const here = balances.at(copy.on.site);
  if (here.holders > 1 || audience(here) === 0) return false;
  const away = balances.all
    .filter((other) => other !== here && other.holders > 0)
    .map((other) => elsewhereMicroUsd(spread, ways, copy.on.site, other.site));
  return audience(here) * Math.min(...away) > keepMicroUsd(spread, copy, ways);
}

/** The price of making it again, which somebody waits for, over that of keeping it for a ms. */
function lingerMs(spread: Spread, copy: Copy, ways: Ways): number {
  const makeMicroUsd = (spread.policy.waitMicroUsdPerS * copy.on.site.copyMs) / 1000;
  const ms = (makeMicroUsd / keepMicroUsd(spread, copy, ways)) * HOUR_MS;
  return Math.min(MOST_LINGER_MS, Math.max(LEAST_LINGER_MS, ms));
}

/** For an hour: what it comes over, its place in its parent's room, and that there is one copy more. */
function keepMicroUsd(spread: Spread, { on, parent }: Copy, ways: Ways): number {
  const { policy } = spread;
  if (!parent) return policy.copyMicroUsd;
  const crossing = crossingMicroUsd(spread, ways.between(parent.on.site, on.site));
  return policy.copyMicroUsd + crossing + hotMicroUsd({ policy }, parent.on);
}
