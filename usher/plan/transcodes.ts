// Which worker makes which rungs of which streams: as many jobs as it has slots, near the origin, the farm before all others. Pure.

import type {
  KnownServer,
  Rung,
  Snapshot,
  StreamRecord,
  Transcode,
  TranscodeJob,
} from '../../network/state/state.ts';
import { findStream } from '../placement/scene/streams.ts';
import type { Ground, PlanServer } from './ground.ts';
import { isPlayable, ladderOf, type RungWish } from './ladder.ts';
import { isFarm, type SpareCpu, spareCpuOf } from './spare-cpu.ts';

/** What is wished of a stream. */
export interface LadderPolicy {
  readonly ladder: readonly RungWish[];
  readonly when: 'always' | 'on-demand';
}

export type LadderPolicies = (stream: string) => LadderPolicy;

export interface TranscodeOptions {
  readonly ground: Ground;
  readonly policies: LadderPolicies;
  /** Whether somebody watches a stream, or may soon. */
  readonly isWanted: (stream: string) => boolean;
}

export interface TranscodePlan {
  /** By server id, in order of the streams' names. */
  readonly transcodes: ReadonlyMap<string, readonly Transcode[]>;
  /** Streams for which no slot is free, the most wanted first. */
  readonly waiting: readonly string[];
}

/**
 * Whether rungs that are waited for are not there yet, and a worker has them to make or has room for them: those on demand, and all
 * of a source that browsers can't play.
 */
export function isComing(
  snapshot: Pick<Snapshot, 'streams' | 'servers' | 'plan'>,
  name: string,
  { ladder, when }: LadderPolicy,
): boolean {
  const stream = findStream(snapshot, name);
  const [source, ...rungs] = stream?.renditions ?? [];
  if (!stream?.live || !source || rungs.length > 0) return false;
  if (isPlayable(source) && (when === 'always' || stream.lastMsn < 1)) return false;
  if (ladderOf(source, ladder).length === 0) return false;
  const isPlanned = (id: string): boolean =>
    (snapshot.plan[id]?.transcodes ?? []).some((transcode) => transcode.stream === name);
  return snapshot.servers.some(({ id, transcoding }) => {
    const state = transcoding?.jobs.find((job) => job.stream === name)?.state;
    const hasRoom = transcoding !== undefined && transcoding.jobs.length < transcoding.slots;
    return !hasHadItsTurn(state) && (isPlanned(id) || hasRoom);
  });
}

/** So long a stream waits for the farm before it may take a slot of a server that has other work too. */
const FARM_WAIT_MS = 5_000;

interface Job {
  readonly stream: StreamRecord;
  readonly viewers: number;
  readonly rungs: readonly Rung[];
  /** How many of them no crowd takes away: browsers play nothing else of the stream. */
  readonly neededRungs: 0 | 1;
  /** Who has it now, if that may go on with it. */
  readonly now: PlanServer | undefined;
}

interface Worker {
  readonly on: PlanServer;
  readonly isFarm: boolean;
  readonly spare: SpareCpu;
  readonly jobs: Job[];
}

/** A job stays where it is as long as that worker lives, keeps up and is not being emptied, and nobody needs its slot more. */
export function planTranscodes(snapshot: Snapshot, options: TranscodeOptions): TranscodePlan {
  const workers = workersOf(snapshot, options.ground);
  const jobs = workers.length > 0 ? jobsOf(snapshot, options, workers) : [];
  const waiting: string[] = [];
  for (const job of jobs) {
    const worker = place(job, workers, snapshot, options.ground);
    if (worker) worker.jobs.push(job);
    else waiting.push(job.stream.name);
  }
  const transcodes = workers.map((worker) => [worker.on.server.id, transcodesOf(worker)] as const);
  return { transcodes: new Map(transcodes), waiting };
}

function workersOf({ plan }: Snapshot, { servers }: Ground): Worker[] {
  return [...servers.values()]
    .filter(({ server }) => server.transcoding)
    .map((on) => {
      const { server } = on;
      const planned = countRungs(plan[server.id]?.transcodes ?? []);
      return { on, isFarm: isFarm(server), spare: spareCpuOf(server, planned), jobs: [] };
    });
}

function countRungs(transcodes: readonly Pick<Transcode, 'rungs'>[]): number {
  return transcodes.reduce((sum, { rungs }) => sum + rungs.length, 0);
}

/** Who comes first gets a slot first: what is made now and can't be done without, then the most watched, then the oldest. */
function jobsOf(snapshot: Snapshot, options: TranscodeOptions, workers: readonly Worker[]): Job[] {
  const viewers = viewersByStream(snapshot.servers);
  const jobs = snapshot.streams.flatMap((stream) => {
    const policy = options.policies(stream.name);
    const isWanted = policy.when === 'always' || options.isWanted(stream.name);
    const before = plannedRungs(snapshot, stream.name);
    const rungs = isWanted ? rungsOf(stream, policy, before?.transcode.rungs) : [];
    if (rungs.length === 0) return [];
    const now = workers.find(({ on }) => on.server.id === before?.id && mayGoOn(on, stream.name))?.on;
    return [{ stream, viewers: viewers.get(stream.name) ?? 0, rungs, neededRungs: neededOf(stream), now }];
  });
  return jobs.sort(
    (one, other) =>
      Number(isKept(other)) - Number(isKept(one)) ||
      other.viewers - one.viewers ||
      Number(other.now !== undefined) - Number(one.now !== undefined) ||
      one.stream.startedAtMs - other.stream.startedAtMs,
  );
}

/** The first rung of a source that browsers can't play. */
function neededOf({ renditions: [source] }: StreamRecord): Job['neededRungs'] {
  return source && !isPlayable(source) ? 1 : 0;
}

function isKept({ neededRungs, now }: Job): boolean {
  return neededRungs > 0 && now !== undefined;
}

function viewersByStream(servers: readonly KnownServer[]): Map<string, number> {
  const viewers = new Map<string, number>();
  for (const { holdings } of servers)
    for (const held of holdings) viewers.set(held.stream, (viewers.get(held.stream) ?? 0) + held.viewers);
  return viewers;
}

function plannedRungs(
  { plan }: Snapshot,
  stream: string,
): { readonly id: string; readonly transcode: Transcode } | undefined {
  for (const [id, { transcodes = [] }] of Object.entries(plan)) {
    const transcode = transcodes.find((each) => each.stream === stream);
    if (transcode) return { id, transcode };
  }
  return undefined;
}

/** What was decided stays as it was: a source's bitrate changes from segment to segment, and an encoder is not restarted for that. */
function rungsOf(
  stream: StreamRecord,
  { ladder }: LadderPolicy,
  before: readonly Rung[] = [],
): readonly Rung[] {
  const [source] = stream.renditions;
  if (!source || !stream.live || stream.lastMsn < 1) return before;
  const rungs = ladderOf(source, ladder);
  return rungs.map((rung) => before.find((known) => isLike(known, rung)) ?? rung);
}

function isLike(one: Rung, other: Rung): boolean {
  return (
    one.name === other.name &&
    one.codec === other.codec &&
    one.width === other.width &&
    one.height === other.height
  );
}

function mayGoOn({ server, isDraining }: PlanServer, stream: string): boolean {
  const state = server.transcoding?.jobs.find((job) => job.stream === stream)?.state;
  return !isDraining && !hasHadItsTurn(state);
}

/** A worker that failed, or can't keep up. */
function hasHadItsTurn(state: TranscodeJob['state'] | undefined): boolean {
  return state === 'failed' || state === 'behind';
}

/** Who has it now; else a worker of the farm, and when that is full and the wait is over another: the nearest to the origin. */
function place(job: Job, workers: readonly Worker[], snapshot: Snapshot, ground: Ground): Worker | undefined {
  const free = workers.filter(
    (worker) =>
      worker.jobs.length < slotsFor(job, worker) &&
      mayGoOn(worker.on, job.stream.name) &&
      makesAll(worker, job),
  );
  const now = free.find(({ on }) => on === job.now);
  const origin = ground.servers.get(job.stream.origin);
  const farm = nearest(
    free.filter((worker) => worker.isFarm),
    origin,
    ground,
  );
  // Whose viewers need the CPU is rid of a job as soon as the farm has room for it.
  if (now && (now.spare.takesMore || !farm)) return now;
  const hasFarm = workers.some(({ isFarm, on }) => isFarm && !on.isDraining);
  const hasWaited = !hasFarm || snapshot.nowMs - job.stream.startedAtMs >= FARM_WAIT_MS;
  const others = free.filter(({ spare }) => spare.takesMore);
  return farm ?? (hasWaited ? nearest(others, origin, ground) : undefined);
}

/** None where viewers need the CPU, but for what is made there now and can't be done without. */
function slotsFor(job: Job, { on, spare }: Worker): number {
  const isOpen = spare.rungsOf(1) > 0 || (isKept(job) && job.now === on);
  return isOpen ? on.server.transcoding!.slots : 0;
}

function makesAll({ on }: Worker, { rungs }: Job): boolean {
  const { codecs } = on.server.transcoding!;
  return rungs.every(({ codec }) => codec === 'none' || codecs.includes(codec));
}

/** By what a copy of the source costs to get there, then by the way's length, then who has the fewest jobs for its slots. */
function nearest(
  workers: readonly Worker[],
  origin: PlanServer | undefined,
  { ways }: Ground,
): Worker | undefined {
  const costs = workers.map((worker) => {
    const way = origin && ways.between(origin.site, worker.on.site);
    const fill = worker.jobs.length / worker.on.server.transcoding!.slots;
    return { worker, costs: [way?.microUsdPerMbpsHour ?? 0, way?.rttMs ?? 0, fill] };
  });
  costs.sort((one, other) => compare(one.costs, other.costs));
  return costs[0]?.worker;
}

function compare(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at < 0 ? 0 : one[at]! - other[at]!;
}

/** Where viewers need the CPU, the lowest rungs of the least watched streams go first. */
function transcodesOf(worker: Worker): readonly Transcode[] {
  const { jobs, spare } = worker;
  const count = countRungs(jobs);
  let excess = count - spare.rungsOf(count);
  const leastWatched = jobs.toReversed().sort((one, other) => one.viewers - other.viewers);
  const transcodes = leastWatched.flatMap(({ stream, rungs, neededRungs }) => {
    const left = rungs.slice(0, Math.max(neededRungs, rungs.length - excess));
    excess -= rungs.length - left.length;
    return left.length > 0 ? [{ stream: stream.name, rungs: left }] : [];
  });
  return transcodes.sort((one, other) => (one.stream < other.stream ? -1 : 1));
}
