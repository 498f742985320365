// What a plan costs, at two sizes and in the cases that differ. `node test/benchmark/planner.ts`

import type { Holding, KnownServer, Snapshot } from '../../network/state/state.ts';
import { changesOf } from '../../usher/plan/changes.ts';
import { plan } from '../../usher/planner.ts';
import { carriedOut, DRAIN, holding, server, snapshot, stream } from '../tools/cluster/clusters.ts';
import { percentile, table } from './report.ts';

interface Size {
  readonly servers: number;
  readonly streams: number;
}

const SIZES: readonly Size[] = [
  { servers: 1_000, streams: 10_000 },
  { servers: 2_000, streams: 100_000 },
];
const SITES = 10;
const RUNS = 7;

for (const size of SIZES) {
  const near = spread(size, 2);
  const alone = spread(size, 0);
  console.log(`\n${size.servers} servers, ${size.streams} streams`);
  const rows = [
    measure('at rest, each stream on 3 servers', settled(near)),
    measure('at rest, a tenth of the streams with arrivals', arriving(settled(near))),
    measure('at rest, each stream on its origin alone', settled(alone)),
    measure('first plan of streams on 3 servers', { ...near, plan: {} }),
    measure('every origin is full: each stream needs another server', full(alone)),
    measure('the server with the most children dies', withoutBusiest(settled(near))),
    measure('one stream from 1 server to all', flashCrowd(settled(alone))),
    measure('a server is emptied', drained(settled(near))),
  ];
  console.log(table(['case', 'follows', 'changes', 'median ms', 'worst ms'], rows));
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

function measure(name: string, given: Snapshot): string[] {
  let made = plan(given);
  let changes = changesOf(given.plan, made);
  const took = Array.from({ length: RUNS }, () => {
    const startedAt = performance.now();
    made = plan(given);
    changes = changesOf(given.plan, made);
    return performance.now() - startedAt;
  });
  const follows = Object.values(made).reduce((sum, assignment) => sum + assignment.follows.length, 0);
  const times = [percentile(took, 0.5), Math.max(...took)].map((ms) => ms.toFixed(0));
  return [name, String(follows), String(Object.keys(changes).length), ...times];
}

function idOf(index: number): string {
  return `server-${String(index).padStart(4, '0')}`;
}
