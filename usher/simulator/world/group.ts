// Viewers of one place in one network: all that the world and a policy can know of where they are.

import { estimatedRttMs } from '../../../network/map/position.ts';
import type { Whence } from '../../../network/map/whence.ts';
import type { Audience, Scenario } from '../scenario.ts';
import { kmTo, type PlantSite, type PlantUplink, routeTo } from './plant.ts';

export interface Group {
  readonly index: number;
  readonly audience: Audience;
  /** One object for all of them. */
  readonly whence: Whence;
  readonly share: number;
  /** By the index of the site. */
  readonly roads: readonly Road[];
  /** Its indices, nearest first. */
  readonly nearest: readonly number[];
}

/** From a site to the viewers. */
export interface Road {
  readonly site: PlantSite;
  readonly uplink: PlantUplink;
  readonly km: number;
  readonly rttMs: number;
}

export function groupsOf({ audiences }: Scenario, sites: readonly PlantSite[]): Group[] {
  const pairs = audiences.flatMap((audience) => audience.networks.map((network) => ({ audience, network })));
  return pairs.map(({ audience, network }, index) => {
    const { country, position } = audience;
    const roads = sites.map((site) => ({
      site,
      uplink: routeTo(site, network.asn),
      km: kmTo(site, audience),
      rttMs: estimatedRttMs(site.site.position, position),
    }));
    const nearest = roads.toSorted((one, other) => one.km - other.km).map((road) => road.site.index);
    const whence = { country, position, asn: network.asn };
    return { index, audience, whence, share: audience.share * network.share, roads, nearest };
  });
}
