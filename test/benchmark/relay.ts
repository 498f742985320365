// How long a chunk takes from server to server, and how long a stream takes to be on twenty servers. Real processes.

import { systemClock } from '../../network/clock.ts';
import type { RedisAddress } from '../../network/state/redis/redis-client.ts';
import { RedisState } from '../../network/state/redis/state-redis.ts';
import type { Assignment, Parent } from '../../network/state/state.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { RENDITION, STREAM } from '../tools/cluster/relay.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { CLIENT_CORE, PinnedProcess, SERVER_CORE } from './processes.ts';
import type { NodeReport, Order } from './relay-node.ts';
import { percentile, type Report, table } from './report.ts';

const CHAIN = 5;
const SERVERS = 20;
const FAN_OUT = 4;
const SETTLE_MS = 2_000;

interface Node {
  readonly process: PinnedProcess;
  readonly parent: Parent;
}

export async function benchmarkRelay({ seconds }: { readonly seconds: number }): Promise<Report> {
  const hops = await measureHops(seconds);
  const growth = await measureGrowth();
  const text = `${hopsTable(hops)}\n${growthTable(growth)}`;
  return { data: { hops, growth }, text };
}

interface Hop {
  readonly server: number;
  /** From the origin's writing to being appended there, and what the last hop added: µs. */
  readonly ageUs: Quantiles;
  readonly addedUs: Quantiles;
}

interface Quantiles {
  readonly median: number;
  readonly p99: number;
}

/** A chain of servers that each follow the one before. */
async function measureHops(seconds: number): Promise<Hop[]> {
  await using nodes = new AsyncDisposableStack();
  const chain = await startNodes(nodes, CHAIN);
  chain.forEach(
    (node, index) => void (index > 0 && tell(node, { kind: 'follow', parent: chain[index - 1]!.parent })),
  );
  await delay(SETTLE_MS);
  for (const node of chain) tell(node, { kind: 'begin' });
  await delay(seconds * 1000);
  const ages: Map<number, number>[] = [];
  for (const node of chain) ages.push(new Map((await report(node)).agesUs));
  return ages.slice(1).map((own, index) => {
    const before = ages[index]!;
    const common = [...own.keys()].filter((sequence) => before.has(sequence));
    const added = common.map((sequence) => own.get(sequence)! - before.get(sequence)!);
    return { server: index + 2, ageUs: quantiles([...own.values()]), addedUs: quantiles(added) };
  });
}

interface Growth {
  /** From the change of the plan to the first whole segment on the last server of each level: ms. */
  readonly levels: readonly { readonly depth: number; readonly servers: number; readonly lastMs: number }[];
  readonly totalMs: number;
}

/** All servers run and beat, and one has the stream; then the plan changes in Redis, where all learn at once whom to follow. */
async function measureGrowth(): Promise<Growth> {
  await using nodes = new AsyncDisposableStack();
  const redis = nodes.use(await RedisServer.start());
  const address = redis.address();
  const state = nodes.use(new RedisState({ address, clock: systemClock, logger: keepingLogger() }));
  const servers = await startNodes(nodes, SERVERS, address);
  await delay(SETTLE_MS);
  const parentOf = (index: number): number => Math.floor((index - 1) / FAN_OUT);
  const plan = servers.slice(1).map(({ parent: { id } }, at): [string, Assignment] => {
    const parents = [servers[parentOf(at + 1)]!.parent];
    return [id, { follows: [{ stream: STREAM, rendition: RENDITION, parents }], successors: {} }];
  });
  const beganAtMs = Number(process.hrtime.bigint()) / 1e6;
  await state.lead('usher', undefined, { plan: Object.fromEntries(plan) });
  await delay(3_000);
  const tookMs: number[][] = [];
  for (let index = 1; index < servers.length; index++) {
    const { firstSegmentAtMs = Number.POSITIVE_INFINITY } = await report(servers[index]!);
    let depth = 0;
    for (let above = index; above > 0; above = parentOf(above)) depth++;
    tookMs[depth] = [...(tookMs[depth] ?? []), firstSegmentAtMs - beganAtMs];
  }
  const levels = tookMs.map((took, depth) => ({ depth, servers: took.length, lastMs: Math.max(...took) }));
  return { levels: levels.filter(({ depth }) => depth > 0), totalMs: Math.max(...tookMs.flat()) };
}

/** The first one is the origin. With an address they are members of the cluster whose state is there. */
async function startNodes(
  opened: AsyncDisposableStack,
  count: number,
  redis?: RedisAddress,
): Promise<Node[]> {
  const starting = Array.from({ length: count }, async (_, index) => {
    const core = index % 2 === 0 ? SERVER_CORE : CLIENT_CORE;
    const args = [`s${index}`, index === 0 ? 'origin' : 'edge', ...(redis ? [JSON.stringify(redis)] : [])];
    const process = opened.use(new PinnedProcess('relay-node.ts', args, { core }));
    return { process, parent: await process.next<Parent>() };
  });
  return Promise.all(starting);
}

function tell({ process }: Node, order: Order): void {
  process.send(order);
}

function report({ process }: Node): Promise<NodeReport> {
  return process.ask<NodeReport>({ kind: 'report' } satisfies Order);
}

function quantiles(samples: readonly number[]): Quantiles {
  return { median: percentile(samples, 0.5), p99: percentile(samples, 0.99) };
}

function hopsTable(hops: readonly Hop[]): string {
  const head = ['server', 'added by the hop: median', '99 %', 'age of a chunk: median', '99 %'];
  const rows = hops.map(({ server, addedUs, ageUs }) => [
    String(server),
    ...[addedUs.median, addedUs.p99, ageUs.median, ageUs.p99].map((us) => `${(us / 1000).toFixed(2)} ms`),
  ]);
  return `A chain of ${CHAIN} servers, one stream of 4 Mbps in 77 chunks a second\n\n${table(head, rows)}`;
}

function growthTable({ levels, totalMs }: Growth): string {
  const rows = levels.map(({ depth, servers, lastMs }) => [
    String(depth),
    String(servers),
    `${lastMs.toFixed(0)} ms`,
  ]);
  const title = `From 1 to ${SERVERS} servers, fan-out ${FAN_OUT}: the first whole segment is everywhere ${totalMs.toFixed(0)} ms after the plan changed in Redis`;
  return `${title}\n\n${table(['depth', 'servers', 'last one'], rows)}`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) process.stdout.write((await benchmarkRelay({ seconds: 10 })).text);
