// What a plan's choices cost, in micro-dollars for an hour, by the prices of the stream's policy. Pure.

import type { Spread } from './cluster.ts';
import type { PlanSite, Way, Ways } from './ground.ts';

/** What a viewer costs more at a site than at the one that would serve them best. */
export function elsewhereMicroUsd(
  { policy, bitrateMbps }: Spread,
  ways: Ways,
  best: PlanSite,
  site: PlanSite,
): number {
  if (best === site) return 0;
  const transit = Math.max(0, site.transitMicroUsd - best.transitMicroUsd) * bitrateMbps;
  return ways.between(best, site).rttMs * policy.msHourMicroUsd + transit;
}

/** What the rendition costs on a link. */
export function crossingMicroUsd({ bitrateMbps }: Spread, { microUsdPerMbpsHour }: Way): number {
  return bitrateMbps * microUsdPerMbpsHour;
}

/** Whether a copy more may go that way. */
export function hasRoom({ bitrateMbps }: Spread, { link, isJoined }: Way): boolean {
  return link ? link.usedMbps + bitrateMbps <= link.limitMbps : isJoined;
}
