// Whether a viewer is to go on elsewhere, why, and how many may do so at a time. Pure.

import type { Choice, PlaceRequest } from '../placement/request.ts';
import { fillOf } from '../placement/scene/loads.ts';
import { type SceneServer, serverRoomMbps } from '../placement/scene/plant.ts';
import { type Scene, sceneServer } from '../placement/scene/scene.ts';
import { findStream, rungsMbps } from '../placement/scene/streams.ts';
import type { Destination } from './pathway-ids.ts';

export type Reason =
  /** Where it was is gone, or was never for it. */
  | 'lost'
  /** Its server is being emptied. */
  | 'drain'
  /** Its server sends more than it may. */
  | 'over'
  /** It came by a CDN, and the own network has room again. */
  | 'room'
  /** Another server is better by more than a move is worth. */
  | 'better';

/** How many of those who have the same reason may go: as many as carry so much, of those who come with the same key. */
export interface Pace {
  readonly key: string;
  readonly mbpsPerS: number;
}

/** What is over the limit is gone in so long, if there is room for it. */
const RELIEF_S = 2;
/** This part of a server stays free for newcomers when viewers come back from a CDN; of the rest they take a tenth a second. */
export const RESERVE = 0.1;
const RETURNS_PER_S = 0.1;
/** A server loses no more than this of its capacity to better ones: beats must show what a move did before the next. */
const BETTER_PER_S = 0.02;

/** What to ask placement for a viewer who is somewhere already. */
export function placeAgain(
  scene: Scene,
  here: Destination | undefined,
): Partial<Pick<PlaceRequest, 'now' | 'avoid'>> {
  if (here?.kind !== 'server') return {};
  const at = sceneServer(scene, here.server.id);
  return at && isOver(at) ? { avoid: [here.server.id] } : { now: here.server.id };
}

/** Undefined: it stays. */
export function reasonToMove(scene: Scene, here: Destination | undefined, best: Choice): Reason | undefined {
  if (here === undefined) return 'lost';
  if (here.kind === 'cdn') {
    if (best.kind === 'server') return 'room';
    const isGood = best.cdn.name === here.cdn.name && best.shields.some(({ id }) => id === here.shield.id);
    return isGood ? undefined : 'lost';
  }
  const at = sceneServer(scene, here.server.id);
  if (!at || at.closed) return at?.closed === 'drain' ? 'drain' : 'lost';
  if (best.kind === 'server' && best.server.id === here.server.id) return undefined;
  if (isOver(at)) return 'over';
  // Nobody who has a place is sent to a CDN because that is cheaper.
  return best.kind === 'server' ? 'better' : undefined;
}

/** Undefined: all of them, at once. */
export function paceOf(
  scene: Scene,
  here: Destination | undefined,
  best: Choice,
  reason: Reason,
): Pace | undefined {
  const from = here?.kind === 'server' ? sceneServer(scene, here.server.id) : undefined;
  const to = best.kind === 'server' ? sceneServer(scene, best.server.id) : undefined;
  if (reason === 'room' && to) return { key: `room ${to.server.id}`, mbpsPerS: returnsMbpsPerS(to) };
  if (reason === 'over' && from) {
    const { usedMbps, limitMbps } = from.load;
    return { key: `over ${from.server.id}`, mbpsPerS: (usedMbps - limitMbps) / RELIEF_S };
  }
  if (reason === 'better' && from) {
    return { key: `better ${from.server.id}`, mbpsPerS: from.load.limitMbps * BETTER_PER_S };
  }
  return undefined;
}

/** Whether what a viewer is told now may be wrong in a moment, so that it is to ask again soon. */
export function isChanging(scene: Scene, stream: string, here: Destination | undefined): boolean {
  const at = here?.kind === 'server' ? sceneServer(scene, here.server.id) : undefined;
  if (!at) return false;
  const silentMs = scene.snapshot.nowMs - at.server.beatAtMs;
  if (at.closed !== undefined || isOver(at) || silentMs > SUSPECT_MS || isFilling(scene, stream, at))
    return true;
  const isGrowing = scene.holders.of(stream).some(({ state }) => state === 'coming');
  return isGrowing && fillOf(at.load) > HOT;
}

/** A server that should have beaten by now. */
const SUSPECT_MS = 1_700;
/** So full, a server's viewers go to the next copy when it is there. */
const HOT = 0.85;

/** A crowd that comes to a stream takes what its server has left before a player that has time would ask again. */
const SOON_S = 10;

function isFilling({ snapshot }: Scene, stream: string, at: SceneServer): boolean {
  const record = findStream(snapshot, stream);
  const [mbps = 0] = record ? rungsMbps(record) : [];
  let perS = 0;
  for (const holding of at.server.holdings) if (holding.stream === stream) perS += holding.arrivalsPerS;
  return perS >= CROWD_PER_S && perS * mbps * SOON_S > serverRoomMbps(at, true);
}

/** Those who come more slowly find a copy that is made without anybody's having to go. */
const CROWD_PER_S = 2;

function isOver({ load }: SceneServer): boolean {
  return load.usedMbps > load.limitMbps;
}

function returnsMbpsPerS(at: SceneServer): number {
  return Math.max(0, serverRoomMbps(at) - RESERVE * at.load.limitMbps) * RETURNS_PER_S;
}
