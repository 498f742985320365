// What a server pays for what it delivers: processor seconds per gigabyte and memory per viewer, beside others.

import type { LoadRequest, LoadResult, OpenedAnswer, Protocol } from './load/load.ts';
import { CASES, type Case, type Kind } from './peers/cases.ts';
import { CLIENT_CORE, coreSeconds, PinnedProcess } from './processes.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Measurement {
  readonly kind: Kind;
  readonly name: string;
  readonly viewers: number;
  /** How many of them were served something. */
  readonly watching: number;
  /** Undefined when the server ended. */
  readonly figures: Figures | undefined;
}

interface Figures {
  readonly gigabytes: number;
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGigabyte: number;
  /** Without what the broadcast alone takes. */
  readonly netCpuSecondsPerGigabyte: number;
  /** As many of 4 Mbps as would take a whole core, if they went on costing what these do. */
  readonly viewersPerCore: number;
  readonly mbpsPerViewer: number;
  readonly gapMedianMs: number;
  readonly gapP99Ms: number;
  readonly longestP99Ms: number;
  readonly bytesPerViewer: number;
  readonly lost: number;
  /** What the server takes of its core. */
  readonly serverShare: number;
  /** What everything takes of the other core, and the load tool of that. */
  readonly otherShare: number;
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
  const cost = ({ figures }: Measurement): number => figures?.netCpuSecondsPerGigabyte ?? Number.MAX_VALUE;
  const sorted = runs.toSorted((one, other) => cost(one) - cost(other));
  return sorted[Math.floor((sorted.length - 1) / 2)]!;
}

/** The feed's window fills, and V8 has compiled what is hot. */
const WARM_UP_S = 8;
const IDLE_S = 3;
const SETTLE_S = 3;

/** The viewers of one process, more and more of them. */
async function measure({ kind, name, start }: Case, options: BenchmarkOptions): Promise<Measurement[]> {
  await using contender = await start();
  await using load = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE });
  await sleepS(WARM_UP_S);
  const idle = await idleOf(contender.server);
  const measurements: Measurement[] = [];
  let [asked, watching] = [0, 0];
  for (const viewers of options.viewers) {
    const urls = contender.urls(viewers).slice(asked);
    asked = viewers;
    watching += await open(load, contender.protocol, urls);
    await sleepS(SETTLE_S);
    const figures = await figuresOf({ server: contender.server, load, watching, idle }, options.seconds);
    measurements.push({ kind, name, viewers, watching, figures });
  }
  return measurements;
}

/** Gives how many of them were served something. */
async function open(load: PinnedProcess, protocol: Protocol, urls: readonly string[]): Promise<number> {
  const { refused, late } = await load.ask<OpenedAnswer>({
    kind: 'open',
    protocol,
    urls,
  } satisfies LoadRequest);
  return urls.length - refused - late;
}

/** What the broadcast alone takes. */
interface Idle {
  readonly share: number;
  readonly residentBytes: number;
}

async function idleOf(server: PinnedProcess): Promise<Idle> {
  const before = server.cpuSeconds();
  await sleepS(IDLE_S);
  return { share: (server.cpuSeconds() - before) / IDLE_S, residentBytes: server.residentBytes() };
}

interface Served {
  readonly server: PinnedProcess;
  readonly load: PinnedProcess;
  readonly watching: number;
  readonly idle: Idle;
}

/** Undefined when the server does not live to the end of it. */
async function figuresOf(served: Served, seconds: number): Promise<Figures | undefined> {
  const { server, load, watching, idle } = served;
  try {
    const bytesPerViewer = (server.residentBytes() - idle.residentBytes) / watching;
    await load.ask({ kind: 'begin' } satisfies LoadRequest);
    const sinceBegin = secondsTaken(served);
    await sleepS(seconds);
    const taken = sinceBegin();
    const result = await load.ask<LoadResult>({ kind: 'end' } satisfies LoadRequest);
    return { bytesPerViewer, ...costs(taken, result, served, seconds) };
  } catch (error) {
    if (server.hasEnded) return undefined;
    throw error;
  }
}

/** Of processor time, from now on. */
function secondsTaken({ server, load }: Served) {
  const [serverBefore, loadBefore, otherBefore] = [
    server.cpuSeconds(),
    load.cpuSeconds(),
    coreSeconds(CLIENT_CORE),
  ];
  return () => ({
    cpuSeconds: server.cpuSeconds() - serverBefore,
    loadSeconds: load.cpuSeconds() - loadBefore,
    otherSeconds: coreSeconds(CLIENT_CORE) - otherBefore,
  });
}

type Taken = ReturnType<ReturnType<typeof secondsTaken>>;

function costs(
  { cpuSeconds, loadSeconds, otherSeconds }: Taken,
  result: LoadResult,
  served: Served,
  seconds: number,
) {
  const { bytes, gapMedianMs, gapP99Ms, longestP99Ms, lost } = result;
  const { watching, idle } = served;
  const gigabytes = bytes / 1e9;
  return {
    gigabytes,
    cpuSeconds,
    cpuSecondsPerGigabyte: cpuSeconds / gigabytes,
    netCpuSecondsPerGigabyte: (cpuSeconds - idle.share * seconds) / gigabytes,
    viewersPerCore: (watching * seconds) / cpuSeconds,
    mbpsPerViewer: (gigabytes * 8000) / seconds / watching,
    serverShare: cpuSeconds / seconds,
    otherShare: otherSeconds / seconds,
    loadShare: loadSeconds / seconds,
    ...{ gapMedianMs, gapP99Ms, longestP99Ms, lost },
  };
}

const HEAD = [
  'server',
  'viewers',
  'limit',
  'CPU s/GB',
  'of the first',
  'net CPU s/GB',
  'of the first, net',
  'viewers per core',
  'gap p50 / p99 / longest p99 ms',
  'KiB per viewer',
  'Mbps per viewer',
  'lost',
  'core',
  'other core',
  'load tool',
];

function textOf(measurements: readonly Measurement[], { seconds, runs }: BenchmarkOptions): string {
  const rows = measurements.map((one) => [
    one.name,
    String(one.viewers),
    limitOf(one),
    ...(one.figures ? cellsOf(one.figures, firstOf(one, measurements)) : HEAD.slice(3).map(() => '')),
  ]);
  return `${title(seconds, runs)}\n\n${table(HEAD, rows)}`;
}

function title(seconds: number, runs: number): string {
  return [
    `Viewers of 4 Mbps for ${seconds} s, the server on one core, everything else on the other, median of ${runs}`,
    'every byte of every viewer is counted; net is without what the broadcast alone takes',
    'the limit: `server` where its core was full, and it was past saturation; `load tool` where the other core was, and the server was not what was measured',
  ].join('; ');
}

/** As many have the same of the one that they are compared with. */
function firstOf({ kind, viewers }: Measurement, measurements: readonly Measurement[]): Figures | undefined {
  const first = CASES.find((one) => one.kind === kind && one.isMeasure)?.name;
  return measurements.find((one) => one.name === first && one.viewers === viewers)?.figures;
}

/** A core is full that does nothing else for a twentieth of the time at most. */
const FULL = 0.95;

function limitOf({ viewers, watching, figures }: Measurement): string {
  if (!figures) return 'the server ended';
  return [
    ...(watching < viewers ? [`${watching} were served`] : []),
    ...(figures.serverShare > FULL ? ['server'] : []),
    ...(figures.otherShare > FULL
      ? [figures.loadShare > FULL / 2 ? 'load tool' : 'others beside the load tool']
      : []),
  ].join(', ');
}

function cellsOf(figures: Figures, first: Figures | undefined): string[] {
  const { cpuSecondsPerGigabyte, netCpuSecondsPerGigabyte, gapMedianMs, gapP99Ms, longestP99Ms } = figures;
  return [
    cpuSecondsPerGigabyte.toFixed(3),
    ratio(cpuSecondsPerGigabyte, first?.cpuSecondsPerGigabyte),
    netCpuSecondsPerGigabyte.toFixed(3),
    ratio(netCpuSecondsPerGigabyte, first?.netCpuSecondsPerGigabyte),
    figures.viewersPerCore.toFixed(0),
    [gapMedianMs, gapP99Ms, longestP99Ms].map((ms) => ms.toFixed(0)).join(' / '),
    (figures.bytesPerViewer / 1024).toFixed(0),
    figures.mbpsPerViewer.toFixed(2),
    String(figures.lost),
    ...[figures.serverShare, figures.otherShare, figures.loadShare].map(percent),
  ];
}

function ratio(value: number, other: number | undefined): string {
  return other === undefined ? '' : (value / other).toFixed(2);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function sleepS(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
