// What a second server adds that follows the first, as one more core of a machine has it (`cores: 2`).

import { systemClock as clock, sleep } from '../../network/clock.ts';
import type { LoadRequest, LoadResult } from './load/load.ts';
import { type Link, startChain } from './peers/chain.ts';
import { publish } from './peers/contender.ts';
import { CLIENT_CORE, PinnedProcess, SERVER_CORE } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

/**
 * Two cores are all there are, and the viewers need them as well: so neither server is driven to its limit. Each has the same
 * viewers, few enough that servers and viewers fit, and what counts is the processor time that they take: a core has room for as
 * many as that leaves. While both serve, the viewers of each are on the core of the other, which costs both some of their caches; a
 * machine whose viewers are elsewhere does better.
 */
const VIEWERS = 800;
const WARM_UP_MS = 8_000;
const SETTLE_MS = 4_000;

interface Measured {
  readonly cpuSeconds: number;
  readonly gigabytes: number;
  readonly gapP99Ms: number;
}

interface Loaded {
  readonly server: PinnedProcess;
  readonly load: PinnedProcess;
}

export async function benchmarkCores({ seconds }: BenchmarkOptions): Promise<Report> {
  await using opened = new AsyncDisposableStack();
  const { links, join } = await startChain(opened, [SERVER_CORE, CLIENT_CORE]);
  opened.use(publish('rtmp', links[0]!.rtmpPort));
  await sleep(clock, SETTLE_MS);
  await join();
  await sleep(clock, WARM_UP_MS);
  const first = await watch(opened, links[0]!, CLIENT_CORE);
  const alone = await measure([first], seconds);
  const second = await watch(opened, links[1]!, SERVER_CORE);
  const both = await measure([first, second], seconds);
  return { data: { alone, both }, text: textOf(alone, both, seconds) };
}

async function watch(opened: AsyncDisposableStack, { server, url }: Link, core: number): Promise<Loaded> {
  const load = opened.use(new PinnedProcess('load/load.ts', [], { core }));
  const urls = Array.from({ length: VIEWERS }, (_, viewer) => url(`viewer-${viewer}`, 'live.mp4'));
  await load.ask({ kind: 'open', protocol: 'endless', urls } satisfies LoadRequest);
  await sleep(clock, SETTLE_MS);
  return { server, load };
}

async function measure(all: readonly Loaded[], seconds: number): Promise<Measured[]> {
  await Promise.all(all.map(({ load }) => load.ask({ kind: 'begin' } satisfies LoadRequest)));
  const before = all.map(({ server }) => server.cpuSeconds());
  await sleep(clock, seconds * 1000);
  const cpuSeconds = all.map(({ server }, index) => server.cpuSeconds() - before[index]!);
  const end: LoadRequest = { kind: 'end' };
  const results = await Promise.all(all.map(({ load }) => load.ask<LoadResult>(end)));
  return results.map(({ bytes, gapP99Ms }, index) => {
    return { cpuSeconds: cpuSeconds[index]!, gigabytes: bytes / 1e9, gapP99Ms };
  });
}

const HEAD = ['servers', 'viewers', 'CPU s/GB', 'core', 'viewers per core', 'gap p99 ms'];

function textOf(alone: readonly Measured[], both: readonly Measured[], seconds: number): string {
  const capacity = ({ cpuSeconds }: Measured): number => (VIEWERS * seconds) / cpuSeconds;
  const row = (name: string, measured: Measured): string[] => [
    name,
    String(VIEWERS),
    (measured.cpuSeconds / measured.gigabytes).toFixed(3),
    `${((measured.cpuSeconds / seconds) * 100).toFixed(0)} %`,
    capacity(measured).toFixed(0),
    measured.gapP99Ms.toFixed(0),
  ];
  const rows = [row('one', alone[0]!), row('the first of two', both[0]!), row('the second', both[1]!)];
  const together = both.reduce((sum, each) => sum + capacity(each), 0);
  const times = (together / capacity(alone[0]!)).toFixed(2);
  const title = `Progressive viewers of 4 Mbps for ${seconds} s. By the processor time that they take, two servers on two cores have room for ${times} times as many as one; the viewers are on the same two cores`;
  return `${title}\n\n${table(HEAD, rows)}`;
}
