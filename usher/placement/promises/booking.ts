// What a choice takes of which resources, for promises to book. Pure.

import type { KnownServer } from '../../../network/state/state.ts';
import type { CdnChoice, Choice, ServerChoice } from '../request.ts';
import { fits, type Load, linkResource, uplinkResource } from '../scene/loads.ts';
import type { SceneServer } from '../scene/plant.ts';
import { type Scene, sceneServer } from '../scene/scene.ts';
import { copyMbps, findStream } from '../scene/streams.ts';
import { isPulled, pullWay } from '../shields.ts';
import type { Booking, Promises } from './promises.ts';
import type { Taking } from './taking.ts';

/** Of one choice: for a viewer itself, or for what a CDN is to pull so that it can serve the viewer. */
export function bookingsOf(scene: Scene, stream: string, choice: Choice): readonly Booking[] {
  if (choice.kind === 'cdn') return pullsOf(scene, stream, choice);
  const booking = bookingOf(scene, stream, choice);
  return booking ? [booking] : [];
}

/** Whom something is promised. */
export interface Party {
  readonly session: string;
  /** An address or a /64; undefined, or empty, where that has no bound. */
  readonly network?: string | undefined;
}

/** Books what a choice takes; what the session was promised before is let go. */
export function bookFor(
  promised: Promises,
  scene: Scene,
  stream: string,
  choice: Choice,
  { session, network }: Party,
): void {
  const { nowMs } = scene.snapshot;
  if (choice.kind === 'cdn') promised.release(session);
  for (const booking of bookingsOf(scene, stream, choice))
    if (choice.kind === 'cdn') promised.pull(booking, nowMs);
    else promised.book(session, booking, nowMs, network);
}

/** Undefined: nothing is to be booked, because the viewer is there already. */
export function bookingOf(scene: Scene, stream: string, choice: ServerChoice): Booking | undefined {
  const at = sceneServer(scene, choice.server.id);
  if (!at || choice.stays) return undefined;
  const uplink = uplinkResource(at.site.name, choice.uplink);
  const booking = {
    stream,
    server: at.server.id,
    mbps: choice.mbps,
    resources: limited(scene, [...resourcesOf(at), uplink]),
  };
  const copy = choice.copyFrom === undefined ? undefined : copyOf(scene, stream, choice.copyFrom, at);
  return copy ? { ...booking, copy } : booking;
}

/** Of the shields that no CDN pulls the stream from yet. */
function pullsOf(scene: Scene, stream: string, { shields, copyFrom }: CdnChoice): Booking[] {
  return shields.flatMap((shield) => pullOf(scene, stream, shield, copyFrom) ?? []);
}

/** Undefined too where there is no more room than what a server keeps for those who feed many: that is promised to nobody. */
function pullOf(
  scene: Scene,
  stream: string,
  shield: KnownServer,
  copyFrom: string | undefined,
): Booking | undefined {
  const at = sceneServer(scene, shield.id);
  const record = findStream(scene.snapshot, stream);
  if (!at || !record || isPulled(scene, stream, at)) return undefined;
  const mbps = copyMbps(record);
  const way = pullWay(at.site, mbps);
  if (!way || !fits(mbps, at.load) || (at.host && !fits(mbps, at.host))) return undefined;
  const uplink = uplinkResource(at.site.name, way.uplink.uplink.name);
  const booking = {
    stream,
    server: shield.id,
    mbps,
    resources: limited(scene, [...resourcesOf(at), uplink]),
  };
  const copy = copyFrom === undefined ? undefined : copyOf(scene, stream, copyFrom, at);
  return copy ? { ...booking, copy } : booking;
}

function resourcesOf({ load, host }: SceneServer): string[] {
  return [load, host].filter((each): each is Load => each !== undefined).map(({ resource }) => resource);
}

function copyOf(scene: Scene, stream: string, from: string, to: SceneServer): Taking | undefined {
  const parent = sceneServer(scene, from);
  const record = findStream(scene.snapshot, stream);
  if (!parent || !record) return undefined;
  const isFar = parent.site !== to.site;
  const link = isFar ? [linkResource(parent.site.name, to.site.name)] : [];
  return { mbps: copyMbps(record), resources: limited(scene, [...resourcesOf(parent), ...link]) };
}

/** Of what has no limit nothing can be used up. */
function limited({ loads }: Scene, resources: readonly string[]): string[] {
  return resources.filter((resource) => loads.has(resource));
}
