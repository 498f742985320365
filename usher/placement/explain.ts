// Explanations: every server that there is for a viewer, what it would cost by which term, or which hard limit excludes it. Pure.

import { mayServe } from './cdn.ts';
import { type Exclusion, exclusionOf, feedExclusion } from './exclusion.ts';
import { type Feed, feedsFor, feedTo, parentsOf } from './feeds.ts';
import { place } from './place.ts';
import {
  type Ask,
  askOf,
  cdnMicroUsd,
  copyMicroUsd,
  hotMicroUsd,
  moveMicroUsd,
  NO_ROOM_MBPS,
  type SiteTerms,
  siteTerms,
  waitMicroUsd,
} from './price/cost.ts';
import type { Decision, PlaceRequest } from './request.ts';
import type { HolderState } from './scene/holders.ts';
import { type SceneServer, serverRoomMbps } from './scene/plant.ts';
import { type Scene, type SceneCdn, sceneServer } from './scene/scene.ts';
import { findStream, rungsMbps } from './scene/streams.ts';
import { keptMbps } from './search.ts';

export interface Explanation {
  readonly request: PlaceRequest;
  readonly policy: string;
  /** What room was looked for: the bitrate of the highest rendition. */
  readonly mbps: number;
  /** The cheapest first, then those that are excluded. */
  readonly servers: readonly ExplainedServer[];
  readonly cdns: readonly ExplainedCdn[];
  readonly decision: Decision;
}

export interface ExplainedServer {
  readonly id: string;
  readonly site: string;
  readonly host: string;
  /** Whether it has the stream. */
  readonly state: HolderState | 'none';
  readonly uplink?: string;
  /** From whom it would get the stream. */
  readonly copyFrom?: string;
  /** Not there where no uplink has room, or nobody could pass the stream on to it. */
  readonly terms?: Terms;
  /** Sum of the terms. */
  readonly microUsdPerHour?: number;
  /** The first hard limit that it is at. */
  readonly excluded?: Exclusion;
  /** It has no more room than what it keeps back for copies: all others come first. */
  readonly keepsBack?: true;
}

/** Micro-dollars per viewer-hour. */
export interface Terms {
  readonly transit: number;
  readonly latency: number;
  readonly stall: number;
  readonly elsewhere: number;
  readonly hot: number;
  readonly wait: number;
  readonly copy: number;
  readonly link: number;
  readonly move: number;
}

export interface ExplainedCdn {
  readonly name: string;
  readonly microUsdPerHour: number;
  readonly excluded?: 'not_allowed' | 'country' | 'spent';
}

/** Undefined: the stream is unknown. */
export function explain(scene: Scene, request: PlaceRequest): Explanation | undefined {
  const stream = findStream(scene.snapshot, request.stream);
  if (!stream) return undefined;
  const ask = askOf(scene, request, stream);
  const [mbps = 0] = rungsMbps(stream);
  const parents = parentsOf(ask);
  const all = scene.snapshot.servers.map(({ id }) => sceneServer(scene, id)!);
  return {
    request,
    policy: ask.policy.name,
    mbps,
    servers: all.map((at) => explainServer(ask, at, mbps, parents)).sort(inOrder),
    cdns: scene.cdns.map((each) => explainCdn(ask, each, mbps)),
    decision: place(scene, request),
  };
}

function explainServer(
  ask: Ask,
  at: SceneServer,
  mbps: number,
  parents: readonly SceneServer[],
): ExplainedServer {
  const { server, site } = at;
  const state = stateOf(ask, at);
  const isThere = server.id === ask.request.now;
  const found = siteTerms(ask, site, mbps, isThere ? NO_ROOM_MBPS : mbps);
  const feed = state === 'none' ? feedTo(ask, at, mbps, feedsFor(ask, site, parents)) : undefined;
  const excluded =
    exclusionOf(ask, at, mbps) ?? (state === 'none' && !feed ? feedExclusion(ask, site, parents) : undefined);
  const terms = found && (feed || state !== 'none') ? termsOf(ask, at, state, found, feed) : undefined;
  return {
    id: server.id,
    site: server.site,
    host: server.host,
    state,
    ...(found ? { uplink: found.way.uplink.uplink.name } : {}),
    ...(feed ? { copyFrom: feed.parent.server.id } : {}),
    ...(terms ? { terms, microUsdPerHour: Object.values(terms).reduce((sum, term) => sum + term, 0) } : {}),
    ...(excluded ? { excluded } : isThere || hasMore(ask, at, mbps) ? {} : { keepsBack: true }),
  };
}

function hasMore(ask: Ask, at: SceneServer, mbps: number): boolean {
  return serverRoomMbps(at) >= mbps + keptMbps(ask, at);
}

function stateOf({ scene, stream, newOrigin }: Ask, at: SceneServer): HolderState | 'none' {
  const slot = scene.holders.slotOf(at.server.id);
  const holder = scene.holders.of(stream.name).find((each) => each.slot === slot);
  if (holder) return holder.state;
  return at === newOrigin || scene.promised.isComing(stream.name, at.server.id) ? 'coming' : 'none';
}

function termsOf(
  ask: Ask,
  at: SceneServer,
  state: HolderState | 'none',
  { transit, latency, stall, elsewhere }: SiteTerms,
  feed: Feed | undefined,
): Terms {
  return {
    transit,
    latency,
    stall,
    elsewhere,
    hot: hotMicroUsd(ask, at),
    wait: waitMicroUsd(ask, at, state),
    copy: copyMicroUsd(ask, at, state),
    link: feed?.microUsdPerHour ?? 0,
    move: moveMicroUsd(ask, at),
  };
}

function explainCdn(ask: Ask, each: SceneCdn, mbps: number): ExplainedCdn {
  const excluded = cdnExclusion(ask, each);
  return {
    name: each.cdn.name,
    microUsdPerHour: cdnMicroUsd(ask, each, mbps),
    ...(excluded ? { excluded } : {}),
  };
}

function cdnExclusion({ request }: Ask, each: SceneCdn): ExplainedCdn['excluded'] {
  if (!request.allowCdn) return 'not_allowed';
  if (!mayServe(each, request.whence.country)) return 'country';
  return each.isSpent ? 'spent' : undefined;
}

function inOrder(one: ExplainedServer, other: ExplainedServer): number {
  const isExcluded = Number(one.excluded !== undefined) - Number(other.excluded !== undefined);
  const price = (one.microUsdPerHour ?? Number.MAX_VALUE) - (other.microUsdPerHour ?? Number.MAX_VALUE);
  return isExcluded || price || (one.id < other.id ? -1 : 1);
}
