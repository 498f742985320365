// From whom a server that does not have a stream would get it: the cheapest parent that has room for one more child. Pure.

import { type Ask, linkMicroUsd } from './price/cost.ts';
import type { SceneLink } from './scene/links.ts';
import { fits, ROUNDING_MBPS } from './scene/loads.ts';
import { type SceneServer, type SceneSite, serverRoomMbps } from './scene/plant.ts';

export interface Feed {
  readonly parent: SceneServer;
  /** What it comes over; undefined within a site. */
  readonly link: SceneLink | undefined;
  /** What the link costs in an hour. */
  readonly microUsdPerHour: number;
}

/** Who could feed other servers, the one with the most room of each site. */
export function parentsOf({ scene, stream, newOrigin, copyMbps }: Ask): readonly SceneServer[] {
  const best: (SceneServer | undefined)[] = [];
  const consider = (at: SceneServer): void => {
    if (!mayFeed(at, stream.origin) || serverRoomMbps(at) < copyMbps - ROUNDING_MBPS) return;
    const known = best[at.site.index];
    if (!known || isRoomier(at, known)) best[at.site.index] = at;
  };
  if (newOrigin) consider(newOrigin);
  for (const { slot, state } of scene.holders.of(stream.name))
    if (state !== 'coming') consider(scene.servers[slot]!);
  return best.filter((at) => at !== undefined);
}

/** Undefined: nobody has room, or no link does. */
export function feedFor(ask: Ask, site: SceneSite, parents: readonly SceneServer[]): Feed | undefined {
  let best: Feed | undefined;
  for (const parent of parents) {
    if (parent.site === site) return { parent, link: undefined, microUsdPerHour: 0 };
    const link = ask.scene.links.between(parent.site, site);
    if (!link || !fits(ask.copyMbps, link.load)) continue;
    const microUsdPerHour = linkMicroUsd(ask, link);
    const isBetter =
      !best ||
      microUsdPerHour < best.microUsdPerHour ||
      (microUsdPerHour === best.microUsdPerHour && isRoomier(parent, best.parent));
    if (isBetter) best = { parent, link, microUsdPerHour };
  }
  return best;
}

/** A server that is being emptied takes no children, unless all of the tree hangs below it. */
function mayFeed({ server, closed }: SceneServer, origin: string): boolean {
  return closed !== 'dead' && (closed !== 'drain' || server.id === origin);
}

function isRoomier(one: SceneServer, other: SceneServer): boolean {
  const more = serverRoomMbps(one) - serverRoomMbps(other);
  return more === 0 ? one.server.id < other.server.id : more > 0;
}
