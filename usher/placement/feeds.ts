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

/** Who could feed other servers: of each site the one with the most room, and the next that stands on another host. */
export function parentsOf({ scene, stream, newOrigin, copyMbps, beyondLease }: Ask): readonly SceneServer[] {
  const sites: Pair[] = [];
  const consider = (at: SceneServer): void => {
    if (!mayFeed(at, stream.origin) || serverRoomMbps(at, beyondLease) < copyMbps - ROUNDING_MBPS) return;
    sites[at.site.index] = withParent(sites[at.site.index], at);
  };
  if (newOrigin) consider(newOrigin);
  for (const { slot, state } of scene.holders.of(stream.name)) {
    const at = scene.servers[slot]!;
    if (state !== 'coming' || at.server.id === stream.origin) consider(at);
  }
  return sites.flat();
}

/** The cheapest first. None: nobody has room, or no link has. */
export function feedsFor(ask: Ask, site: SceneSite, parents: readonly SceneServer[]): Feed[] {
  const feeds: Feed[] = [];
  for (const parent of parents) {
    const link = parent.site === site ? undefined : ask.scene.links.between(parent.site, site);
    if (parent.site !== site && !(link && fits(ask.copyMbps, link.load, ask.beyondLease))) continue;
    feeds.push({ parent, link, microUsdPerHour: linkMicroUsd(ask, link) });
  }
  return feeds.length > 1 ? feeds.sort(inOrder) : feeds;
}

/** The card of a host on which both parent and child stand sends the copy and the viewer. */
export function feedTo(
  { copyMbps, beyondLease }: Ask,
  at: SceneServer,
  mbps: number,
  feeds: readonly Feed[],
): Feed | undefined {
  return feeds.find(
    ({ parent }) =>
      parent.host === undefined || parent.host !== at.host || fits(copyMbps + mbps, parent.host, beyondLease),
  );
}

type Pair = readonly [SceneServer] | readonly [best: SceneServer, other: SceneServer];

function withParent(pair: Pair | undefined, at: SceneServer): Pair {
  if (!pair) return [at];
  const [best, other] = pair;
  if (isRoomier(at, best)) return isOneHost(at, best) ? (other ? [at, other] : [at]) : [at, best];
  return isOneHost(at, best) || (other && !isRoomier(at, other)) ? pair : [best, at];
}

function isOneHost(one: SceneServer, other: SceneServer): boolean {
  return one.server.host === other.server.host;
}

/** Within a site before other sites, where a link may cost nothing too. */
function inOrder(one: Feed, other: Feed): number {
  return (
    one.microUsdPerHour - other.microUsdPerHour ||
    Number(one.link !== undefined) - Number(other.link !== undefined) ||
    (isRoomier(one.parent, other.parent) ? -1 : 1)
  );
}

/** A server that is being emptied takes no children, unless all of the tree hangs below it. */
function mayFeed({ server, closed }: SceneServer, origin: string): boolean {
  return closed !== 'dead' && (closed !== 'drain' || server.id === origin);
}

function isRoomier(one: SceneServer, other: SceneServer): boolean {
  const more = serverRoomMbps(one) - serverRoomMbps(other);
  return more === 0 ? one.server.id < other.server.id : more > 0;
}
