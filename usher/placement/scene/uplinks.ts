// Uplinks of a site as placement sees them: how full, at what price, and which of them carries a viewer. Pure.

import type { Uplink } from '../../../network/map/topology.ts';
import { microUsdPerHour, type Tariff } from '../price/billing.ts';
import { fits, type Load } from './loads.ts';

export interface SceneUplink {
  readonly uplink: Uplink;
  readonly load: Load;
  readonly tariff: Tariff;
}

/** An uplink that can carry a viewer, and what that costs. */
export interface Way {
  readonly uplink: SceneUplink;
  readonly microUsdPerHour: number;
}

export interface Wayfarer {
  readonly asn: number | undefined;
  readonly mbps: number;
  /** What an uplink must have room for: less than that for one who is on it already. */
  readonly neededMbps: number;
  readonly beyondLease: boolean;
}

/**
 * A peering port with the viewer's network that has room, the first listed first. The routers send a network everything over its
 * ports, also when these are full: only where it has none, the transit with room that is cheapest now. Undefined when all are full.
 */
export function wayOut(uplinks: readonly SceneUplink[], wayfarer: Wayfarer): Way | undefined {
  const { asn, mbps, neededMbps, beyondLease } = wayfarer;
  const isPeer = hasPort(uplinks, asn);
  let best: Way | undefined;
  for (const uplink of uplinks) {
    if (!carries(uplink.uplink, asn, isPeer) || !fits(neededMbps, uplink.load, beyondLease)) continue;
    const { usedMbps, booked } = uplink.load;
    const price = isPeer ? 0 : microUsdPerHour(uplink.tariff, usedMbps + booked.mbps, mbps);
    if (!best || price < best.microUsdPerHour) best = { uplink, microUsdPerHour: price };
  }
  return best;
}

/** Those that carry what is sent to a network, full or not. */
export function uplinksTo(uplinks: readonly SceneUplink[], asn: number | undefined): readonly SceneUplink[] {
  const isPeer = hasPort(uplinks, asn);
  return uplinks.filter(({ uplink }) => carries(uplink, asn, isPeer));
}

function hasPort(uplinks: readonly SceneUplink[], asn: number | undefined): boolean {
  return uplinks.some(({ uplink }) => isPeeringWith(uplink, asn));
}

function carries(uplink: Uplink, asn: number | undefined, isPeer: boolean): boolean {
  return isPeer ? isPeeringWith(uplink, asn) : uplink.kind === 'transit';
}

function isPeeringWith(uplink: Uplink, asn: number | undefined): boolean {
  return uplink.kind === 'peering' && asn !== undefined && uplink.asns.includes(asn);
}
