// The search for servers with room for a viewer: those that have the stream, and those that could follow it. Pure.

import { type Feed, feedsFor, feedTo, parentsOf } from './feeds.ts';
import { type Ask, NO_ROOM_MBPS, type SiteTerms, serverMicroUsd, siteTerms } from './price/cost.ts';
import { meet } from './rendezvous.ts';
import type { PlaceRequest, ServerChoice } from './request.ts';
import type { HolderState } from './scene/holders.ts';
import { ROUNDING_MBPS } from './scene/loads.ts';
import { type SceneServer, type SceneSite, serverRoomMbps } from './scene/plant.ts';
import { sceneServer } from './scene/scene.ts';
import type { Way } from './scene/uplinks.ts';
import { keptForShieldsMbps, keptShareMbps } from './shields.ts';
import { type Candidate, Shortlist } from './shortlist.ts';

/** What servers keep back: for copies of their streams and what CDNs pull, for what CDNs have yet to pull alone, or nothing. */
export type Keeps = 'copies' | 'pulls' | 'nothing';

/** What is searched for: room for a viewer of `mbps` beside what servers keep back. */
export interface Size {
  readonly mbps: number;
  readonly keeps: Keeps;
}

export function keptMbps({ copyMbps }: Ask, at: SceneServer): number {
  return Math.max(copyMbps, keptShareMbps(at));
}

function keptBackMbps(ask: Ask, at: SceneServer, keeps: Keeps): number {
  if (keeps === 'nothing') return 0;
  return keeps === 'copies' ? keptMbps(ask, at) : keptForShieldsMbps(ask.scene, at);
}

/** Servers of a site that are looked at for a new copy: those with the most room. */
const LOOK = 4;
/** A server of another site is a second choice as long as it is no worse than a new copy so much further away. */
const AWAY_MS = 200;

interface Found extends Candidate {
  readonly way: Way;
  readonly feed: Feed | undefined;
}

/** The cheapest servers, at most `count`: the second of another site where that is sane, all of different hosts where possible. */
export function searchServers(ask: Ask, size: Size, count: number): ServerChoice[] {
  const search = new Search(ask, size, count);
  search.holders();
  search.copies();
  return search.shortlist.list().map((found) => choiceOf(ask, size, found));
}

function choiceOf({ request }: Ask, { mbps }: Size, { at, way, feed, microUsdPerHour }: Found): ServerChoice {
  return {
    kind: 'server',
    server: at.server,
    uplink: way.uplink.uplink.name,
    mbps,
    microUsdPerHour,
    stays: at.server.id === request.now,
    ...(feed ? { copyFrom: feed.parent.server.id } : {}),
  };
}

class Search {
  readonly shortlist: Shortlist<Found>;
  readonly #ask: Ask;
  readonly #size: Size;
  /** By number of the site; null where no uplink has room. */
  readonly #terms: (SiteTerms | null)[] = [];

  constructor(ask: Ask, size: Size, count: number) {
    this.#ask = ask;
    this.#size = size;
    this.shortlist = new Shortlist({ size: count, awayMicroUsd: awayMicroUsd(ask) });
  }

  holders(): void {
    const { scene, stream, newOrigin } = this.#ask;
    if (newOrigin) this.#holder(newOrigin, 'coming');
    for (const { slot, state } of scene.holders.of(stream.name)) this.#holder(scene.servers[slot]!, state);
    for (const id of scene.promised.comingTo(stream.name)) {
      const at = sceneServer(scene, id);
      if (at && !scene.holders.has(id, stream.name)) this.#holder(at, 'coming');
    }
  }

  /**
   * Servers that would have to follow the stream: where they are cheaper than all that have it, or where those are too few or all
   * of one site.
   */
  copies(): void {
    const { scene, policy } = this.#ask;
    const { hasAway } = this.shortlist;
    let parents: readonly SceneServer[] | undefined;
    for (const site of scene.sites) {
      const terms = site.open.length > 0 ? this.#termsAt(site) : null;
      if (!terms || terms.sum + policy.copyMicroUsd > this.#copyLimit(site, !hasAway)) continue;
      parents ??= parentsOf(this.#ask);
      const feeds = feedsFor(this.#ask, site, parents);
      if (feeds.length > 0) this.#copiesAt(site, terms, feeds);
    }
  }

  #holder(at: SceneServer, state: HolderState): void {
    const { request, viewerHash } = this.#ask;
    const isThere = request.now !== undefined && at.server.id === request.now;
    const terms = this.#termsAt(at.site) ?? (isThere ? this.#termsThere(at.site) : undefined);
    // Of a stream that is on hundreds of servers, most stand at sites that are too dear whatever they are like.
    if (!terms || terms.sum > this.shortlist.limit()) return;
    if (at.closed || isAvoided(request, at) || !(isThere || this.#hasRoom(at))) return;
    this.#add(at, state, terms, undefined, viewerHash);
  }

  #copiesAt(site: SceneSite, terms: SiteTerms, feeds: readonly Feed[]): void {
    const { scene, stream, request, streamHash, newOrigin } = this.#ask;
    let looked = 0;
    for (const at of site.open) {
      const { id } = at.server;
      if (at === newOrigin || scene.holders.has(id, stream.name) || scene.promised.isComing(stream.name, id))
        continue;
      if (isAvoided(request, at) || !this.#hasRoom(at)) continue;
      const feed = feedTo(this.#ask, at, this.#size.mbps, feeds);
      if (!feed) continue;
      // By the stream, not the viewer: those who ask together are sent to one new copy.
      this.#add(at, 'none', terms, feed, streamHash);
      looked += 1;
      if (looked === LOOK) return;
    }
  }

  #add(
    at: SceneServer,
    state: HolderState | 'none',
    terms: SiteTerms,
    feed: Feed | undefined,
    hash: number,
  ): void {
    const microUsdPerHour = terms.sum + serverMicroUsd(this.#ask, at, state, feed);
    if (microUsdPerHour > this.shortlist.limit()) return;
    this.shortlist.add({ at, way: terms.way, feed, microUsdPerHour, rank: meet(hash, at.hash) });
  }

  /** A new copy is made to be the best choice; as a further one only while there are too few, or none of another site. */
  #copyLimit(site: SceneSite, lacksAway: boolean): number {
    const { isFull } = this.shortlist;
    return isFull ? this.shortlist.headLimit(site, lacksAway) : Number.POSITIVE_INFINITY;
  }

  #hasRoom(at: SceneServer): boolean {
    const { mbps, keeps } = this.#size;
    return (
      serverRoomMbps(at, this.#ask.beyondLease) >= mbps + keptBackMbps(this.#ask, at, keeps) - ROUNDING_MBPS
    );
  }

  #termsThere(site: SceneSite): SiteTerms | undefined {
    return siteTerms(this.#ask, site, this.#size.mbps, NO_ROOM_MBPS);
  }

  #termsAt(site: SceneSite): SiteTerms | null {
    const known = this.#terms[site.index];
    if (known !== undefined) return known;
    const terms = siteTerms(this.#ask, site, this.#size.mbps) ?? null;
    this.#terms[site.index] = terms;
    return terms;
  }
}

/** One who is sent away goes where somebody near has the stream; what it goes on to if a site is lost it is told there. */
function awayMicroUsd({ scene, request, policy }: Ask): number {
  const isSentAway = request.now !== undefined && sceneServer(scene, request.now)?.closed !== undefined;
  return isSentAway ? 0 : AWAY_MS * policy.msHourMicroUsd + policy.copyMicroUsd;
}

function isAvoided({ avoid }: PlaceRequest, { server }: SceneServer): boolean {
  return avoid?.includes(server.id) ?? false;
}
