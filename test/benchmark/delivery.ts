// What a server pays for what it delivers: processor seconds per gigabyte and memory per viewer, beside others.

import { type Contender, startFloor, startHeadwater, startNodeMediaServer } from './contenders.ts';
import type { LoadRequest, LoadResult } from './load.ts';
import { CLIENT_CORE, PinnedProcess } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Case {
  readonly name: string;
  readonly start: () => Promise<Contender>;
}

const CASES: readonly Case[] = [
  { name: 'Headwater progressive', start: () => startHeadwater({ protocol: 'endless' }) },
  {
    name: 'Headwater progressive, beat 100 ms',
    start: () => startHeadwater({ protocol: 'endless', beatMs: 100 }),
  },
  { name: 'Headwater LL-HLS', start: () => startHeadwater({ protocol: 'hls' }) },
  { name: 'node-media-server HTTP-FLV', start: startNodeMediaServer },
  { name: 'raw socket, beat 33 ms', start: () => startFloor(33) },
  { name: 'raw socket, beat 100 ms', start: () => startFloor(100) },
];

interface Measurement {
  readonly name: string;
  readonly gigabytes: number;
  readonly cpuSeconds: number;
  /** What the server takes for the broadcast alone, in the same time. */
  readonly idleCpuSeconds: number;
  readonly cpuSecondsPerGigabyte: number;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
  readonly bytesPerViewer: number;
  readonly residentBytes: number;
  readonly lost: number;
}

export async function benchmarkDelivery(options: BenchmarkOptions): Promise<Report> {
  const measurements: Measurement[] = [];
  for (const one of CASES.filter(({ name }) => name.includes(options.only))) {
    measurements.push(await measure(one, options));
  }
  return { data: { ...options, measurements }, text: textOf(measurements, options) };
}

/** The feed's window fills, and V8 has compiled what is hot. */
const WARM_UP_S = 12;
const IDLE_S = 5;
const SETTLE_S = 3;

async function measure({ name, start }: Case, { viewers, seconds }: BenchmarkOptions): Promise<Measurement> {
  await using contender = await start();
  await using load = new PinnedProcess('load.ts', [], { core: CLIENT_CORE });
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
    gapMedianMs,
    gapP99Ms,
    bytesPerViewer: (residentBytes - residentBefore) / viewers,
    residentBytes,
    lost,
  };
}

function textOf(measurements: readonly Measurement[], { viewers, seconds }: BenchmarkOptions): string {
  const compared = measurements.find(({ name }) => name.startsWith('node-media-server'));
  const rows = measurements.map((one) => [
    one.name,
    one.cpuSecondsPerGigabyte.toFixed(3),
    compared ? (one.cpuSecondsPerGigabyte / compared.cpuSecondsPerGigabyte).toFixed(2) : '',
    ((one.cpuSeconds - one.idleCpuSeconds) / one.gigabytes).toFixed(3),
    `${((one.cpuSeconds / seconds) * 100).toFixed(0)} %`,
    `${one.gapMedianMs.toFixed(0)} / ${one.gapP99Ms.toFixed(0)}`,
    (one.bytesPerViewer / 1024).toFixed(0),
    (one.residentBytes / 1e6).toFixed(0),
    one.gigabytes.toFixed(2),
    String(one.lost),
  ]);
  const head = [
    'server',
    'CPU s/GB',
    'of node-media-server',
    'without the broadcast itself',
    'core',
    'gap p50 / p99 ms',
    'KiB per viewer',
    'RSS MB',
    'GB',
    'lost',
  ];
  return `${viewers} viewers of 4 Mbps for ${seconds} s, server on one core, everything else on another\n\n${table(head, rows)}`;
}

function sleepS(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
