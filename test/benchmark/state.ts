// What the cluster state costs over a real Redis: per server and second, per verb, and in memory. `node test/benchmark/state.ts`

import type { Redis } from 'ioredis';
import { sleep, systemClock } from '../../network/clock.ts';
import { MAX_DEMAND, type UsherReport } from '../../network/state/lease.ts';
import { BEAT_MS } from '../../network/state/liveness.ts';
import { RedisState } from '../../network/state/redis/state-redis.ts';
import type { Assignment, PlanChanges, ServerRecord, StreamRecord } from '../../network/state/state.ts';
import { holding, serverRecord, streamRecord, usherReport } from '../tools/cluster/cluster-records.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';

/** Ten streams for each server; each is held by its origin and two others. */
const SIZES = [
  { servers: 100, streams: 1_000 },
  { servers: 1_000, streams: 10_000 },
];
const HOLDERS = 3;
const SECONDS = 10;
const LOOK_MS = 200;
/** All servers are one process here, and wait for each other. */
const PATIENCE_MS = 10_000;

interface Simulated {
  readonly state: RedisState;
  readonly origin: readonly string[];
  readonly holds: readonly string[];
  readonly id: string;
}

for (const size of SIZES) {
  const rows = await measure(size);
  console.log(
    `\n${size.servers} servers, ${size.streams} streams, ${HOLDERS} holders each, a beat a second, ${SECONDS} s`,
  );
  for (const [name, value] of rows) console.log(`  ${name.padEnd(62)} ${value}`);
}

async function measure(size: { servers: number; streams: number }): Promise<[string, string][]> {
  await using redis = await RedisServer.start();
  const admin = redis.client();
  const address = redis.address();
  await using opened = new AsyncDisposableStack();
  const options = { clock: systemClock, logger: keepingLogger(), timeoutMs: PATIENCE_MS };
  const connect = () => opened.use(new RedisState({ address, ...options }));
  const servers = simulate(size, connect);
  for (const server of servers) await beat(server, 0);
  const rows = [
    ...(await measureBeats(admin, servers)),
    ...(await measureLooks(admin, connect(), servers)),
    ...(await measureVerbs(admin, connect(), servers)),
  ];
  const usedBytes = await keyBytes(admin);
  rows.push(['Redis memory of all keys', `${(usedBytes / 2 ** 20).toFixed(1)} MiB`]);
  admin.disconnect();
  return rows;
}

function simulate(size: { servers: number; streams: number }, connect: () => RedisState): Simulated[] {
  const all = Array.from({ length: size.servers }, (_, index) => ({ id: `server-${index}`, index }));
  const perServer = size.streams / size.servers;
  return all.map(({ id, index }) => {
    const streamsOf = (server: number) =>
      Array.from(
        { length: perServer },
        (_, at) => `stream-${((server + size.servers) % size.servers) * perServer + at}`,
      );
    const holds = Array.from({ length: HOLDERS }, (_, distance) => streamsOf(index - 7 * distance)).flat();
    return { state: connect(), id, origin: streamsOf(index), holds };
  });
}

/** All that changes from beat to beat does. */
function describe(server: Simulated, beats: number): [ServerRecord, StreamRecord[]] {
  const holdings = server.holds.map((stream, at) =>
    holding(stream, { viewers: at + beats, next: 77 * beats }),
  );
  const streams = server.origin.map((stream) =>
    streamRecord(stream, server.id, 1_800_000_000_000, { lastMsn: beats }),
  );
  return [serverRecord(server.id, { sentMbps: beats, holdings }), streams];
}

async function beat(server: Simulated, beats: number): Promise<number> {
  const [record, streams] = describe(server, beats);
  const startedAt = performance.now();
  await server.state.beat(record, streams);
  return performance.now() - startedAt;
}

async function measureBeats(admin: Redis, servers: readonly Simulated[]): Promise<[string, string][]> {
  const before = await counters(admin);
  const took = await beatAll(servers, SECONDS);
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

/** Gives how long each beat took, in ms. */
async function beatAll(servers: readonly Simulated[], seconds: number): Promise<number[]> {
  const took: number[] = [];
  const running = servers.map(async (server, index) => {
    await sleep(systemClock, (index / servers.length) * BEAT_MS);
    for (let beats = 1; beats <= seconds; beats++) {
      const [ms] = await Promise.all([beat(server, beats), sleep(systemClock, BEAT_MS)]);
      took.push(ms);
    }
  });
  await Promise.all(running);
  return took;
}

/** An usher that looks five times a second while all servers beat, after its first look. */
async function measureLooks(
  admin: Redis,
  state: RedisState,
  servers: readonly Simulated[],
): Promise<[string, string][]> {
  await state.snapshot();
  const before = await counters(admin);
  const took: number[] = [];
  let isOver = false;
  const beating = beatAll(servers, SECONDS).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const startedAt = performance.now();
    await Promise.all([
      state.snapshot().then(() => took.push(performance.now() - startedAt)),
      sleep(systemClock, LOOK_MS),
    ]);
  }
  await beating;
  const { outBytes } = await counters(admin);
  const mib = (outBytes - before.outBytes) / SECONDS / 2 ** 20;
  return [
    ['an usher that looks 5 times a second: from Redis per second', `${mib.toFixed(1)} MiB`],
    ['a look, median / 99th', `${quantile(took, 0.5)} / ${quantile(took, 0.99)} ms`],
  ];
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

async function measureVerbs(
  admin: Redis,
  state: RedisState,
  servers: readonly Simulated[],
): Promise<[string, string][]> {
  const names = servers.flatMap(({ origin }) => origin);
  const { term } = await state.lead('usher', undefined, {});
  const plan = (at: number): Assignment => ({
    follows: servers[at]!.holds.map((stream) => ({
      stream,
      rendition: 'source',
      parents: [0, 1].map((next) => ({
        id: servers[next]!.id,
        relayUrl: `http://${servers[next]!.id}.relay.example:8082`,
      })),
    })),
    successors: {},
  });
  const changes = (count: number): PlanChanges =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [servers[at]!.id, plan(at)]));
  const newcomer = serverRecord('newcomer');
  const verbs: Verb[] = [
    [
      `lead, plan of all ${servers.length} servers`,
      1,
      () => state.lead('usher', term, { plan: changes(servers.length) }),
    ],
    ['lead, 10 changes', 100, () => state.lead('usher', term, { plan: changes(10) })],
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

interface Counters {
  readonly cpuS: number;
  readonly inBytes: number;
  readonly outBytes: number;
  readonly calls: number;
}

async function counters(admin: Redis): Promise<Counters> {
  return {
    cpuS: (await info(admin, 'cpu', 'used_cpu_user')) + (await info(admin, 'cpu', 'used_cpu_sys')),
    inBytes: await info(admin, 'stats', 'total_net_input_bytes'),
    outBytes: await info(admin, 'stats', 'total_net_output_bytes'),
    calls: await scriptCalls(admin),
  };
}

async function scriptCalls(admin: Redis): Promise<number> {
  const stats = await admin.info('commandstats');
  const calls = [...stats.matchAll(/cmdstat_(?:eval|evalsha):calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}

async function keyBytes(admin: Redis): Promise<number> {
  const keys = await admin.keys('*');
  const bytes = await Promise.all(keys.map((key) => admin.memory('USAGE', key, 'SAMPLES', 0)));
  return bytes.reduce<number>((sum, used) => sum + (used ?? 0), 0);
}

async function info(admin: Redis, section: string, field: string): Promise<number> {
  const text = await admin.info(section);
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(text)![1]);
}

function quantile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!.toFixed(2);
}
