// What a plan costs, at two sizes and in the cases that differ. Time is that of the core, so that others on the machine do not count.

import type { Holding, KnownServer, Snapshot } from '../../../network/state/state.ts';
import { changesOf } from '../../../usher/plan/changes.ts';
import { plan } from '../../../usher/planner.ts';
import { carriedOut, DRAIN, holding, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import type { Size } from '../network-model.ts';
import { percentile, type Report, table } from '../report.ts';

const SIZES: readonly Size[] = [
  { servers: 1_000, streams: 10_000 },
  { servers: 2_000, streams: 100_000 },
];
const SITES = 10;
const RUNS = 7;
/** The core's time is counted in steps of some milliseconds: what takes less is done again and again. */
const RUN_MS = 60;

interface Result extends Size {
  readonly case: string;
  readonly follows: number;
  readonly changes: number;
  readonly medianMs: number;
  readonly worstMs: number;
}

export async function benchmarkPlanner(): Promise<Report> {
  const results = SIZES.flatMap(measureAll);
  const rows = results.map((result) => [
    `${result.servers} servers, ${result.streams} streams`,
    result.case,
    String(result.follows),
    String(result.changes),
    result.medianMs.toFixed(0),
    result.worstMs.toFixed(0),
  ]);
  const head = ['cluster', 'case', 'follows', 'changes', 'median ms', 'worst ms'];
  return { data: results, text: table(head, rows) };
}

/** Median ms of a plan in which nothing happens, and of one in which viewers come to a tenth of the streams. */
export function planMs(size: Size): { readonly rest: number; readonly arriving: number } {
  const given = settled(spread(size, 2));
  return {
    rest: measure('at rest', given, size).medianMs,
    arriving: measure('arrivals', arriving(given), size).medianMs,
  };
}

function measureAll(size: Size): Result[] {
  const near = spread(size, 2);
  const alone = spread(size, 0);
  const cases: readonly (readonly [string, () => Snapshot])[] = [
    ['at rest, each stream on 3 servers', () => settled(near)],
    ['at rest, a tenth of the streams with arrivals', () => arriving(settled(near))],
    ['at rest, each stream on its origin alone', () => settled(alone)],
    ['first plan of streams on 3 servers', () => ({ ...near, plan: {} })],
    ['every origin is full: each stream needs another server', () => full(alone)],
    ['the server with the most children dies', () => withoutBusiest(settled(near))],
    ['one stream from 1 server to all', () => flashCrowd(settled(alone))],
    ['a server is emptied', () => drained(settled(near))],
  ];
  return cases.map(([name, given]) => measure(name, given(), size));
}

/** Streams with their origins in turn, and as many other servers with viewers. */
function spread({ servers: SERVERS, streams: STREAMS }: Size, others: number): Snapshot {
  const names = Array.from({ length: STREAMS }, (_, index) => `stream-${String(index).padStart(5, '0')}`);
  const holdings = Array.from({ length: SERVERS }, (): Holding[] => []);
  for (const [index, name] of names.entries())
    for (let copy = 0; copy <= others; copy++)
      holdings[(index + copy * 37) % SERVERS]!.push(holding(name, 2));
  const servers = holdings.map((held, index) =>
    server(idOf(index), {
      roles: ['origin', 'edge'],
      site: `site-${index % SITES}`,
      egressMbps: 10_000,
      holdings: held,
    }),
  );
  return snapshot(
    servers,
    names.map((name, index) => stream(name, idOf(index % SERVERS))),
  );
}

function settled(before: Snapshot): Snapshot {
  return carriedOut(before, plan(before));
}

/** Half of the servers carry no more; theirs are the streams. */
function full(before: Snapshot): Snapshot {
  const servers = before.servers.map((each, index) =>
    index % 2 === 0 ? { ...each, sentMbps: each.egressMbps } : each,
  );
  const streams = before.streams.map((each, index) => ({
    ...each,
    origin: idOf((index * 2) % before.servers.length),
  }));
  const held = new Map<string, Holding[]>();
  for (const { name, origin } of streams) held.set(origin, [...(held.get(origin) ?? []), holding(name, 2)]);
  return {
    ...before,
    streams,
    servers: servers.map((each) => ({ ...each, holdings: held.get(each.id) ?? [] })),
  };
}

function withoutBusiest(before: Snapshot): Snapshot {
  const children = new Map<string, number>();
  for (const { follows } of Object.values(before.plan))
    for (const { parents } of follows) children.set(parents[0]!.id, (children.get(parents[0]!.id) ?? 0) + 1);
  const [busiest] = [...children].sort(([, one], [, other]) => other - one)[0]!;
  return { ...before, servers: before.servers.filter(({ id }) => id !== busiest) };
}

function arriving(before: Snapshot): Snapshot {
  const servers = before.servers.map((each) => ({
    ...each,
    holdings: each.holdings.map((held, index) => (index % 10 === 0 ? { ...held, arrivalsPerS: 0.5 } : held)),
  }));
  return { ...before, servers };
}

function drained(before: Snapshot): Snapshot {
  return { ...before, drains: { [before.servers[0]!.id]: DRAIN } };
}

function flashCrowd(before: Snapshot): Snapshot {
  const [first, ...others] = before.servers;
  const crowd = first!.holdings.map((each, index) =>
    index === 0 ? { ...each, arrivalsPerS: 450_000 } : each,
  );
  return { ...before, servers: [{ ...(first as KnownServer), holdings: crowd }, ...others] };
}

function measure(name: string, given: Snapshot, size: Size): Result {
  let made = plan(given);
  let changes = changesOf(given.plan, made);
  const perform = (times: number): number => {
    const before = process.threadCpuUsage();
    for (let done = 0; done < times; done++) {
      made = plan(given);
      changes = changesOf(given.plan, made);
    }
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1000 / times;
  };
  let times = 1;
  while (times < 1_000 && perform(times) * times < RUN_MS) times *= 2;
  const took = Array.from({ length: RUNS }, () => perform(times));
  return {
    ...size,
    case: name,
    follows: Object.values(made).reduce((sum, assignment) => sum + assignment.follows.length, 0),
    changes: Object.keys(changes).length,
    medianMs: percentile(took, 0.5),
    worstMs: Math.max(...took),
  };
}

function idOf(index: number): string {
  return `server-${String(index).padStart(4, '0')}`;
}
