// Headwater itself: production's placement, promises and planner, on what ushers would see of the simulated world.

import { BEAT_MS } from '../../../../network/state/liveness.ts';
import type { Follow, Snapshot } from '../../../../network/state/state.ts';
import { Spending } from '../../../cdn/spending.ts';
import { place } from '../../../placement/place.ts';
import { askOf } from '../../../placement/price/cost.ts';
import { DEFAULT_POLICIES, type Policies } from '../../../placement/price/policy.ts';
import { bookFor } from '../../../placement/promises/booking.ts';
import { Demand, idealSite } from '../../../placement/promises/demand.ts';
import { Promises } from '../../../placement/promises/promises.ts';
import type { Choice, PlaceRequest } from '../../../placement/request.ts';
import { Kept } from '../../../placement/scene/kept.ts';
import { type Scene, sceneOf } from '../../../placement/scene/scene.ts';
import { findStream } from '../../../placement/scene/streams.ts';
import { PLAN_MS } from '../../../plan/demand.ts';
import { ttlS } from '../../../steering/steer.ts';
import type { Chooser, Levers } from '../../chooser.ts';
import type { Copy } from '../../world/copy.ts';
import type { Ground } from '../../world/ground.ts';
import type { Server } from '../../world/plant.ts';
import type { Stream } from '../../world/stream.ts';
import type { Pathway, Viewer } from '../../world/viewer.ts';
import { SimulatedCluster } from './cluster.ts';
import { Leader } from './leader.ts';
import { Steering, TURN_MS } from './steering.ts';

export interface HeadwaterOptions {
  readonly name: string;
  readonly policies?: Policies;
}

/** What a server that nobody planned to have a stream keeps it for, after its last viewer. */
const LINGER_MS = 30_000;
/** A player notes that a connection is broken, and has further pathways. */
const FAILOVER_MS = 500;

export class Headwater implements Chooser {
  readonly name: string;
  readonly hasGuard = true;
  readonly lingerMs = LINGER_MS;
  readonly failoverMs = FAILOVER_MS;
  readonly #ground: Ground;
  readonly #cluster: SimulatedCluster;
  readonly #servers: ReadonlyMap<string, Server>;
  readonly #policies: Policies;
  readonly #promised = new Promises();
  readonly #kept = new Kept();
  readonly #spending = new Spending();
  readonly #demand = new Demand();
  #steering: Steering | undefined;
  #scene: Scene | undefined;
  /** Newer ones come less often than in production, because to read one costs more than to place a viewer. */
  #view: Snapshot;

  constructor(ground: Ground, { name, policies = DEFAULT_POLICIES }: HeadwaterOptions) {
    this.name = name;
    this.#ground = ground;
    this.#policies = policies;
    this.#cluster = new SimulatedCluster(ground);
    this.#view = this.#cluster.snapshot();
    this.#servers = new Map(ground.plant.servers.map((server) => [server.id, server]));
  }

  begin(levers: Levers): void {
    const { events, plant } = this.#ground;
    for (const server of plant.servers) this.#cluster.beat(server);
    this.#view = this.#cluster.snapshot();
    const steering = new Steering({
      scene: () => this.#sceneNow(),
      nowMs: () => events.nowMs,
      requestOf: (viewer) => this.#requestOf(viewer),
      move: (viewer, choices) => this.#move(levers, viewer, choices),
      pay: (viewer, forS) => this.#pay(viewer, forS),
    });
    this.#steering = steering;
    events.every(TURN_MS, () => {
      steering.take(plant.servers);
    });
    const leader = new Leader(this.#ground, levers, { cluster: this.#cluster, policies: this.#policies });
    events.every(PLAN_MS, () => {
      this.#cluster.hear(this.#demand.report(PLAN_MS / 1000), this.#spending.take(this.#ground.events.nowMs));
      const snapshot = this.#cluster.snapshot();
      const isOld = snapshot.nowMs - this.#view.nowMs >= BEAT_MS;
      if (leader.turn(snapshot) || isOld) this.#view = { ...snapshot, plan: this.#cluster.plan };
    });
  }

  choose(viewer: Viewer, avoid: readonly Server[]): readonly Pathway[] {
    const request = { ...this.#requestOf(viewer), avoid: avoid.map(({ id }) => id) };
    const scene = this.#sceneNow();
    const stream = findStream(scene.snapshot, request.stream);
    const site = stream && idealSite(askOf(scene, request, stream));
    if (site !== undefined) this.#demand.count(request.stream, site);
    const decision = place(scene, request);
    if (decision.kind !== 'serve') return [];
    this.#promise(viewer, decision.choices[0]!);
    return decision.choices.map((choice) => this.#pathway(choice));
  }

  /** Those of the plan; without one the origin, then whoever has it. */
  parents(stream: Stream, server: Server): readonly Server[] {
    const follow = this.#followOf(stream, server);
    if (follow) return follow.parents.flatMap(({ id }) => this.#servers.get(id) ?? []);
    const holders = [...stream.copies].map((copy) => copy.server).filter((each) => each !== server);
    return stream.origin ? [stream.origin, ...holders] : holders;
  }

  seen(viewer: Viewer): void {
    const { server, stream, cdn } = viewer;
    if (cdn) this.#steering!.overflowed(viewer);
    if (cdn) this.#pay(viewer, ttlS(false, false));
    const copy = server?.copies.get(stream);
    if (copy) this.#cluster.reporter(copy.server).came(viewer, copy, this.#ground.events.nowMs);
  }

  copied({ server, stream }: Copy, tookMs: number): void {
    this.#cluster.reporter(server).copied(tookMs);
    this.#steering?.grew(stream);
  }

  left(viewer: Viewer): void {
    this.#steering?.left(viewer);
  }

  #requestOf({ id, stream, group }: Viewer): PlaceRequest {
    return { stream: stream.name, viewer: String(id), whence: group.whence, allowCdn: true };
  }

  #promise({ id, stream }: Viewer, choice: Choice): void {
    bookFor(this.#promised, this.#sceneNow(), stream.name, choice, { session: String(id) });
  }

  #move(levers: Levers, viewer: Viewer, choices: readonly Choice[]): boolean {
    this.#promise(viewer, choices[0]!);
    const pathways = choices.map((choice) => this.#pathway(choice));
    return levers.move(viewer, pathways);
  }

  #pay({ id, stream, cdn }: Viewer, forS: number): void {
    this.#spending.watch(String(id), cdn!.cdn, stream.kbps / 1000, forS, this.#ground.events.nowMs);
  }

  #sceneNow(): Scene {
    if (this.#scene?.snapshot === this.#view) return this.#scene;
    this.#scene = sceneOf(this.#view, {
      topology: this.#ground.plant.topology,
      policies: this.#policies,
      promised: this.#promised,
      kept: this.#kept,
    });
    return this.#scene;
  }

  #followOf(stream: Stream, { id }: Server): Follow | undefined {
    return this.#cluster.plan[id]?.follows.find((follow) => follow.stream === stream.name);
  }

  #pathway(choice: Choice): Pathway {
    if (choice.kind === 'server') return { kind: 'server', server: this.#servers.get(choice.server.id)! };
    const cdn = this.#ground.plant.cdns.find((each) => each.cdn.name === choice.cdn.name)!;
    return { kind: 'cdn', cdn, shields: choice.shields.map(({ id }) => this.#servers.get(id)!) };
  }
}
