// What the network costs in an hour as things are, and whose cost that is: by site, server and stream. Pure.

import type { Uplink } from '../../../network/map/topology.ts';
import type { UplinkAccount } from '../../../network/state/lease.ts';
import type { StreamRecord } from '../../../network/state/state.ts';
import { billedMbps, billMicroUsd, GB_PER_MBPS_HOUR } from '../../placement/price/billing.ts';
import type { SceneSite } from '../../placement/scene/plant.ts';
import type { Cost } from '../messages.ts';
import type { Look } from './look.ts';
import type { StreamSum, Tally } from './tally.ts';

/** Of a year's months. */
const HOURS_PER_MONTH = 730;

/** By a percentile nobody pays for an hour: it is the hour's part of what the month would cost. */
export function uplinkMicroUsdPerHour(
  uplink: Uplink,
  account: UplinkAccount | undefined,
  usedMbps: number,
): number {
  if (uplink.kind === 'peering') return 0;
  const { billing } = uplink;
  return billing.kind === 'volume'
    ? usedMbps * GB_PER_MBPS_HOUR * billing.microUsdPerGb
    : (billedMbps(account, billing) * billing.microUsdPerMbpsMonth) / HOURS_PER_MONTH;
}

/** What each site pays for its uplinks, micro-dollars per hour. */
export function transitBySite({ plant }: Tally, { snapshot }: Look): ReadonlyMap<string, number> {
  return new Map(plant.sites.map((site) => [site.name, transitOf(site, snapshot.accounts)]));
}

function transitOf({ name, uplinks }: SceneSite, accounts: Look['snapshot']['accounts']): number {
  return uplinks.reduce(
    (sum, { uplink, load }) =>
      sum + uplinkMicroUsdPerHour(uplink, accounts[`${name}/${uplink.name}`], load.usedMbps),
    0,
  );
}

/** Transit of a month so far: what it would be billed if it ended now. */
export function monthMicroUsd(uplink: Uplink, account: UplinkAccount | undefined): number {
  return uplink.kind === 'transit' ? billMicroUsd(account, uplink.billing) : 0;
}

/** All that costs. */
export function totalCost(tally: Tally, look: Look): Cost {
  return {
    transitMicroUsd: whole(sumOf(transitBySite(tally, look).values())),
    linksMicroUsd: whole(sumOf([...tally.sites.values()].map(({ linksMicroUsd }) => linksMicroUsd))),
    cdnMicroUsd: whole(sumOf(look.cdnMicroUsdPerHour.values())),
  };
}

export function siteCost(tally: Tally, transit: ReadonlyMap<string, number>, site: string): Cost {
  const transitMicroUsd = whole(transit.get(site) ?? 0);
  const linksMicroUsd = whole(tally.sites.get(site)?.linksMicroUsd ?? 0);
  return { transitMicroUsd, linksMicroUsd, cdnMicroUsd: 0 };
}

/** A server's part of its site's uplinks is its part of what the site's viewers are sent. */
export function serverCost(
  tally: Tally,
  transit: ReadonlyMap<string, number>,
  id: string,
  site: string,
): Cost {
  const server = tally.servers.get(id);
  const part = shareOf(server?.servedMbps ?? 0, tally.sites.get(site)?.servedMbps ?? 0);
  return {
    transitMicroUsd: whole((transit.get(site) ?? 0) * part),
    linksMicroUsd: whole(server?.linksMicroUsd ?? 0),
    cdnMicroUsd: 0,
  };
}

/** Of a stream's viewers by CDNs those count whom this usher has steered there. */
export function streamCost(
  tally: Tally,
  transit: ReadonlyMap<string, number>,
  look: Look,
  stream: StreamRecord,
  sum: StreamSum | undefined,
): Cost {
  let transitMicroUsd = 0;
  for (const [site, mbps] of sum?.servedMbpsAt ?? [])
    transitMicroUsd += (transit.get(site) ?? 0) * shareOf(mbps, tally.sites.get(site)?.servedMbps ?? 0);
  return {
    transitMicroUsd: whole(transitMicroUsd),
    linksMicroUsd: whole(sum?.linksMicroUsd ?? 0),
    cdnMicroUsd: whole(cdnMicroUsdPerHour(look, stream)),
  };
}

function cdnMicroUsdPerHour({ cdnViewers, topology }: Look, { name, renditions }: StreamRecord): number {
  const counts = cdnViewers.get(name);
  if (!counts) return 0;
  const mbps = (renditions[0]?.averageBps ?? 0) / 1e6;
  return sumOf(
    topology.cdns.map((cdn) => (counts.get(cdn.name) ?? 0) * mbps * GB_PER_MBPS_HOUR * cdn.microUsdPerGb),
  );
}

function shareOf(part: number, all: number): number {
  return all > 0 ? part / all : 0;
}

function whole(amount: number): number {
  return Math.round(amount);
}

function sumOf(amounts: Iterable<number>): number {
  let total = 0;
  for (const amount of amounts) total += amount;
  return total;
}
