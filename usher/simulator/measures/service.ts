// How much of what was to be watched was served, and what that cost: who refuses viewers, or has them stall, is not cheap for it. Pure.

import { volumePrice } from './bill.ts';
import type { Costs } from './costs.ts';
import type { Result } from './result.ts';

export interface Watched {
  /** Viewer-hours of the own network, what was lost among them, of a CDN, and refused. */
  readonly ownHours: number;
  readonly cdnHours: number;
  readonly refusedHours: number;
  readonly lostHours: number;
  /** What was refused or lost, in kilobits. */
  readonly unservedKbit: number;
}

export function unservedPercent({ ownHours, cdnHours, refusedHours, lostHours }: Watched): number {
  const all = ownHours + cdnHours + refusedHours;
  return all > 0 ? ((refusedHours + lostHours) / all) * 100 : 0;
}

/** `cdnPrices` in micro-dollars per gigabyte: of the cheapest it is taken what it would cost to send what was not served. */
export function costOf(costs: Costs, watched: Watched, cdnPrices: readonly number[]): Result['cost'] {
  const { ownHours, cdnHours, refusedHours, lostHours, unservedKbit } = watched;
  const total = costs.transit + costs.links + costs.cdn;
  const price = unservedKbit === 0 ? 0 : cheapest(cdnPrices);
  const unserved = price === undefined ? undefined : volumePrice(unservedKbit, price);
  return {
    ...costs,
    total,
    perViewerHour: per(total, ownHours + cdnHours - lostHours),
    unserved,
    perHourOfAll:
      unserved === undefined ? undefined : per(total + unserved, ownHours + cdnHours + refusedHours),
  };
}

function cheapest(prices: readonly number[]): number | undefined {
  return prices.length > 0 ? Math.min(...prices) : undefined;
}

function per(microUsd: number, hours: number): number {
  return hours > 0 ? microUsd / hours : 0;
}
