// Places viewers one after another: reads each snapshot once, books what it hands out, and leases what it will hand out next.

import { type Clock, sleep, type Timer } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';
import type { Topology } from '../../network/map/topology.ts';
import type { Counter, Histogram, Metrics } from '../../network/metrics.ts';
import type { Demand as DemandReport } from '../../network/state/lease.ts';
import { Lessee, type Sight } from '../../network/state/lessee.ts';
import { isSettled } from '../../network/state/liveness.ts';
import type { ClusterState, Snapshot } from '../../network/state/state.ts';
import { place } from './place.ts';
import { askOf } from './price/cost.ts';
import type { Policies } from './price/policy.ts';
import { Quality } from './price/quality.ts';
import { bookFor, bookingsOf, type Party } from './promises/booking.ts';
import { Demand, idealSite } from './promises/demand.ts';
import { Leases } from './promises/leases.ts';
import { Promises } from './promises/promises.ts';
import type { Choice, Decision, PlaceRequest } from './request.ts';
import { Kept } from './scene/kept.ts';
import { type Scene, sceneOf } from './scene/scene.ts';
import { findStream } from './scene/streams.ts';

export interface PlacerOptions {
  readonly state: Pick<ClusterState, 'snapshot' | 'lease'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Made anew by each process. */
  readonly usherId: string;
  readonly topology: () => Topology;
  readonly policies: () => Policies;
  /** What was spent on CDNs since this was asked last, in micro-dollars by the CDN's name. */
  readonly spent: () => Readonly<Record<string, number>>;
  /** More come to a stream than the state knew of, which knows it by now. */
  readonly onCrowd?: () => void;
}

/** Leases are reported so often, and at once when one runs short. */
const REPORT_MS = 300;
/** A decision takes a tenth of a millisecond; one that waits for a lease some hundred. */
const BUCKETS_S = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
/** What is lacking is asked for so often before what is there is taken, a CDN if need be. */
const QUICK_TRIES = 4;
/**
 * A viewer for whom there is room that is not leased waits for it so long: others hand back what they don't use with their next
 * report, and a beat, a snapshot and a report show what those who came take in truth.
 */
const WAIT_MS = 2_500;
/** More do not wait: each is placed again with every report. */
const MAX_WAITING = 1_000;
/** Of what all servers may send, the most that is promised to one address, and not yet come for; and as many viewers in any case. */
const MAX_SHARE = 1 / 8;
const FEW = 64;

type Served = Decision & { readonly kind: 'serve' };

export class Placer implements AsyncDisposable {
  readonly quality = new Quality();
  readonly promised: Promises;
  readonly #options: PlacerOptions;
  readonly #kept = new Kept();
  readonly #lessee: Lessee;
  readonly #leases: Leases;
  readonly #demand = new Demand();
  readonly #timer: Timer;
  readonly #placements: Counter<'result' | 'reason'>;
  readonly #durations: Histogram;
  #scene: Scene | undefined;
  #reporting: Promise<void> | undefined;
  #nextReport: Promise<void> | undefined;
  #reportedAtMs: number;
  /** Of the last whole report. */
  #reportedDemand: DemandReport = {};
  /** The next report is to name all that is leased, and not only what somebody waits for. */
  #isWholeDue = true;
  #isStateAway = false;
  /** Who is being placed now. */
  #waiting = 0;
  #turnedAway = 0;

  constructor(options: PlacerOptions) {
    const { clock, state, usherId, metrics } = options;
    this.#options = options;
    this.#lessee = new Lessee({ state, clock, id: usherId });
    this.promised = new Promises((resource, mbps) => this.#lessee.arrive(resource, mbps));
    this.#leases = new Leases(this.#lessee, this.promised);
    this.#placements = metrics.counter(
      'headwater_placements_total',
      'Viewers who came, by where they were sent; full with reason not_leased: there was room that other ushers held.',
      ['result', 'reason'],
    );
    this.#durations = metrics.histogram(
      'headwater_placement_duration_seconds',
      'Time to place a viewer who came, waiting for what is leased included.',
      BUCKETS_S,
    );
    metrics.gauge(
      'headwater_promises',
      'Viewers who were sent somewhere and are not seen there yet.',
      [],
      (gauge) => gauge.set(this.promised.count),
    );
    metrics.gauge('headwater_over_limit', 'What carries more than it may, by kind.', ['kind'], (gauge) => {
      for (const [kind, count] of overLimit(this.#scene)) gauge.set({ kind }, count);
    });
    this.#reportedAtMs = clock.monotonic();
    this.#timer = clock.every(REPORT_MS, () => {
      this.#isWholeDue = true;
      void this.#renew();
    });
  }

  /** The scene by which viewers are placed now; undefined before the first. */
  get latest(): Scene | undefined {
    return this.#scene;
  }

  /** How many have come so far for whom there was no room. */
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Of the newest snapshot. Rejects as `snapshot` does. */
  async scene(): Promise<Scene> {
    const snapshot = await this.#options.state.snapshot();
    if (this.#scene?.snapshot !== snapshot) this.#scene = this.#read(snapshot);
    return this.#scene;
  }

  /** Decides, and promises the first choice to the session. Rejects as `snapshot` does. */
  async place(request: PlaceRequest, session: string): Promise<Decision> {
    const { clock } = this.#options;
    const startedAtMs = clock.monotonic();
    const scene = await this.scene();
    this.#count(request, scene);
    const decision = this.#refuse(scene, request) ?? (await this.#decide(request, session));
    const result = decision.kind === 'serve' ? decision.choices[0]!.kind : decision.kind;
    this.#durations.observe((clock.monotonic() - startedAtMs) / 1000);
    if (decision.kind === 'full') this.#turnedAway += 1;
    this.#placements.inc({ result, reason: decision.kind === 'full' ? decision.reason : '' });
    return decision;
  }

  /** Leases what a choice takes, if it is not yet. False: others have it. */
  async lease(scene: Scene, stream: string, choice: Choice): Promise<boolean> {
    if (this.#isLeased(scene, stream, choice)) return true;
    await this.#renew();
    return this.#isLeased(await this.scene(), stream, choice);
  }

  /** Books what a choice takes; what the session was promised before is let go. To a crowd that does not come no more is promised. */
  promise(scene: Scene, stream: string, choice: Choice, party: Party): void {
    if (!this.isAwaited(scene, party.network)) bookFor(this.promised, scene, stream, choice, party);
  }

  /**
   * Whether so much is promised to viewers of a network, and not yet come for, that it gets no more until they have. Players come
   * within a second or two; who asks and never comes would have all that there is.
   */
  isAwaited(scene: Scene, network = ''): boolean {
    const { count, mbps } = this.promised.awaitedFrom(network);
    return count >= FEW && mbps >= egressMbps(scene) * MAX_SHARE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    await this.#nextReport;
    await this.#reporting;
  }

  #refuse(scene: Scene, { stream: name, network }: PlaceRequest): Decision | undefined {
    const stream = this.isAwaited(scene, network) ? findStream(scene.snapshot, name) : undefined;
    return stream && { kind: 'full', stream, reason: 'address', retryAfterS: 1 };
  }

  async #decide(request: PlaceRequest, session: string): Promise<Decision> {
    this.#waiting += 1;
    const untilMs = this.#options.clock.monotonic() + (this.#waiting > MAX_WAITING ? 0 : WAIT_MS);
    try {
      await this.#untilHeard(request, untilMs);
      return await this.#untilLeased(request, session, untilMs);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Servers that a state has yet to hear of, which is new or was lost, may have room: meanwhile it is neither full nor a CDN's turn. */
  async #untilHeard(request: PlaceRequest, untilMs: number): Promise<void> {
    const { clock } = this.#options;
    for (;;) {
      const scene = await this.scene();
      if (isSettled(scene.snapshot) || clock.monotonic() >= untilMs) return;
      if (hasServer(place(scene, request))) return;
      await sleep(clock, REPORT_MS);
    }
  }

  async #untilLeased(request: PlaceRequest, session: string, untilMs: number): Promise<Decision> {
    const { clock } = this.#options;
    for (let tries = 1; ; tries++) {
      const scene = await this.scene();
      const decision = place(scene, request);
      if (decision.kind === 'unknown') return decision;
      if (decision.kind === 'full' && decision.reason !== 'not_leased') return decision;
      const served =
        decision.kind === 'serve' &&
        this.#takeLeased(scene, decision, { session, network: request.network }, tries);
      if (served) return served;
      const { stream } = decision;
      const mayWait = tries < QUICK_TRIES || clock.monotonic() < untilMs;
      if (!mayWait) return { kind: 'full', stream, reason: 'not_leased', retryAfterS: 1 };
      if (decision.kind === 'serve' && tries < QUICK_TRIES) await this.#renew();
      else await sleep(clock, REPORT_MS);
    }
  }

  /** Promises the best, if it is leased. Where others were always quicker, what is leased of the other ways is better than to wait. */
  #takeLeased(scene: Scene, decision: Served, party: Party, tries: number): Served | undefined {
    const { stream, choices } = decision;
    const isLeased = (choice: Choice): boolean => this.#isLeased(scene, stream.name, choice);
    const leased = tries < QUICK_TRIES ? (isLeased(choices[0]!) ? choices : []) : choices.filter(isLeased);
    const [best] = leased;
    if (!best) return undefined;
    this.promise(scene, stream.name, best, party);
    return { ...decision, choices: leased };
  }

  /** What is lacking is asked for. */
  #isLeased(scene: Scene, stream: string, choice: Choice): boolean {
    const bookings = bookingsOf(scene, stream, choice);
    // Each is asked about: what one lacks is asked for together with what the others do.
    return bookings.filter((booking) => !this.#leases.covers(scene, booking)).length === 0;
  }

  #read(snapshot: Snapshot): Scene {
    const { topology, policies } = this.#options;
    return sceneOf(snapshot, {
      quality: this.quality,
      promised: this.promised,
      kept: this.#kept,
      topology: topology(),
      policies: policies(),
    });
  }

  #count(request: PlaceRequest, scene: Scene): void {
    const stream = findStream(scene.snapshot, request.stream);
    const site = stream && idealSite(askOf(scene, request, stream));
    if (site === undefined || !this.#demand.count(request.stream, site)) return;
    this.#isWholeDue = true;
    void this.#renew().then(() => this.#options.onCrowd?.());
  }

  /** Done when what is asked for by now has been answered, or can't be. */
  #renew(): Promise<void> {
    if (this.#reporting) {
      this.#nextReport ??= this.#reporting.then(() => {
        this.#nextReport = undefined;
        return this.#renew();
      });
      return this.#nextReport;
    }
    this.#reporting = this.#report().finally(() => {
      this.#reporting = undefined;
    });
    return this.#reporting;
  }

  async #report(): Promise<void> {
    const { logger, spent } = this.#options;
    for (const [cdn, microUsd] of Object.entries(spent())) this.#lessee.spend(cdn, microUsd);
    try {
      const scene = await this.scene();
      const sight = this.#isWholeDue
        ? this.#wholeSight(scene)
        : this.#leases.urgentSight(scene, this.#reportedDemand);
      await this.#lessee.report(sight);
      this.#leases.granted(sight);
      if (this.#isStateAway) logger.info({}, 'what is handed out is leased again');
      this.#isStateAway = false;
    } catch (error) {
      this.#leases.lost();
      const reason = reasonOf(error);
      if (!this.#isStateAway) logger.warn({ reason }, 'an equal part of what is free is handed out');
      this.#isStateAway = true;
    }
  }

  #wholeSight(scene: Scene): Sight {
    const nowMs = this.#options.clock.monotonic();
    const passedS = (nowMs - this.#reportedAtMs) / 1000;
    this.#isWholeDue = false;
    this.#reportedAtMs = nowMs;
    this.#reportedDemand = this.#demand.report(passedS);
    return this.#leases.sight(scene, passedS, this.#reportedDemand);
  }
}

function hasServer(decision: Decision): boolean {
  return decision.kind === 'serve' && decision.choices.some(({ kind }) => kind === 'server');
}

function egressMbps({ servers }: Scene): number {
  return servers.reduce((sum, { load }) => sum + load.limitMbps, 0);
}

const KINDS = ['server', 'host', 'uplink', 'link'];

function overLimit(scene: Scene | undefined): [kind: string, count: number][] {
  const over = [...(scene?.loads.values() ?? [])].filter(({ usedMbps, limitMbps }) => usedMbps > limitMbps);
  return KINDS.map((kind) => [kind, over.filter(({ resource }) => resource.startsWith(`${kind}/`)).length]);
}
