// The planner: which server follows which rendition from whom. A pure function of the snapshot.

import { NO_TOPOLOGY, type Topology } from '../network/map/topology.ts';
import type { Assignment, Snapshot, Transcode } from '../network/state/state.ts';
import { DEFAULT_POLICIES, type Policies } from './placement/price/policy.ts';
import { type Cluster, readCluster } from './plan/cluster.ts';
import { PlanMemory } from './plan/memory.ts';
import { Planning } from './plan/planning.ts';
import { type LadderPolicies, planTranscodes } from './plan/transcodes.ts';
import type { Wanted } from './plan/wanted.ts';

export interface PlanOptions {
  readonly topology?: Topology;
  readonly policies?: Policies;
  /** Kept by the caller from turn to turn. Without it no copy goes: that takes some time of no use. */
  readonly memory?: PlanMemory;
  /** Without it nothing is transcoded. */
  readonly transcoding?: Transcoding;
}

export interface Transcoding {
  readonly policies: LadderPolicies;
  /** Kept by the caller from turn to turn, as `spares` is. */
  readonly wanted: Wanted;
  /** Learns for which streams no worker is free. */
  readonly onWaiting: (streams: readonly string[]) => void;
}

/** What is wanted, by server id: an entry for every living server, so that one that is to follow nothing learns it. */
export type Plan = Readonly<Record<string, Assignment>>;

export function plan(snapshot: Snapshot, options: PlanOptions = {}): Plan {
  const { topology = NO_TOPOLOGY, policies = DEFAULT_POLICIES, memory = new PlanMemory() } = options;
  memory.begin(snapshot.nowMs);
  const cluster = readCluster(snapshot, { topology, policies, memory });
  const planning = new Planning(snapshot, cluster, memory);
  const follows = planning.follows();
  const servers = [...cluster.ground.servers.values()];
  const transcodes = transcodesIn(snapshot, cluster, options.transcoding);
  return Object.fromEntries(
    servers.map((server) => {
      const { id, transcoding } = server.server;
      const assignment = { follows: follows[server.index]!, successors: planning.successors(server) };
      return [id, transcoding ? { ...assignment, transcodes: transcodes.get(id) ?? [] } : assignment];
    }),
  );
}

type Transcodes = ReadonlyMap<string, readonly Transcode[]>;

function transcodesIn(
  snapshot: Snapshot,
  { ground }: Cluster,
  transcoding: Transcoding | undefined,
): Transcodes {
  if (!transcoding) return new Map();
  const { policies, wanted, onWaiting } = transcoding;
  wanted.look(snapshot);
  const isWanted = (stream: string): boolean => wanted.has(stream);
  const { transcodes, waiting } = planTranscodes(snapshot, { ground, policies, isWanted });
  onWaiting(waiting);
  return transcodes;
}
