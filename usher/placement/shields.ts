// Shields: the servers that CDNs pull a stream from, and what servers keep back so that there is always one. Pure.

import type { StreamRecord } from '../../network/state/state.ts';
import { type Feed, feedsFor, parentsOf } from './feeds.ts';
import type { Ask } from './price/cost.ts';
import { hashOf, meet } from './rendezvous.ts';
import { ROUNDING_MBPS } from './scene/loads.ts';
import { type SceneServer, type SceneSite, serverRoomMbps } from './scene/plant.ts';
import { type Scene, sceneServer } from './scene/scene.ts';
import { copyMbps, findStream } from './scene/streams.ts';
import { type Way, wayOut } from './scene/uplinks.ts';

export interface Shield {
  readonly at: SceneServer;
  /** It does not have the stream, and gets it from there. */
  readonly feed?: Feed;
}

/** A server that has the stream. */
interface Holder extends Shield {
  readonly isPulled: boolean;
  readonly rank: number;
}

/**
 * As many as are asked for: those that a CDN pulls the stream from already, so that what it has cached stays of use, then others
 * that have it and room for a pull beside those of streams that have no shield yet, the same for all viewers. At least one: where
 * they have no more room than that, one of them; where they have none, a server that is about to have it, or one that can get it;
 * and else those that have it or are about to, because servers keep a little for whoever feeds many that is promised to nobody.
 */
export function shieldsOf(ask: Ask, count: number): readonly Shield[] {
  const holders = [...holdersOf(ask)];
  const good = firstOf(ask, holders, count, ({ at, isPulled }) => isPulled || canBePulled(ask, at, true));
  if (good.length > 0) return good;
  const isRoomy = ({ at }: Holder): boolean => canBePulled(ask, at, false);
  const last = firstOf(ask, holders, 1, isRoomy);
  if (last.length > 0) return last;
  const comers = [...comersOf(ask)];
  const soon = firstOf(ask, comers, 1, isRoomy);
  if (soon.length > 0) return soon;
  const made = newShield(ask);
  return made ? [made] : firstOf(ask, holders.length > 0 ? holders : comers, count, () => true);
}

/** The uplink that a CDN pulls over, which is in nobody's network. Undefined: it has no room. */
export function pullWay(site: SceneSite, mbps: number, beyondLease = false): Way | undefined {
  return wayOut(site.uplinks, { asn: undefined, mbps, neededMbps: mbps, beyondLease });
}

/** Whether a CDN pulls the stream from there, or is about to. */
export function isPulled(scene: Scene, stream: string, { server: { id } }: SceneServer): boolean {
  return scene.holders.stateOf(id, stream) === 'pulled' || scene.promised.isPulling(stream, id);
}

/** This part of its egress is the last that a server gives to viewers: it could not pass its streams on any more. */
const KEPT_SHARE = 0.05;

export function keptShareMbps({ load }: SceneServer): number {
  return load.limitMbps * KEPT_SHARE;
}

/** What a server keeps for streams that no CDN pulls yet: it would be the first shield of those that have room. */
export function keptForShieldsMbps(scene: Scene, at: SceneServer): number {
  return scene.keptMbps.getOrInsertComputed(at, () => {
    const names = new Set(at.server.holdings.map(({ stream }) => stream));
    let keptMbps = 0;
    for (const name of names) {
      const stream = findStream(scene.snapshot, name);
      if (!stream) continue;
      const mbps = copyMbps(stream);
      if (isFirstShield(scene, stream, at, mbps)) keptMbps += mbps;
    }
    return Math.min(keptMbps, keptShareMbps(at));
  });
}

function* holdersOf({ scene, stream }: Ask): Generator<SceneServer> {
  for (const { slot, state } of scene.holders.of(stream.name)) {
    const at = scene.servers[slot]!;
    if (state !== 'coming' && !at.closed) yield at;
  }
}

/** They follow it because the plan wants it, or as soon as the first who was sent there asks for it. */
function* comersOf({ scene, stream }: Ask): Generator<SceneServer> {
  for (const { slot, state } of scene.holders.of(stream.name)) {
    const at = scene.servers[slot]!;
    if (state === 'coming' && !at.closed) yield at;
  }
  for (const id of scene.promised.comingTo(stream.name)) {
    const at = sceneServer(scene, id);
    if (at && !at.closed && !scene.holders.has(id, stream.name)) yield at;
  }
}

function firstOf(
  { scene, stream, streamHash }: Ask,
  among: readonly SceneServer[],
  count: number,
  isGood: (each: Holder) => boolean,
): Holder[] {
  const first: Holder[] = [];
  for (const at of among) {
    const holding = { at, isPulled: isPulled(scene, stream.name, at), rank: meet(streamHash, at.hash) };
    const place = first.findIndex((other) => isBefore(holding, other));
    if ((place === -1 && first.length === count) || !isGood(holding)) continue;
    first.splice(place === -1 ? first.length : place, 0, holding);
    if (first.length > count) first.pop();
  }
  return first;
}

function isBefore(one: Holder, other: Holder): boolean {
  return one.isPulled === other.isPulled ? one.rank > other.rank : one.isPulled;
}

/** `keeps`: beside what it keeps for streams that have no shield yet. */
function canBePulled({ scene, copyMbps: mbps, beyondLease }: Ask, at: SceneServer, keeps: boolean): boolean {
  const restMbps = serverRoomMbps(at, beyondLease) - mbps + ROUNDING_MBPS;
  if (restMbps < 0 || pullWay(at.site, mbps, beyondLease) === undefined) return false;
  return !keeps || restMbps >= keptShareMbps(at) || restMbps >= keptForShieldsMbps(scene, at);
}

/** The roomiest of the site where the stream comes cheapest. */
function newShield(ask: Ask): Shield | undefined {
  const { scene, stream } = ask;
  const parents = parentsOf(ask);
  let best: { readonly at: SceneServer; readonly feed: Feed } | undefined;
  for (const site of scene.sites) {
    const [feed] = feedsFor(ask, site, parents);
    if (!feed || (best && best.feed.microUsdPerHour <= feed.microUsdPerHour)) continue;
    const isNew = ({ server: { id } }: SceneServer): boolean =>
      !scene.holders.has(id, stream.name) && !scene.promised.isComing(stream.name, id);
    const at = site.open.find((each) => isNew(each) && canBePulled(ask, each, true));
    if (at) best = { at, feed };
  }
  return best;
}

/** The origin goes before all others: the planner leaves it room for this. */
function isFirstShield(
  scene: Scene,
  { name, origin }: StreamRecord,
  first: SceneServer,
  mbps: number,
): boolean {
  const streamHash = hashOf(name);
  const rankOf = ({ server, hash }: SceneServer): number =>
    server.id === origin ? Number.POSITIVE_INFINITY : meet(streamHash, hash);
  const rank = rankOf(first);
  return scene.holders.of(name).every(({ slot, state }) => {
    const at = scene.servers[slot]!;
    if (state === 'coming' || at.closed) return true;
    if (isPulled(scene, name, at)) return false;
    return rankOf(at) <= rank || serverRoomMbps(at) < mbps;
  });
}
