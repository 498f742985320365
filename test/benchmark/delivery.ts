// What a server pays for what it delivers: processor seconds per gigabyte and memory per viewer, beside others.

import type { LoadRequest, LoadResult } from './load/load.ts';
import type { Contender } from './peers/contender.ts';
import { startHeadwater } from './peers/headwater.ts';
import { startNginxCache, startNginxRtmp } from './peers/nginx.ts';
import { startFloor, startNodeMediaServer } from './peers/others.ts';
import { CLIENT_CORE, PinnedProcess } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

/** What is asked for by --only. Those of one kind are compared with the one among them that is marked. */
type Kind = '33ms' | '100ms' | '350ms' | 'parts' | 'segments';

interface Case {
  readonly kind: Kind;
  readonly name: string;
  /** The others of its kind are told as shares of it. */
  readonly isMeasure?: boolean;
  readonly start: () => Promise<Contender>;
}

const CASES: readonly Case[] = [
  ...([33, 100, 350] as const).flatMap((beatMs): Case[] => [
    {
      kind: `${beatMs}ms`,
      name: `raw socket, beat ${beatMs} ms`,
      isMeasure: true,
      start: () => startFloor(beatMs),
    },
    {
      kind: `${beatMs}ms`,
      name: `Headwater progressive, beat ${beatMs} ms`,
      start: () => startHeadwater({ protocol: 'endless', beatMs }),
    },
  ]),
  { kind: '33ms', name: 'node-media-server HTTP-FLV', start: () => startNodeMediaServer('endless') },
  { kind: '33ms', name: 'nginx-rtmp RTMP', start: () => startNginxRtmp({ protocol: 'rtmp' }) },
  { kind: '100ms', name: 'node-media-server RTMP', start: () => startNodeMediaServer('rtmp') },
  {
    kind: '100ms',
    name: 'nginx-rtmp RTMP, corked',
    start: () => startNginxRtmp({ protocol: 'rtmp', isCorked: true }),
  },
  {
    kind: 'parts',
    name: 'nginx proxy_cache, LL-HLS',
    isMeasure: true,
    start: () => startNginxCache('parts'),
  },
  { kind: 'parts', name: 'Headwater LL-HLS', start: () => startHeadwater({ protocol: 'parts' }) },
  {
    kind: 'segments',
    name: 'nginx proxy_cache, segments of 2 s',
    isMeasure: true,
    start: () => startNginxCache('segments'),
  },
  {
    kind: 'segments',
    name: 'Headwater segments of 2 s',
    start: () => startHeadwater({ protocol: 'segments', keyFrameEveryS: 2 }),
  },
  {
    kind: 'segments',
    name: 'nginx static files (nginx-rtmp, MPEG-TS), segments of 2 s',
    start: () => startNginxRtmp({ protocol: 'segments' }),
  },
];

interface Measurement {
  readonly kind: Kind;
  readonly name: string;
  readonly viewers: number;
  readonly gigabytes: number;
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGigabyte: number;
  /** Without what the broadcast alone takes. */
  readonly netCpuSecondsPerGigabyte: number;
  /** As many of 4 Mbps as would take a whole core, if they went on costing what these do. */
  readonly viewersPerCore: number;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
  readonly longestP99Ms: number;
  readonly bytesPerViewer: number;
  readonly lost: number;
  /** What the viewers themselves take of their core. */
  readonly loadShare: number;
}

/** The cases take turns, so that whatever else the machine does falls on all of them; of each, the median run counts. */
export async function benchmarkDelivery(options: BenchmarkOptions): Promise<Report> {
  const cases = CASES.filter(({ kind, name }) => kind === options.only || name.includes(options.only));
  const all: Measurement[] = [];
  for (let run = 0; run < options.runs; run++)
    for (const one of cases) all.push(...(await measure(one, options)));
  const measurements = cases.flatMap(({ name }) =>
    options.viewers.map((viewers) =>
      medianRun(all.filter((one) => one.name === name && one.viewers === viewers)),
    ),
  );
  return { data: { ...options, measurements, all }, text: textOf(measurements, options) };
}

function medianRun(runs: readonly Measurement[]): Measurement {
  const sorted = runs.toSorted((one, other) => one.netCpuSecondsPerGigabyte - other.netCpuSecondsPerGigabyte);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

/** The feed's window fills, and V8 has compiled what is hot. */
const WARM_UP_S = 8;
const IDLE_S = 3;
const SETTLE_S = 3;

/** The viewers of one process, more and more of them. */
async function measure(one: Case, { viewers, seconds }: BenchmarkOptions): Promise<Measurement[]> {
  await using contender = await one.start();
  await using load = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE });
  const { server } = contender;
  await sleepS(WARM_UP_S);
  const idleBefore = server.cpuSeconds();
  await sleepS(IDLE_S);
  const idleShare = (server.cpuSeconds() - idleBefore) / IDLE_S;
  const residentBefore = server.residentBytes();
  const measurements: Measurement[] = [];
  let here = 0;
  for (const wanted of viewers) {
    const urls = contender.urls(wanted).slice(here);
    here = wanted;
    await load.ask({ kind: 'open', protocol: contender.protocol, urls } satisfies LoadRequest);
    await sleepS(SETTLE_S);
    const window = await measureWindow(server, load, seconds);
    const bytesPerViewer = (server.residentBytes() - residentBefore) / wanted;
    const { kind, name } = one;
    const idleSeconds = idleShare * seconds;
    measurements.push({ kind, name, viewers: wanted, bytesPerViewer, ...costs(window, wanted, idleSeconds) });
  }
  return measurements;
}

interface Window {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly loadSeconds: number;
  readonly result: LoadResult;
}

async function measureWindow(server: PinnedProcess, load: PinnedProcess, seconds: number): Promise<Window> {
  await load.ask({ kind: 'begin' } satisfies LoadRequest);
  const [before, loadBefore] = [server.cpuSeconds(), load.cpuSeconds()];
  await sleepS(seconds);
  const [cpuSeconds, loadSeconds] = [server.cpuSeconds() - before, load.cpuSeconds() - loadBefore];
  const result = await load.ask<LoadResult>({ kind: 'end' } satisfies LoadRequest);
  return { seconds, cpuSeconds, loadSeconds, result };
}

function costs({ seconds, cpuSeconds, loadSeconds, result }: Window, viewers: number, idleSeconds: number) {
  const { bytes, gapMedianMs, gapP99Ms, longestP99Ms, lost } = result;
  const gigabytes = bytes / 1e9;
  return {
    gigabytes,
    cpuSeconds,
    cpuSecondsPerGigabyte: cpuSeconds / gigabytes,
    netCpuSecondsPerGigabyte: (cpuSeconds - idleSeconds) / gigabytes,
    viewersPerCore: (viewers * seconds) / cpuSeconds,
    loadShare: loadSeconds / seconds,
    ...{ gapMedianMs, gapP99Ms, longestP99Ms, lost },
  };
}

const HEAD = [
  'server',
  'viewers',
  'CPU s/GB',
  'of the first',
  'net CPU s/GB',
  'of the first, net',
  'core',
  'viewers per core',
  'gap p50 / p99 / longest p99 ms',
  'KiB per viewer',
  'Mbps per viewer',
  'lost',
  'load tool',
];

function textOf(measurements: readonly Measurement[], { seconds, runs }: BenchmarkOptions): string {
  const first = (one: Measurement): Measurement | undefined =>
    measurements.find(
      ({ kind, name, viewers }) =>
        kind === one.kind && viewers === one.viewers && CASES.find((each) => each.name === name)?.isMeasure,
    );
  const rows = measurements.map((one) => [
    one.name,
    String(one.viewers),
    one.cpuSecondsPerGigabyte.toFixed(3),
    ratio(one.cpuSecondsPerGigabyte, first(one)?.cpuSecondsPerGigabyte),
    one.netCpuSecondsPerGigabyte.toFixed(3),
    ratio(one.netCpuSecondsPerGigabyte, first(one)?.netCpuSecondsPerGigabyte),
    `${((one.cpuSeconds / seconds) * 100).toFixed(0)} %`,
    one.viewersPerCore.toFixed(0),
    [one.gapMedianMs, one.gapP99Ms, one.longestP99Ms].map((ms) => ms.toFixed(0)).join(' / '),
    (one.bytesPerViewer / 1024).toFixed(0),
    ((one.gigabytes * 8000) / seconds / one.viewers).toFixed(2),
    String(one.lost),
    `${(one.loadShare * 100).toFixed(0)} %`,
  ]);
  const title = `Viewers of 4 Mbps for ${seconds} s, server on one core, everything else on another, median of ${runs}; net is without what the broadcast alone takes; where the load tool is at its limit or a viewer gets less than 4 Mbps, that is what was measured`;
  return `${title}\n\n${table(HEAD, rows)}`;
}

function ratio(value: number, other: number | undefined): string {
  return other === undefined ? '' : (value / other).toFixed(2);
}

function sleepS(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
