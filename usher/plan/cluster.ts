// A snapshot read for planning: the living servers with what they send, and where each rendition is and is to be. Pure.

import { isAlive } from '../../network/state/liveness.ts';
import type { Follow, KnownServer, Snapshot, StreamRecord } from '../../network/state/state.ts';
import { bitrateMbps } from './demand.ts';

/** A living server, and what it is to send: at first what it sends now, then what the plan adds and takes away. */
export interface ServerLoad {
  readonly server: KnownServer;
  /** Whether viewers and other servers may be sent to it: an edge that is not being emptied. */
  readonly mayHold: boolean;
  usedMbps: number;
}

/** A rendition on one living server. */
export interface Copy {
  readonly load: ServerLoad;
  /** It has the feed; else the plan wants it to. */
  isHeld: boolean;
  viewers: number;
  arrivalsPerS: number;
  /** What the plan says so far. */
  follow: Follow | undefined;
  /** How many servers follow it, by the plan so far. */
  children: number;
}

/** By server id, in order of the ids. */
export type Copies = Map<string, Copy>;

export interface Cluster {
  readonly loads: ReadonlyMap<string, ServerLoad>;
  /** Those that may hold renditions for viewers and for other servers. */
  readonly holders: readonly ServerLoad[];
  /** By stream and rendition. */
  readonly copies: ReadonlyMap<string, ReadonlyMap<string, Copies>>;
}

export function readCluster(snapshot: Snapshot): Cluster {
  const living = snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot));
  const loads = new Map(living.map((server) => [server.id, loadOf(server)]));
  const copies = readCopies(snapshot, loads);
  for (const stream of snapshot.streams) addKnownUse(stream, copies);
  // What a server sends beyond what is known of it (archives, on-demand followers) is there too; what it was promised is not yet.
  for (const load of loads.values()) load.usedMbps = Math.max(load.usedMbps, load.server.sentMbps);
  return { loads, holders: [...loads.values()].filter(({ mayHold }) => mayHold), copies };
}

/** What of a server's sending a rendition accounts for. */
export function ownMbps(copy: Copy | undefined, bitrate: number): number {
  return copy ? (copy.viewers + copy.children) * bitrate : 0;
}

function loadOf(server: KnownServer): ServerLoad {
  return { server, mayHold: server.roles.includes('edge') && !server.drain, usedMbps: 0 };
}

type CopyIndex = Map<string, Map<string, Copies>>;

function readCopies(snapshot: Snapshot, loads: ReadonlyMap<string, ServerLoad>): CopyIndex {
  const index: CopyIndex = new Map();
  const plan = new Map(Object.entries(snapshot.plan));
  for (const [id, load] of loads) {
    for (const { stream, rendition, viewers, arrivalsPerS } of load.server.holdings) {
      const copy = copyAt(index, stream, rendition, load);
      copy.isHeld = true;
      copy.viewers += viewers;
      copy.arrivalsPerS += arrivalsPerS;
    }
    for (const follow of plan.get(id)?.follows ?? [])
      copyAt(index, follow.stream, follow.rendition, load).follow ??= follow;
  }
  for (const renditions of index.values()) for (const copies of renditions.values()) countChildren(copies);
  return index;
}

function copyAt(index: CopyIndex, stream: string, rendition: string, load: ServerLoad): Copy {
  const renditions = index.getOrInsertComputed(stream, () => new Map());
  const copies = renditions.getOrInsertComputed(rendition, () => new Map());
  return copies.getOrInsertComputed(load.server.id, () => ({
    load,
    isHeld: false,
    viewers: 0,
    arrivalsPerS: 0,
    follow: undefined,
    children: 0,
  }));
}

function countChildren(copies: Copies): void {
  for (const { follow } of copies.values()) {
    const parent = copies.get(follow?.parents[0]?.id ?? '');
    if (parent) parent.children += 1;
  }
}

function addKnownUse(stream: StreamRecord, index: CopyIndex): void {
  for (const rendition of stream.renditions) {
    const bitrate = bitrateMbps(rendition);
    for (const copy of index.get(stream.name)?.get(rendition.name)?.values() ?? [])
      copy.load.usedMbps += ownMbps(copy, bitrate);
  }
}
