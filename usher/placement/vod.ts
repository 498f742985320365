// Placement of those who watch a recording: where its bytes are, then where they can be read, by the same prices as live viewers. Pure.

import { type CatalogueEntry, STORAGE } from '../../network/archive/catalogue.ts';
import { mayServe } from './cdn.ts';
import {
  cdnMicroUsd,
  hotMicroUsd,
  moveMicroUsd,
  NO_ROOM_MBPS,
  siteTerms,
  type Whither,
} from './price/cost.ts';
import { hashOf, meet } from './rendezvous.ts';
import type { CdnChoice, Choice, PlaceRequest, ServerChoice } from './request.ts';
import { type SceneServer, serverRoomMbps } from './scene/plant.ts';
import { type Scene, type SceneCdn, sceneServer, sceneSite } from './scene/scene.ts';
import type { Way } from './scene/uplinks.ts';
import { type Candidate, Shortlist } from './shortlist.ts';

/** One to play from, and two to go on at. */
const WAYS = 3;

/** The name under which viewers of a recording are promised room: no stream's name has a slash in it. */
export function watchedAs(recording: string): string {
  return `vod/${recording}`;
}

/**
 * Best first: servers with room for its highest rendition that hold its bytes, then those that can read them from others or from
 * storage. When none has room: those that may send viewers on to the store (`overflows`), or else a CDN, once it has ended. `entries` are of one recording.
 */
export function placeVod(
  scene: Scene,
  entries: readonly CatalogueEntry[],
  request: PlaceRequest,
  overflows = false,
): readonly Choice[] {
  const search = new Search(scene, entries, request);
  const servers = search.servers((at) => search.hasRoom(at));
  if (servers.length > 0) return servers;
  if (overflows && search.isStored) return search.servers(() => true);
  // What grows can not be cached: nobody can tell a cache how long a file will be.
  const hasEnded = entries.some(({ endedAtMs }) => endedAtMs !== null);
  const cdn = request.allowCdn && hasEnded ? search.cdn() : undefined;
  return cdn ? [cdn] : [];
}

interface Found extends Candidate {
  readonly way: Way;
}

class Search {
  readonly isStored: boolean;
  readonly #ask: Whither;
  readonly #mbps: number;
  readonly #recording: string;
  readonly #keepers: ReadonlySet<string>;
  /** Somebody is there whom any server can read it from. */
  readonly #isReadable: boolean;
  readonly #viewerHash: number;

  constructor(scene: Scene, entries: readonly CatalogueEntry[], request: PlaceRequest) {
    const position = request.whence.position ?? sceneSite(scene, request.site)?.position;
    const policy = scene.policies.of(request.stream, request.policy);
    // What other ushers have leased and do not use is asked for when somebody is to go there.
    this.#ask = { scene, request, policy, position, beyondLease: true };
    this.#recording = entries[0]?.id ?? '';
    const rates = entries.flatMap(({ renditions }) => renditions.map(({ averageBps }) => averageBps));
    this.#mbps = Math.max(0, ...rates) / 1_000_000;
    this.#keepers = new Set(entries.map(({ keeper }) => keeper));
    this.isStored = this.#keepers.has(STORAGE);
    const isThere = (id: string): boolean =>
      (sceneServer(scene, id)?.closed ?? '') !== 'dead' && sceneServer(scene, id) !== undefined;
    this.#isReadable = this.isStored || [...this.#keepers].some(isThere);
    this.#viewerHash = hashOf(request.viewer);
  }

  servers(isFit: (at: SceneServer) => boolean): ServerChoice[] {
    const open = this.#ask.scene.sites.flatMap((site) => site.open);
    const fit = open.filter((at) => !this.#isAvoided(at) && isFit(at));
    const own = this.#cheapest(fit.filter((at) => this.#keepers.has(at.server.id)));
    const others = this.#isReadable
      ? this.#cheapest(fit.filter((at) => !this.#keepers.has(at.server.id)))
      : [];
    return [...own, ...others].slice(0, WAYS).map((found) => this.#choiceOf(found));
  }

  /** Who watches there already has its place. */
  hasRoom(at: SceneServer): boolean {
    return this.#isThere(at) || serverRoomMbps(at, true) >= this.#mbps;
  }

  cdn(): CdnChoice | undefined {
    const { scene, request } = this.#ask;
    const offers = scene.cdns.filter((each) => !each.isSpent && mayServe(each, request.whence.country));
    const priceOf = (each: SceneCdn): number => cdnMicroUsd(this.#ask, each, this.#mbps);
    const [best] = offers.toSorted((one, other) => priceOf(one) - priceOf(other));
    if (!best) return undefined;
    const shields = this.#shields(best.cdn.shields);
    if (shields.length === 0) return undefined;
    return { kind: 'cdn', cdn: best.cdn, shields, mbps: this.#mbps, microUsdPerHour: priceOf(best) };
  }

  /** The same few for all viewers of a recording, so that the CDN fetches it once; those that have its bytes if there are any. */
  #shields(count: number): CdnChoice['shields'] {
    const open = this.#ask.scene.sites.flatMap((site) => site.open);
    const own = open.filter(({ server }) => this.#keepers.has(server.id));
    const fit = own.length > 0 ? own : this.#isReadable ? open : [];
    const hash = hashOf(this.#recording);
    const ranked = fit.toSorted((one, other) => meet(hash, other.hash) - meet(hash, one.hash));
    return ranked.slice(0, count).map(({ server }) => server);
  }

  /** Of different hosts where possible, the second of another site where that is no dearer. */
  #cheapest(servers: readonly SceneServer[]): Found[] {
    const shortlist = new Shortlist<Found>({ size: WAYS, awayMicroUsd: 0 });
    for (const at of servers) {
      const terms = siteTerms(this.#ask, at.site, this.#mbps, this.#isThere(at) ? NO_ROOM_MBPS : this.#mbps);
      if (!terms) continue;
      const microUsdPerHour = terms.sum + hotMicroUsd(this.#ask, at) + moveMicroUsd(this.#ask, at);
      shortlist.add({ at, way: terms.way, microUsdPerHour, rank: meet(this.#viewerHash, at.hash) });
    }
    return shortlist.list();
  }

  #choiceOf({ at, way, microUsdPerHour }: Found): ServerChoice {
    const uplink = way.uplink.uplink.name;
    const mbps = this.#mbps;
    return { kind: 'server', server: at.server, uplink, mbps, microUsdPerHour, stays: this.#isThere(at) };
  }

  #isThere({ server }: SceneServer): boolean {
    return this.#ask.request.now !== undefined && server.id === this.#ask.request.now;
  }

  #isAvoided({ server }: SceneServer): boolean {
    return this.#ask.request.avoid?.includes(server.id) ?? false;
  }
}
