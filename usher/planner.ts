// The planner: which server follows which rendition from whom. A pure function of the snapshot.

import { NO_TOPOLOGY, type Topology } from '../network/map/topology.ts';
import type { Assignment, Snapshot } from '../network/state/state.ts';
import { DEFAULT_POLICIES, type Policies } from './placement/price/policy.ts';
import { readCluster } from './plan/cluster.ts';
import { PlanMemory } from './plan/memory.ts';
import { Planning } from './plan/planning.ts';

export interface PlanOptions {
  readonly topology?: Topology;
  readonly policies?: Policies;
  /** Kept by the caller from turn to turn. Without it no copy goes: that takes some time of no use. */
  readonly memory?: PlanMemory;
}

/** What is wanted, by server id: an entry for every living server, so that one that is to follow nothing learns it. */
export type Plan = Readonly<Record<string, Assignment>>;

export function plan(snapshot: Snapshot, options: PlanOptions = {}): Plan {
  const { topology = NO_TOPOLOGY, policies = DEFAULT_POLICIES, memory = new PlanMemory() } = options;
  memory.begin();
  const cluster = readCluster(snapshot, { topology, policies, memory });
  const planning = new Planning(snapshot, cluster, memory);
  const follows = planning.follows();
  const servers = [...cluster.ground.servers.values()];
  return Object.fromEntries(
    servers.map((server) => [
      server.server.id,
      { follows: follows[server.index]!, successors: planning.successors(server) },
    ]),
  );
}
