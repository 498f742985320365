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

/**
 * A peering port with the viewer's network that has room, the first listed first; else the transit with room that is cheapest
 * now; undefined when all are full.
 */
export function wayOut(
  uplinks: readonly SceneUplink[],
  asn: number | undefined,
  mbps: number,
): Way | undefined {
  const peering = uplinks.find((each) => isPeeringWith(each.uplink, asn) && fits(mbps, each.load));
  if (peering) return { uplink: peering, microUsdPerHour: 0 };
  let best: Way | undefined;
  for (const uplink of uplinks) {
    if (uplink.uplink.kind !== 'transit' || !fits(mbps, uplink.load)) continue;
    const { usedMbps, booked } = uplink.load;
    const price = microUsdPerHour(uplink.tariff, usedMbps + booked.mbps, mbps);
    if (!best || price < best.microUsdPerHour) best = { uplink, microUsdPerHour: price };
  }
  return best;
}

export function isOpenTo({ uplink }: SceneUplink, asn: number | undefined): boolean {
  return uplink.kind === 'transit' || isPeeringWith(uplink, asn);
}

function isPeeringWith(uplink: Uplink, asn: number | undefined): boolean {
  return uplink.kind === 'peering' && asn !== undefined && uplink.asns.includes(asn);
}
