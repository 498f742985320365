// What the cluster state costs over a real Redis: per server and second, per verb, and in memory.

import type { Redis } from 'ioredis';
import { sleep, systemClock } from '../../../network/clock.ts';
import { MAX_DEMAND, type UsherReport } from '../../../network/state/lease.ts';
import type { Follow, PlanChanges } from '../../../network/state/state.ts';
import { PLAN_MS } from '../../../usher/plan/demand.ts';
import { serverRecord, usherReport } from '../../tools/cluster/cluster-records.ts';
import type { Size } from '../network-model.ts';
import { type Report, table } from '../report.ts';
import type { BenchmarkOptions } from '../run.ts';
import { type Counters, counters, keyBytes } from './redis-counters.ts';
import { type Simulated, SimulatedServers } from './simulated-servers.ts';

/** Ten streams for each server; each is held by its origin and two others. */
const SIZES: readonly Size[] = [
  { servers: 100, streams: 1_000 },
  { servers: 1_000, streams: 10_000 },
];
const LOOK_MS = 200;

export async function benchmarkState({ seconds }: Pick<BenchmarkOptions, 'seconds'>): Promise<Report> {
  const found: [Size, [string, string][]][] = [];
  for (const size of SIZES) found.push([size, await measure(size, seconds)]);
  const rows = found[0]![1].map(([name], at) => [name, ...found.map(([, values]) => values[at]![1])]);
  const head = ['', ...SIZES.map(({ servers, streams }) => `${servers} servers, ${streams} streams`)];
  return {
    data: Object.fromEntries(rows.map(([name, ...values]) => [name, values])),
    text: table(head, rows),
  };
}

/** What Redis has to do in a second while all servers beat, and an usher looks five times and writes a plan. */
export async function stateTraffic(size: Size, seconds: number): Promise<Counters> {
  await using simulated = await SimulatedServers.start(size);
  const { admin, servers } = simulated;
  const usher = simulated.connect();
  await usher.snapshot();
  const { term } = await usher.lead('usher', undefined, {});
  const before = await counters(admin);
  const looking = new AbortController();
  const looked = lookUntil(looking.signal, () => usher.snapshot());
  const leading = lookUntil(
    looking.signal,
    () => usher.lead('usher', term, { plan: changes(servers, 10) }),
    PLAN_MS,
  );
  const beats = (await simulated.beat(seconds)).length;
  looking.abort();
  await Promise.all([looked, leading]);
  const after = await counters(admin);
  const perS = (key: keyof Counters): number => ((after[key] - before[key]) / beats) * servers.length;
  return {
    cpuS: perS('cpuS'),
    inBytes: perS('inBytes'),
    outBytes: perS('outBytes'),
    calls: perS('calls'),
    commands: perS('commands'),
  };
}

async function measure(size: Size, seconds: number): Promise<[string, string][]> {
  await using simulated = await SimulatedServers.start(size);
  return [
    ...(await measureBeats(simulated, seconds)),
    ...(await measureLooks(simulated, seconds)),
    ...(await measureVerbs(simulated)),
    ['Redis memory of all keys', `${((await keyBytes(simulated.admin)) / 2 ** 20).toFixed(1)} MiB`],
  ];
}

async function measureBeats(simulated: SimulatedServers, seconds: number): Promise<[string, string][]> {
  const { admin, servers } = simulated;
  const before = await counters(admin);
  const took = await simulated.beat(seconds);
  const after = await counters(admin);
  const per = (key: keyof Counters) => (after[key] - before[key]) / took.length;
  return [
    ['Redis CPU per server and second', `${(per('cpuS') * 1e6).toFixed(0)} µs`],
    ['Redis CPU in all', `${(per('cpuS') * servers.length * 100).toFixed(1)} % of a core`],
    ['to Redis per server and second', `${(per('inBytes') / 1024).toFixed(2)} KiB`],
    ['from Redis per server and second', `${(per('outBytes') / 1024).toFixed(2)} KiB`],
    ['round trips per server and second', per('calls').toFixed(2)],
    ['a beat as its server sees it, median / 99th', `${quantile(took, 0.5)} / ${quantile(took, 0.99)} ms`],
  ];
}

/** An usher that looks five times a second while all servers beat, after its first look. */
async function measureLooks(simulated: SimulatedServers, seconds: number): Promise<[string, string][]> {
  const { admin } = simulated;
  const state = simulated.connect();
  await state.snapshot();
  const before = await counters(admin);
  const looking = new AbortController();
  const looks = lookUntil(looking.signal, () => state.snapshot());
  await simulated.beat(seconds);
  looking.abort();
  const took = await looks;
  const { outBytes } = await counters(admin);
  const mib = (outBytes - before.outBytes) / seconds / 2 ** 20;
  return [
    ['an usher that looks 5 times a second: from Redis per second', `${mib.toFixed(1)} MiB`],
    ['a look, median / 99th', `${quantile(took, 0.5)} / ${quantile(took, 0.99)} ms`],
  ];
}

/** Gives how long each took, in ms. */
async function lookUntil(
  over: AbortSignal,
  look: () => Promise<unknown>,
  everyMs = LOOK_MS,
): Promise<number[]> {
  const took: number[] = [];
  while (!over.aborted) {
    const startedAt = performance.now();
    await Promise.all([
      look().then(() => took.push(performance.now() - startedAt)),
      sleep(systemClock, everyMs),
    ]);
  }
  return took;
}

type Verb = [name: string, times: number, run: (at: number) => Promise<unknown>];

function report(usher: string, sequence: number, servers: readonly Simulated[]): UsherReport {
  const want = { limitMbps: 10_000, usedMbps: 4_000, heldMbps: 50, wantMbps: 50 };
  const wants = Object.fromEntries(servers.map(({ id }) => [`server/${id}`, want]));
  const streams = servers.flatMap(({ origin }) => origin).slice(0, MAX_DEMAND);
  const demand = Object.fromEntries(streams.map((stream) => [stream, { fra1: 1.5, ams1: 0.25 }]));
  const changes = { sequence: sequence + 1, demand: servers.length > 50 ? demand : {} };
  return usherReport(usher, wants, { ...changes, spentMicroUsd: { fast: 5 } });
}

async function measureVerbs(simulated: SimulatedServers): Promise<[string, string][]> {
  const { admin, servers } = simulated;
  const state = simulated.connect();
  const names = servers.flatMap(({ origin }) => origin);
  const { term } = await state.lead('usher', undefined, {});
  const newcomer = serverRecord('newcomer');
  const verbs: Verb[] = [
    [
      'lead, plan of all servers',
      1,
      () => state.lead('usher', term, { plan: changes(servers, servers.length) }),
    ],
    ['lead, 10 changes', 100, () => state.lead('usher', term, { plan: changes(servers, 10) })],
    ['lead, no changes', 100, () => state.lead('usher', term, {})],
    ['find', 1_000, (at) => state.find(names[(at * 7) % names.length]!)],
    ['claim, held by another', 1_000, (at) => state.claim(names[at]!, newcomer, { takeover: false })],
    ['claim, new', 1_000, (at) => state.claim(`new-${at}`, newcomer, { takeover: false })],
    ['drain', 100, (at) => state.drain(servers[at]!.id, null)],
    ['lease, 50 resources', 100, (at) => state.lease(report('a', at, servers.slice(0, 50)))],
    ...['b', 'c'].map((usher): Verb => {
      const name = `lease, a resource for each server, 500 streams (usher ${usher})`;
      return [name, 10, (at) => state.lease(report(usher, at, servers))];
    }),
    ['snapshot, nothing changed', 10, () => state.snapshot()],
  ];
  const rows: [string, string][] = [];
  for (const [name, times, run] of verbs)
    rows.push([`${name}: median, Redis CPU, from Redis`, await time(admin, times, run)]);
  return rows;
}

/** Other parents for the first of the servers. */
function changes(servers: readonly Simulated[], count: number): PlanChanges {
  const parents = servers.slice(0, 2).map(({ id }) => ({ id, relayUrl: `http://${id}.relay.example:8082` }));
  const follows = (streams: readonly string[]): Follow[] =>
    streams.map((stream) => ({ stream, rendition: 'source', parents }));
  return Object.fromEntries(
    servers.slice(0, count).map(({ id, holds }) => [id, { follows: follows(holds), successors: {} }]),
  );
}

async function time(admin: Redis, times: number, run: (at: number) => Promise<unknown>): Promise<string> {
  await admin.ping();
  const before = await counters(admin);
  const took: number[] = [];
  for (let at = 0; at < times; at++) {
    const startedAt = performance.now();
    await run(at);
    took.push(performance.now() - startedAt);
  }
  const after = await counters(admin);
  const cpuMs = ((after.cpuS - before.cpuS) * 1000) / times;
  const kib = (after.outBytes - before.outBytes) / times / 1024;
  return `${quantile(took, 0.5)} ms, ${cpuMs.toFixed(3)} ms, ${kib.toFixed(1)} KiB`;
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2);
}
