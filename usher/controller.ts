// The controller: leads the cluster, or waits to lead it. Who leads looks at the cluster and writes what should be, again and again.

import type { Clock, Timer } from '../network/clock.ts';
import { CodedError, reasonOf } from '../network/errors.ts';
import type { Logger } from '../network/logger.ts';
import type { Topology } from '../network/map/topology.ts';
import type { Counter, Histogram, Metrics } from '../network/metrics.ts';
import { isSettled } from '../network/state/liveness.ts';
import type { ClusterState, Lead, LeadChanges, Snapshot } from '../network/state/state.ts';
import { type AccountChanges, Accounting } from './accounting.ts';
import { DEFAULT_POLICIES, type Policies } from './placement/price/policy.ts';
import { changesOf, tallyOf } from './plan/changes.ts';
import { PLAN_MS } from './plan/demand.ts';
import { PlanMemory } from './plan/memory.ts';
import type { LadderPolicies } from './plan/transcodes.ts';
import { Wanted } from './plan/wanted.ts';
import { plan, type Transcoding } from './planner.ts';

export interface ControllerOptions {
  readonly state: Pick<ClusterState, 'snapshot' | 'lead' | 'wake' | 'watch'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** As it is now. */
  readonly topology: () => Topology;
  readonly policies?: () => Policies;
  /** Undefined: nothing is transcoded. */
  readonly ladders?: LadderPolicies | undefined;
  /** Made anew by each process: a lead is never taken for that of the process before. */
  readonly usherId: string;
}

/** However often it is told that much has changed, it takes a turn no sooner than so long after the last. */
const HASTE_MS = 100;
const PLAN_BUCKETS_S = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];

/** Begins at once, and takes a turn every PLAN_MS, one at a time. Ends with its last turn. */
export class Controller implements AsyncDisposable {
  readonly #options: ControllerOptions;
  readonly #timer: Timer;
  readonly #watch: Disposable;
  readonly #planned: Histogram;
  readonly #turns: Counter<'result'>;
  readonly #changes: Counter;
  readonly #copies: Counter<'change'>;
  readonly #moves: Counter;
  readonly #memory = new PlanMemory();
  readonly #transcoding: Transcoding | undefined;
  #accounting = new Accounting();
  /** As of its last plan, unless another has led since. */
  #written: Pick<Snapshot, 'plan' | 'accounts'> | undefined;
  #turn: Promise<void> | undefined;
  #begunAtMs = Number.NEGATIVE_INFINITY;
  #waking: Timer | undefined;
  /** Of the lead that it was given last and nobody has taken from it. */
  #term: number | undefined;
  #leader: string | undefined;
  #isStateAway = false;

  constructor(options: ControllerOptions) {
    const { clock, metrics } = options;
    this.#options = options;
    metrics.gauge('headwater_usher_leading', 'Whether this usher leads the cluster: 1 or 0.', [], (gauge) =>
      gauge.set(this.isLeading ? 1 : 0),
    );
    this.#planned = metrics.histogram(
      'headwater_plan_duration_seconds',
      'Time to make a plan.',
      PLAN_BUCKETS_S,
    );
    this.#turns = metrics.counter('headwater_plan_turns_total', 'Turns of the controller.', ['result']);
    this.#changes = metrics.counter(
      'headwater_plan_changes_total',
      'Assignments of servers written or dropped.',
    );
    this.#copies = metrics.counter('headwater_plan_copies_total', 'Copies planned and withdrawn.', [
      'change',
    ]);
    this.#moves = metrics.counter('headwater_plan_moves_total', 'Copies that were given another parent.');
    this.#transcoding = options.ladders && this.#transcode(options.ladders);
    this.#timer = clock.every(PLAN_MS, () => this.#begin());
    this.#watch = options.state.watch(options.usherId, () => this.#hasten());
    this.#begin();
  }

  get isLeading(): boolean {
    return this.#term !== undefined && !this.#isStateAway;
  }

  /** Id of the usher that leads, or led when this one heard of it last. */
  get leader(): string | undefined {
    return this.#leader;
  }

  /** A crowd is not to wait for the next turn: it is taken as soon as it may, by whichever usher leads. */
  wake(): void {
    if (this.isLeading) this.#hasten();
    // Who can't be told takes its next turn in time.
    else this.#options.state.wake().catch(() => {});
  }

  /** Gives the lead back, so that another usher leads at its next turn. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.cancel();
    this.#watch[Symbol.dispose]();
    this.#waking?.cancel();
    await this.#turn;
    if (!this.isLeading) return;
    const { state, usherId, logger } = this.#options;
    await state.lead(usherId, this.#term, { resigns: true }).catch((error: unknown) => {
      logger.warn(detailsOf(error), 'the lead is not given back: it lapses');
    });
    this.#term = undefined;
  }

  #transcode(policies: LadderPolicies): Transcoding {
    const { clock, metrics } = this.#options;
    const sinceMs = new Map<string, number>();
    const waitedMs = (): number => {
      const nowMs = clock.monotonic();
      return Math.max(0, ...[...sinceMs.values()].map((atMs) => nowMs - atMs));
    };
    metrics.gauge('headwater_transcode_backlog', 'Streams that no worker is free for.', [], (gauge) =>
      gauge.set(sinceMs.size),
    );
    metrics.gauge(
      'headwater_transcode_wait_seconds',
      'How long the stream has waited for a worker that waits longest.',
      [],
      (gauge) => gauge.set(waitedMs() / 1000),
    );
    const onWaiting = (streams: readonly string[]): void => {
      for (const stream of sinceMs.keys()) if (!streams.includes(stream)) sinceMs.delete(stream);
      for (const stream of streams) sinceMs.getOrInsert(stream, clock.monotonic());
    };
    return { policies, wanted: new Wanted(), onWaiting };
  }

  #hasten(): void {
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#begunAtMs + HASTE_MS - clock.monotonic());
    this.#waking ??= clock.after(waitMs, () => {
      this.#waking = undefined;
      if (this.isLeading) this.#begin();
    });
  }

  /** A turn that is still on its way when the next is due takes its place. */
  #begin(): void {
    if (this.#turn) return;
    this.#begunAtMs = this.#options.clock.monotonic();
    this.#turn = this.#take().finally(() => {
      this.#turn = undefined;
    });
  }

  async #take(): Promise<void> {
    try {
      await this.#lead();
      this.#turns.inc({ result: this.#term === undefined ? 'followed' : 'led' });
      if (this.#isStateAway) this.#options.logger.info({}, 'cluster state is back');
      this.#isStateAway = false;
    } catch (error) {
      this.#turns.inc({ result: 'failed' });
      if (!this.#isStateAway)
        this.#options.logger.warn(detailsOf(error), 'no plan can be made: what was planned stays');
      this.#isStateAway = true;
    }
  }

  async #lead(): Promise<void> {
    const { state, usherId } = this.#options;
    if (this.#term === undefined) this.#hear(await state.lead(usherId, undefined, {}));
    if (this.#term === undefined) return;
    const snapshot = await state.snapshot();
    // Who is missing from it would lose its place, although it may beat the next moment.
    const changes = isSettled(snapshot) ? this.#decide(snapshot) : {};
    const lead = await state.lead(usherId, this.#term, changes);
    this.#hear(lead);
    if (lead.kind === 'leading') this.#count(snapshot, changes);
  }

  #decide(snapshot: Snapshot): LeadChanges {
    const { clock } = this.#options;
    const topology = this.#options.topology();
    const policies = this.#options.policies?.() ?? DEFAULT_POLICIES;
    // Without a plan in it the state is new, or was lost, and with it what this usher had written there.
    const lost = snapshot.planTerm === 0 ? this.#written : undefined;
    const known = lost ? { ...snapshot, ...lost } : snapshot;
    const startedAtMs = clock.monotonic();
    const transcoding = this.#transcoding;
    const options = { topology, policies, memory: this.#memory, ...(transcoding ? { transcoding } : {}) };
    const after = plan(known, options);
    this.#planned.observe((clock.monotonic() - startedAtMs) / 1000);
    const accounts = { ...lost?.accounts, ...this.#accounting.changes(known, topology) };
    this.#written = { plan: after, accounts: withChanges(known.accounts, accounts) };
    return { plan: changesOf(snapshot.plan, after), accounts };
  }

  #count(before: Snapshot, { plan: changes = {} }: LeadChanges): void {
    const { made, withdrawn, moved } = tallyOf(before.plan, changes);
    this.#changes.inc(Object.keys(changes).length);
    this.#copies.inc({ change: 'made' }, made);
    this.#copies.inc({ change: 'withdrawn' }, withdrawn);
    this.#moves.inc(moved);
  }

  #hear(lead: Lead): void {
    const { logger } = this.#options;
    const term = lead.kind === 'leading' ? lead.term : undefined;
    if (term !== undefined && this.#term === undefined) logger.info({ term }, 'this usher leads');
    if (term === undefined && this.#term !== undefined) logger.warn({ lead }, 'this usher leads no more');
    // Another counts while this one does not lead.
    if (term === undefined) this.#accounting = new Accounting();
    if (lead.kind === 'following' && lead.leader !== undefined) this.#written = undefined;
    this.#leader = lead.kind === 'leading' ? this.#options.usherId : (lead.leader ?? this.#leader);
    this.#term = term;
  }
}

function withChanges(accounts: Snapshot['accounts'], changes: AccountChanges): Snapshot['accounts'] {
  const entries = Object.entries({ ...accounts, ...changes });
  return Object.fromEntries(entries.flatMap(([name, account]) => (account ? [[name, account]] : [])));
}

/** The world's failures are told in a sentence, our own with where they happened. */
function detailsOf(error: unknown): object {
  return error instanceof CodedError ? { code: error.code, reason: reasonOf(error) } : { err: error };
}
