// Placement of those who watch a recording: where its bytes are, then where they can be read from storage, by load. Pure.

import { type CatalogueEntry, STORAGE } from '../../network/archive/catalogue.ts';
import { isAlive } from '../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { rendezvous } from './rendezvous.ts';

/** Servers whose load differs by less are equal: then whoever asks again comes to the same. */
const LOAD_STEP = 0.1;
/** One to play from, and one to go on at. */
const WAYS = 2;

/** Best first; none when no server that can read it has room for its highest rendition. `entries` are of one recording. */
export function placeVod(
  snapshot: Snapshot,
  entries: readonly CatalogueEntry[],
  viewer: string,
): readonly KnownServer[] {
  const [best] = entries;
  if (!best) return [];
  const mbps = Math.max(...best.renditions.map(({ averageBps }) => averageBps)) / 1_000_000;
  const keepers = new Set(entries.map(({ keeper }) => keeper));
  const open = snapshot.servers.filter((server) => isOpen(server, snapshot) && hasRoom(server, mbps));
  const ranked = open.toSorted(
    (one, other) => stepOf(one) - stepOf(other) || rendezvous(viewer, other.id) - rendezvous(viewer, one.id),
  );
  const own = ranked.filter(({ id }) => keepers.has(id));
  const others = keepers.has(STORAGE) ? ranked.filter(({ id }) => !keepers.has(id)) : [];
  return [...own, ...others].slice(0, WAYS);
}

function isOpen({ beatAtMs, drain, roles }: KnownServer, snapshot: Snapshot): boolean {
  return isAlive(beatAtMs, snapshot) && drain === null && roles.includes('edge');
}

function usedMbps({ sentMbps, committedMbps }: KnownServer): number {
  return Math.max(sentMbps, committedMbps);
}

function hasRoom(server: KnownServer, mbps: number): boolean {
  return usedMbps(server) + mbps <= server.egressMbps;
}

function stepOf(server: KnownServer): number {
  return Math.floor(usedMbps(server) / server.egressMbps / LOAD_STEP);
}
