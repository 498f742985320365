// The usher who leads: plans twice a second with the production planner, and the servers do at once what it says.

import type { Demand, UplinkAccount } from '../../../../network/state/lease.ts';
import type { Assignment, Snapshot } from '../../../../network/state/state.ts';
import { Accounting } from '../../../accounting.ts';
import { addTraffic } from '../../../placement/price/billing.ts';
import type { Policies } from '../../../placement/price/policy.ts';
import { changesOf } from '../../../plan/changes.ts';
import { PlanMemory } from '../../../plan/memory.ts';
import { plan } from '../../../planner.ts';
import type { Levers } from '../../chooser.ts';
import type { Ground } from '../../world/ground.ts';
import type { Server } from '../../world/plant.ts';
import { Calm } from './calm.ts';
import type { SimulatedCluster } from './cluster.ts';

/** The state tells a server so soon. */
const TOLD_MS = 100;

export interface LeaderOptions {
  readonly cluster: SimulatedCluster;
  readonly policies: Policies;
}

export class Leader {
  readonly #ground: Ground;
  readonly #levers: Levers;
  readonly #cluster: SimulatedCluster;
  readonly #policies: Policies;
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #memory = new PlanMemory();
  readonly #accounting = new Accounting();
  readonly #calm = new Calm();
  /** Since the last plan. */
  #heard: Snapshot['ushers'][] = [];

  constructor(ground: Ground, levers: Levers, { cluster, policies }: LeaderOptions) {
    this.#ground = ground;
    this.#levers = levers;
    this.#cluster = cluster;
    this.#policies = policies;
    this.#servers = new Map(ground.plant.servers.map((server) => [server.id, server]));
    const { events, scenario } = ground;
    events.at(scenario.warmupMinutes * 60_000, () => this.#backdate());
  }

  /** To be called every PLAN_MS. False: nothing has changed that asks for a new plan so soon. */
  turn(snapshot: Snapshot): boolean {
    this.#heard.push(snapshot.ushers);
    if (!this.#calm.isTurn(snapshot)) return false;
    this.#plan({ ...snapshot, ushers: meanOf(this.#heard) });
    this.#heard = [];
    return true;
  }

  #plan(snapshot: Snapshot): void {
    const { events, plant } = this.#ground;
    const world = { topology: plant.topology, policies: this.#policies, memory: this.#memory };
    this.#account(snapshot);
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

  #account(snapshot: Snapshot): void {
    const changes = this.#accounting.changes(snapshot, this.#ground.plant.topology);
    const accounts = { ...this.#cluster.accounts };
    for (const [name, account] of Object.entries(changes)) if (account) accounts[name] = account;
    this.#cluster.accounts = accounts;
  }

  /** The days before were as it is now. */
  #backdate(): void {
    const { fromMs, toMs } = this.#cluster.calendar.before;
    const accounts: Record<string, UplinkAccount> = {};
    for (const { site, uplinks } of this.#ground.plant.sites)
      for (const { uplink, meter } of uplinks)
        if (uplink.kind === 'transit') {
          const traffic = { fromMs, toMs, mbps: meter.loadKbps / 1000 };
          accounts[`${site.name}/${uplink.name}`] = addTraffic(undefined, traffic, uplink.billing);
        }
    this.#cluster.accounts = accounts;
  }

  /** Parents first or not: who can't follow yet tries again. */
  #tell(server: Server, { follows }: Assignment): void {
    if (!server.isUp) return;
    const planned = new Set<string>();
    for (const { stream: name } of follows) {
      planned.add(name);
      const stream = this.#ground.streamNamed(name)!;
      const known = server.copies.get(stream);
      const copy = known ?? this.#levers.obtain(stream, server);
      copy.isPlanned = true;
      if (known) this.#levers.follow(copy);
    }
    for (const copy of [...server.copies.values()]) {
      if (!copy.isPlanned || planned.has(copy.stream.name)) continue;
      copy.isPlanned = false;
      this.#levers.release(copy);
    }
    this.#cluster.beat(server);
  }
}

/** Who asked, on average over several turns: nobody is forgotten because no plan was made when he came. */
function meanOf(heard: readonly Snapshot['ushers'][]): Snapshot['ushers'] {
  const last = heard.at(-1)!;
  if (heard.length === 1) return last;
  return last.map((usher) => ({
    ...usher,
    demand: meanDemand(heard.flatMap((ushers) => demandOf(ushers, usher.id))),
  }));
}

function demandOf(ushers: Snapshot['ushers'], id: string): Demand[] {
  return ushers.filter((usher) => usher.id === id).map(({ demand }) => demand);
}

function meanDemand(demands: readonly Demand[]): Demand {
  const sums = new Map<string, Map<string, number>>();
  for (const demand of demands)
    for (const [stream, sites] of Object.entries(demand)) {
      const ofStream = sums.getOrInsertComputed(stream, () => new Map());
      for (const [site, perS] of Object.entries(sites)) ofStream.set(site, (ofStream.get(site) ?? 0) + perS);
    }
  const means = [...sums].map(([stream, sites]) => {
    const bySite = [...sites].map(([site, perS]) => [site, perS / demands.length]);
    return [stream, Object.fromEntries(bySite)];
  });
  return Object.fromEntries(means);
}
