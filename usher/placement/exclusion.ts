// Which hard limit keeps a viewer from a server. Pure.

import type { Ask } from './price/cost.ts';
import type { PlaceRequest } from './request.ts';
import { fits, type Load, roomMbps } from './scene/loads.ts';
import type { Closed, SceneServer, SceneSite } from './scene/plant.ts';
import { uplinksTo } from './scene/uplinks.ts';

export type Exclusion =
  | { readonly limit: Closed | 'avoided' }
  /** Nobody who has the stream has room for a child, or nothing joins the sites. */
  | { readonly limit: 'parent' }
  | Shortage;

export interface Shortage {
  /** `lease`: other ushers hold what is free. */
  readonly limit: 'server' | 'host' | 'uplink' | 'link' | 'lease';
  readonly resource: string;
  readonly roomMbps: number;
}

/** Undefined: there is room for a viewer of `mbps` who may be sent there. */
export function exclusionOf({ request }: Ask, at: SceneServer, mbps: number): Exclusion | undefined {
  const { server, closed, load, host, site } = at;
  if (closed) return { limit: closed };
  if (request.avoid?.includes(server.id)) return { limit: 'avoided' };
  if (server.id === request.now) return undefined;
  return (
    shortageOf('server', load, mbps) ??
    (host && shortageOf('host', host, mbps)) ??
    uplinkShortage(site, request, mbps)
  );
}

/** Why nobody passes a stream on to a server that does not have it: the link with the most room, where that is what lacks. */
export function feedExclusion(ask: Ask, site: SceneSite, parents: readonly SceneServer[]): Exclusion {
  const links = parents
    .map((parent) => ask.scene.links.between(parent.site, site))
    .filter((link) => link !== undefined);
  return leastShort(links.map(({ load }) => shortageOf('link', load, ask.copyMbps))) ?? { limit: 'parent' };
}

function shortageOf(limit: Shortage['limit'], load: Load, mbps: number): Shortage | undefined {
  if (fits(mbps, load)) return undefined;
  const unleased = roomMbps(load, true);
  const { resource } = load;
  return unleased < mbps
    ? { limit, resource, roomMbps: unleased }
    : { limit: 'lease', resource, roomMbps: roomMbps(load) };
}

/** Of the uplinks that go to this viewer's network: the one with the most room, when it is too little. */
function uplinkShortage(site: SceneSite, { whence }: PlaceRequest, mbps: number): Shortage | undefined {
  const shortages = uplinksTo(site.uplinks, whence.asn).map(({ load }) => shortageOf('uplink', load, mbps));
  if (shortages.length === 0) return { limit: 'uplink', resource: `uplink/${site.name}`, roomMbps: 0 };
  return shortages.includes(undefined) ? undefined : leastShort(shortages);
}

function leastShort(shortages: readonly (Shortage | undefined)[]): Shortage | undefined {
  return shortages.reduce(
    (most, each) => (each && (!most || each.roomMbps > most.roomMbps) ? each : most),
    undefined,
  );
}
