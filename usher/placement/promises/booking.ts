// What a choice takes of which resources, for promises to book. Pure.

import type { ServerChoice } from '../request.ts';
import { type Load, linkResource, uplinkResource } from '../scene/loads.ts';
import type { SceneServer } from '../scene/plant.ts';
import { type Scene, sceneServer } from '../scene/scene.ts';
import { copyMbps, findStream } from '../scene/streams.ts';
import type { Booking, Taking } from './promises.ts';

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
