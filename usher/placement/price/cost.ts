// What it costs to serve a viewer somewhere, term by term, in micro-dollars per viewer-hour. Pure.

import { estimatedRttMs, type Position } from '../../../network/map/position.ts';
import type { StreamRecord } from '../../../network/state/state.ts';
import { hashOf } from '../rendezvous.ts';
import type { PlaceRequest } from '../request.ts';
import type { HolderState } from '../scene/holders.ts';
import type { SceneLink } from '../scene/links.ts';
import { fillOf } from '../scene/loads.ts';
import type { SceneServer, SceneSite } from '../scene/plant.ts';
import { type Scene, type SceneCdn, sceneServer, sceneSite } from '../scene/scene.ts';
import { copyMbps } from '../scene/streams.ts';
import { type Way, wayOut } from '../scene/uplinks.ts';
import { GB_PER_MBPS_HOUR } from './billing.ts';
import type { Policy } from './policy.ts';

/** A request with what is looked up for it once. */
export interface Ask {
  readonly scene: Scene;
  readonly request: PlaceRequest;
  readonly stream: StreamRecord;
  readonly policy: Policy;
  /** Where the viewer is, or else where its request came in: that is nearer to it than anything else known. */
  readonly position: Position | undefined;
  readonly viewerHash: number;
  readonly streamHash: number;
  /** The origin, while the snapshot does not show yet that it has its stream. */
  readonly newOrigin: SceneServer | undefined;
  /** What a copy of the stream takes of its parent. */
  readonly copyMbps: number;
  /** Whether to reckon with what other ushers have leased as if it were free. */
  readonly beyondLease: boolean;
}

/** As much of it as the prices of a site are made of, whatever is watched there. */
export type Whither = Pick<Ask, 'scene' | 'request' | 'policy' | 'position' | 'beyondLease'>;

export function askOf(scene: Scene, request: PlaceRequest, stream: StreamRecord): Ask {
  return {
    scene,
    request,
    stream,
    policy: scene.policies.of(request.stream, request.policy),
    position: request.whence.position ?? sceneSite(scene, request.site)?.position,
    viewerHash: hashOf(request.viewer),
    streamHash: hashOf(request.stream),
    newOrigin: scene.holders.has(stream.origin, stream.name) ? undefined : sceneServer(scene, stream.origin),
    copyMbps: copyMbps(stream),
    beyondLease: false,
  };
}

/** What all servers of a site cost this viewer alike. */
export interface SiteTerms {
  readonly way: Way;
  readonly transit: number;
  readonly latency: number;
  readonly stall: number;
  readonly elsewhere: number;
  readonly sum: number;
}

/** What room an uplink needs for one who is on it already, or for one who is only thought of. */
export const NO_ROOM_MBPS = Number.NEGATIVE_INFINITY;

/** Undefined: no uplink to the viewer has room for `neededMbps`. */
export function siteTerms(
  ask: Whither,
  site: SceneSite,
  mbps: number,
  neededMbps = mbps,
): SiteTerms | undefined {
  const { policy, request, scene, position, beyondLease } = ask;
  const { asn } = request.whence;
  const way = wayOut(site.uplinks, { asn, mbps, neededMbps, beyondLease });
  if (!way) return undefined;
  const measured = scene.quality.of(site.name, asn, scene.snapshot.nowMs);
  const rttMs = measured?.rttMs ?? estimatedRttMs(position, site.position);
  const transit = way.microUsdPerHour;
  const latency = rttMs * policy.msHourMicroUsd;
  const stall = (measured?.stallRatio ?? 0) * policy.stallHourMicroUsd;
  const elsewhere = request.site === undefined || request.site === site.name ? 0 : policy.elsewhereMicroUsd;
  return { way, transit, latency, stall, elsewhere, sum: transit + latency + stall + elsewhere };
}

/** What a server costs beyond what all of its site do. `feed` is where it would get a stream that it does not have. */
export function serverMicroUsd(
  ask: Ask,
  at: SceneServer,
  state: HolderState | 'none',
  feed: { readonly microUsdPerHour: number } | undefined,
): number {
  return (
    hotMicroUsd(ask, at) +
    waitMicroUsd(ask, at, state) +
    copyMicroUsd(ask, at, state) +
    moveMicroUsd(ask, at) +
    (feed?.microUsdPerHour ?? 0)
  );
}

/** Load is known in so many steps: servers that differ by less share viewers. */
const FILL_STEPS = 32;

/** Convex: half full is a sixteenth of the risk. */
export function hotMicroUsd(
  { policy }: Pick<Ask, 'policy'>,
  { load, host }: Pick<SceneServer, 'load' | 'host'>,
): number {
  const fill = host ? Math.max(fillOf(load), fillOf(host)) : fillOf(load);
  return policy.hotHourMicroUsd * (Math.floor(fill * FILL_STEPS) / FILL_STEPS) ** 4;
}

/** Until one was measured. */
export const USUAL_COPY_MS = 1_000;

/** While a server does not have the stream, the first picture waits for it. */
export function waitMicroUsd({ policy }: Ask, { server }: SceneServer, state: HolderState | 'none'): number {
  if (state !== 'coming' && state !== 'none') return 0;
  return ((server.copyMs || USUAL_COPY_MS) / 1000) * policy.waitMicroUsdPerS;
}

/** Streams are packed: one more server that has it costs, and so does one that was about to let it go. */
export function copyMicroUsd(
  { policy, stream }: Ask,
  { server }: SceneServer,
  state: HolderState | 'none',
): number {
  const isOneMore = state === 'none' || (state === 'leaving' && server.id !== stream.origin);
  return isOneMore ? policy.copyMicroUsd : 0;
}

export function linkMicroUsd(ask: Ask, link: SceneLink | undefined): number {
  return link ? ask.copyMbps * GB_PER_MBPS_HOUR * link.link.microUsdPerGb : 0;
}

/** To nobody who watches there already. */
export function moveMicroUsd(
  { policy, request }: Pick<Ask, 'policy' | 'request'>,
  { server }: SceneServer,
): number {
  return request.now === undefined || request.now === server.id ? 0 : policy.moveMicroUsd;
}

/** A CDN has a cache near everybody. */
const CDN_RTT_MS = 20;

export function cdnMicroUsd({ policy }: Pick<Ask, 'policy'>, { cdn }: SceneCdn, mbps: number): number {
  return mbps * GB_PER_MBPS_HOUR * cdn.microUsdPerGb + CDN_RTT_MS * policy.msHourMicroUsd;
}
