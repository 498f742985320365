// What a server pays for what it delivers: processor seconds per gigabyte and memory per viewer, beside others.

import type { LoadRequest, LoadResult } from './load/load.ts';
import { type Contender, startFloor, startHeadwater, startNodeMediaServer } from './peers/contenders.ts';
import { CLIENT_CORE, PinnedProcess } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Case {
  readonly name: string;
  /** The case that shows what its beat costs at least. */
  readonly floor?: string;
  readonly start: () => Promise<Contender>;
}

const FLOOR_33 = 'raw socket, beat 33 ms';
const FLOOR_100 = 'raw socket, beat 100 ms';
const COMPARED = 'node-media-server HTTP-FLV';
const CASES: readonly Case[] = [
  { name: 'Headwater progressive', floor: FLOOR_33, start: () => startHeadwater({ protocol: 'endless' }) },
  {
    name: 'Headwater progressive, beat 100 ms',
    floor: FLOOR_100,
    start: () => startHeadwater({ protocol: 'endless', beatMs: 100 }),
  },
  { name: 'Headwater LL-HLS', start: () => startHeadwater({ protocol: 'hls' }) },
  { name: COMPARED, start: startNodeMediaServer },
  { name: FLOOR_33, start: () => startFloor(33) },
  { name: FLOOR_100, start: () => startFloor(100) },
];

interface Measurement {
  readonly name: string;
  readonly gigabytes: number;
  readonly cpuSeconds: number;
  /** What the server takes for the broadcast alone, in the same time. */
  readonly idleCpuSeconds: number;
  readonly cpuSecondsPerGigabyte: number;
  /** Without what the broadcast alone takes. */
  readonly netCpuSecondsPerGigabyte: number;
  readonly floor: string | undefined;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
  readonly bytesPerViewer: number;
  readonly residentBytes: number;
  readonly lost: number;
}

/** The cases take turns, so that whatever else the machine does falls on all of them; of each, the median run counts. */
export async function benchmarkDelivery(options: BenchmarkOptions): Promise<Report> {
  const cases = CASES.filter(({ name }) => name.includes(options.only));
  const all: Measurement[] = [];
  for (let run = 0; run < options.runs; run++) {
    for (const one of cases) all.push(await measure(one, options));
  }
  const measurements = cases.map(({ name }) => medianRun(all.filter((one) => one.name === name)));
  return { data: { ...options, measurements, all }, text: textOf(measurements, options) };
}

function medianRun(runs: readonly Measurement[]): Measurement {
  const sorted = runs.toSorted((one, other) => one.netCpuSecondsPerGigabyte - other.netCpuSecondsPerGigabyte);
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

/** The feed's window fills, and V8 has compiled what is hot. */
const WARM_UP_S = 12;
const IDLE_S = 5;
const SETTLE_S = 3;

async function measure(
  { name, floor, start }: Case,
  { viewers, seconds }: BenchmarkOptions,
): Promise<Measurement> {
  await using contender = await start();
  await using load = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE });
  const { server, protocol } = contender;
  const ask = <Answer>(request: LoadRequest): Promise<Answer> => load.ask<Answer>(request);
  await sleepS(WARM_UP_S);
  const idleBefore = server.cpuSeconds();
  await sleepS(IDLE_S);
  const idleCpuSeconds = ((server.cpuSeconds() - idleBefore) / IDLE_S) * seconds;
  const residentBefore = server.residentBytes();
  await ask({ kind: 'open', protocol, urls: contender.urls(viewers) });
  await sleepS(SETTLE_S);
  await ask({ kind: 'begin' });
  const cpuBefore = server.cpuSeconds();
  await sleepS(seconds);
  const cpuSeconds = server.cpuSeconds() - cpuBefore;
  const { bytes, gapMedianMs, gapP99Ms, lost } = await ask<LoadResult>({ kind: 'end' });
  const residentBytes = server.residentBytes();
  const gigabytes = bytes / 1e9;
  return {
    name,
    gigabytes,
    cpuSeconds,
    idleCpuSeconds,
    cpuSecondsPerGigabyte: cpuSeconds / gigabytes,
    netCpuSecondsPerGigabyte: (cpuSeconds - idleCpuSeconds) / gigabytes,
    floor,
    gapMedianMs,
    gapP99Ms,
    bytesPerViewer: (residentBytes - residentBefore) / viewers,
    residentBytes,
    lost,
  };
}

const HEAD = [
  'server',
  'CPU s/GB',
  'of node-media-server',
  'of raw socket',
  'net CPU s/GB',
  'of raw socket, net',
  'core',
  'gap p50 / p99 ms',
  'KiB per viewer',
  'RSS MB',
  'GB',
  'lost',
];

function textOf(measurements: readonly Measurement[], { viewers, seconds, runs }: BenchmarkOptions): string {
  const rows = measurements.map((one) => {
    const find = (name: string | undefined) => measurements.find((other) => other.name === name);
    const [compared, floor] = [find(COMPARED), find(one.floor)];
    return [
      one.name,
      one.cpuSecondsPerGigabyte.toFixed(3),
      ratio(one.cpuSecondsPerGigabyte, compared?.cpuSecondsPerGigabyte),
      ratio(one.cpuSecondsPerGigabyte, floor?.cpuSecondsPerGigabyte),
      one.netCpuSecondsPerGigabyte.toFixed(3),
      ratio(one.netCpuSecondsPerGigabyte, floor?.netCpuSecondsPerGigabyte),
      `${((one.cpuSeconds / seconds) * 100).toFixed(0)} %`,
      `${one.gapMedianMs.toFixed(0)} / ${one.gapP99Ms.toFixed(0)}`,
      (one.bytesPerViewer / 1024).toFixed(0),
      (one.residentBytes / 1e6).toFixed(0),
      one.gigabytes.toFixed(2),
      String(one.lost),
    ];
  });
  const title = `${viewers} viewers of 4 Mbps for ${seconds} s, server on one core, everything else on another`;
  return `${title}, median of ${runs} runs; net is without what the broadcast alone takes\n\n${table(HEAD, rows)}`;
}

function ratio(value: number, other: number | undefined): string {
  return other === undefined ? '' : (value / other).toFixed(2);
}

function sleepS(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
