// The usher who leads: plans twice a second with the production planner, and the servers do at once what it says.

import type { Assignment } from '../../../../network/state/state.ts';
import type { Policies } from '../../../placement/price/policy.ts';
import { changesOf } from '../../../plan/changes.ts';
import { PLAN_MS } from '../../../plan/demand.ts';
import { Spares } from '../../../plan/spares.ts';
import { plan } from '../../../planner.ts';
import type { Server } from '../../world/plant.ts';
import type { World } from '../../world/world.ts';
import type { SimulatedCluster } from './cluster.ts';

/** The state tells a server so soon. */
const TOLD_MS = 100;

export class Leader {
  readonly #world: World;
  readonly #cluster: SimulatedCluster;
  readonly #policies: Policies;
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #spares = new Spares();

  constructor(world: World, cluster: SimulatedCluster, policies: Policies) {
    this.#world = world;
    this.#cluster = cluster;
    this.#policies = policies;
    this.#servers = new Map(world.ground.plant.servers.map((server) => [server.id, server]));
    world.ground.events.every(PLAN_MS, () => this.#turn());
  }

  #turn(): void {
    const { events, plant } = this.#world.ground;
    const snapshot = this.#cluster.snapshot();
    const world = { topology: plant.topology, policies: this.#policies, spares: this.#spares };
    const changes = changesOf(snapshot.plan, plan(snapshot, world));
    const entries = Object.entries(changes);
    if (entries.length === 0) return;
    const after = { ...snapshot.plan };
    for (const [id, assignment] of entries)
      if (assignment) after[id] = assignment;
      else delete after[id];
    this.#cluster.plan = after;
    events.after(TOLD_MS, () => {
      for (const [id, assignment] of entries) if (assignment) this.#tell(this.#servers.get(id)!, assignment);
    });
  }

  /** Parents first or not: who can't follow yet tries again. */
  #tell(server: Server, { follows }: Assignment): void {
    if (!server.isUp) return;
    const { copies, ground } = this.#world;
    const planned = new Set<string>();
    for (const { stream: name } of follows) {
      planned.add(name);
      const stream = ground.streamNamed(name)!;
      const known = server.copies.get(stream);
      const copy = known ?? copies.obtain(stream, server);
      copy.isPlanned = true;
      if (known) copies.follow(copy);
    }
    for (const copy of [...server.copies.values()]) {
      if (!copy.isPlanned || planned.has(copy.stream.name)) continue;
      copy.isPlanned = false;
      copies.release(copy);
    }
    this.#cluster.beat(server);
  }
}
