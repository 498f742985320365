// What becomes of a server that more want to watch than its core bears: what those who are in get, and who is turned away.

import type { LoadRequest, LoadResult, OpenedAnswer, Protocol } from './load/load.ts';
import { type HeadwaterOptions, startHeadwater } from './peers/headwater.ts';
import { CLIENT_CORE, PinnedProcess } from './processes.ts';
import { type Report, table } from './report.ts';

interface Case {
  readonly name: string;
  readonly options: HeadwaterOptions;
  /** So many come at a time, so often. */
  readonly step: number;
  readonly steps: number;
}

/** What a server does of itself: viewers are taken while its core is less than nine tenths busy. */
const CPU_LIMIT = 0.9;
const CASES: readonly Case[] = [
  {
    name: 'progressive, beat 33 ms',
    options: { protocol: 'endless', beatMs: 33, cpuLimit: CPU_LIMIT },
    step: 500,
    steps: 10,
  },
  { name: 'LL-HLS', options: { protocol: 'parts', cpuLimit: CPU_LIMIT }, step: 300, steps: 10 },
];

interface Step {
  readonly name: string;
  readonly asked: number;
  readonly refused: number;
  readonly coreShare: number;
  readonly loadShare: number;
  readonly residentBytes: number;
  readonly mbpsPerViewer: number;
  readonly result: LoadResult;
}

export async function benchmarkSaturation({ only }: { readonly only: string }): Promise<Report> {
  const steps: Step[] = [];
  for (const each of CASES) if (each.name.includes(only)) steps.push(...(await saturate(each)));
  return { data: steps, text: textOf(steps) };
}

const WARM_UP_MS = 8_000;
/** The load of the last seconds is what tells a server how much more it bears. */
const SETTLE_MS = 2_000;
const WINDOW_MS = 3_000;

async function saturate({ name, options, step, steps }: Case): Promise<Step[]> {
  await using headwater = await startHeadwater(options);
  await using load = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE });
  const urls = headwater.urls(step * steps);
  await delay(WARM_UP_MS);
  const measured: Step[] = [];
  let refused = 0;
  for (let asked = step; asked <= step * steps; asked += step) {
    refused += await open(load, headwater.protocol, urls.slice(asked - step, asked));
    await delay(SETTLE_MS);
    const window = await measure(headwater.server, load);
    const mbpsPerViewer = (window.result.bytes * 8) / 1000 / WINDOW_MS / (asked - refused);
    measured.push({ name, asked, refused, mbpsPerViewer, ...window });
  }
  return measured;
}

async function open(load: PinnedProcess, protocol: Protocol, urls: readonly string[]): Promise<number> {
  const { refused, late } = await load.ask<OpenedAnswer>({
    kind: 'open',
    protocol,
    urls,
  } satisfies LoadRequest);
  return refused + late;
}

async function measure(server: PinnedProcess, load: PinnedProcess) {
  await load.ask({ kind: 'begin' } satisfies LoadRequest);
  const [before, loadBefore] = [server.cpuSeconds(), load.cpuSeconds()];
  await delay(WINDOW_MS);
  const share = (seconds: number): number => (seconds * 1000) / WINDOW_MS;
  const [coreShare, loadShare] = [share(server.cpuSeconds() - before), share(load.cpuSeconds() - loadBefore)];
  const result = await load.ask<LoadResult>({ kind: 'end' } satisfies LoadRequest);
  return { coreShare, loadShare, result, residentBytes: server.residentBytes() };
}

const HEAD = [
  'server',
  'asked to watch',
  'turned away',
  'watch',
  'core',
  'gap p50 / p99 / longest p99 ms',
  'Mbps per viewer',
  'lost',
  'memory MiB',
  'load tool',
];

function textOf(steps: readonly Step[]): string {
  const rows = steps.map(({ result, ...step }) => [
    step.name,
    String(step.asked),
    String(step.refused),
    String(step.asked - step.refused),
    percent(step.coreShare),
    [result.gapMedianMs, result.gapP99Ms, result.longestP99Ms].map((ms) => ms.toFixed(0)).join(' / '),
    step.mbpsPerViewer.toFixed(2),
    String(result.lost),
    (step.residentBytes / 2 ** 20).toFixed(0),
    percent(step.loadShare),
  ]);
  const title = `More and more viewers of 4 Mbps, a step every ${(SETTLE_MS + WINDOW_MS) / 1000} s, on a server that takes none beyond ${percent(CPU_LIMIT)} of its core`;
  return `${title}\n\n${table(HEAD, rows)}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
