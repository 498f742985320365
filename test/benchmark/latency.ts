// From the bytes of a frame going into the broadcaster's socket to the same frame coming out of viewers' at the origin and behind one,
// two and three hops; while nobody else watches, and while the first server behind the origin has a core full of viewers.

import { systemClock as clock, sleep } from '../../network/clock.ts';
import type { LoadRequest, Protocol } from './load/load.ts';
import { type Link, startChain } from './peers/chain.ts';
import { CLIENT_CORE, PinnedProcess, SERVER_CORE } from './processes.ts';
import { percentile, type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';
import { broadcast, type FrameTimes, watchFrames } from './timed-frames.ts';

/** The server that is loaded has a core to itself; the origin, the servers behind it and all viewers share the other. */
const CORES = [CLIENT_CORE, SERVER_CORE, CLIENT_CORE, CLIENT_CORE];
const LOADED = 1;
const WANTED_SHARE = 0.8;
const NEARLY = 0.95;
interface Load {
  readonly name: string;
  readonly protocol: Protocol;
  /** What its viewers ask for. */
  readonly file: string;
}

const LOADS: readonly Load[] = [
  { name: 'progressive', protocol: 'endless', file: 'live.mp4' },
  { name: 'LL-HLS', protocol: 'parts', file: 'index.m3u8' },
];
/** By what these take of the core it is known about how many fill it. */
const FIRST_VIEWERS = 600;
/** The first seconds are those of compilation. */
const WARM_UP_MS = 4_000;
const SETTLE_MS = 3_000;

interface Row {
  readonly load: string;
  readonly hops: number;
  readonly delaysMs: readonly number[];
  /** By how much each frame came later than at the origin. */
  readonly laterMs: readonly number[];
}

export async function benchmarkLatency({ seconds }: BenchmarkOptions): Promise<Report> {
  await using opened = new AsyncDisposableStack();
  const { links, join } = await startChain(opened, CORES);
  const frames = await broadcast(opened, links[0]!.rtmpPort);
  await sleep(clock, WARM_UP_MS);
  await join();
  const watched = links.map((link, hops) =>
    watchFrames(opened, link.url(`watch-${hops}`, 'live.mp4'), frames),
  );
  await Promise.all(watched.map(({ began }) => began));
  await sleep(clock, WARM_UP_MS);
  const rows = await measure(watched, seconds, 'none');
  for (const load of LOADS) rows.push(...(await measureLoaded(links, load, watched, seconds)));
  return { data: rows, text: textOf(rows) };
}

async function measureLoaded(
  links: readonly Link[],
  load: Load,
  watched: readonly FrameTimes[],
  seconds: number,
): Promise<Row[]> {
  await using crowd = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE, isMeek: true });
  const loaded = links[LOADED]!;
  const viewers = await fill(crowd, loaded, load);
  const others = links.filter((link) => link !== loaded).map(({ server }) => server);
  const [share, otherShare] = [sharesOf([loaded.server]), sharesOf([crowd, ...others, OWN])];
  const rows = await measure(watched, seconds, '');
  const text = `${viewers} viewers, ${load.name}: ${share(seconds)} % of its core, ${otherShare(seconds)} % of the other`;
  return rows.map((row) => ({ ...row, load: text }));
}

/** Figures are the server's as long as the core that everything else shares is not full. */
const OWN = {
  cpuSeconds(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  },
};

/** Gives what some processes take of a core in per cent, from now on. */
function sharesOf(processes: readonly Pick<PinnedProcess, 'cpuSeconds'>[]): (seconds: number) => string {
  const sum = (): number => processes.reduce((total, each) => total + each.cpuSeconds(), 0);
  const before = sum();
  return (seconds) => (((sum() - before) * 100) / seconds).toFixed(0);
}

async function measure(watched: readonly FrameTimes[], seconds: number, load: string): Promise<Row[]> {
  for (const each of watched) each.begin();
  await sleep(clock, seconds * 1000);
  const delays = watched.map(({ delaysMs }) => new Map(delaysMs));
  const origin = delays[0]!;
  return delays.map((own, hops) => {
    const both = [...own].filter(([frame]) => origin.has(frame));
    const laterMs = both.map(([frame, delayMs]) => delayMs - origin.get(frame)!);
    return { load, hops, delaysMs: [...own.values()], laterMs };
  });
}

/** Gives how many viewers it took. In steps that become small: there is no way back from too many. */
async function fill(crowd: PinnedProcess, { server, url }: Link, { protocol, file }: Load): Promise<number> {
  const open = async (from: number, to: number): Promise<void> => {
    const urls = Array.from({ length: to - from }, (_, index) => url(`${protocol}-${from + index}`, file));
    await crowd.ask({ kind: 'open', protocol, urls } satisfies LoadRequest);
    await sleep(clock, SETTLE_MS);
  };
  let viewers = FIRST_VIEWERS;
  await open(0, viewers);
  for (let share = await shareOf(server); share < NEARLY * WANTED_SHARE; share = await shareOf(server)) {
    const wanted = Math.round(viewers * Math.min(2, Math.sqrt(WANTED_SHARE / share)));
    await open(viewers, wanted);
    viewers = wanted;
  }
  return viewers;
}

async function shareOf(server: PinnedProcess): Promise<number> {
  const before = server.cpuSeconds();
  await sleep(clock, SETTLE_MS);
  return ((server.cpuSeconds() - before) * 1000) / SETTLE_MS;
}

const HEAD = [
  'load of the first hop',
  'hops',
  'frames',
  'p50 ms',
  'p99 ms',
  'later than at the origin: p50 ms',
  'p99 ms',
];

function textOf(rows: readonly Row[]): string {
  const cells = rows.map(({ load, hops, delaysMs, laterMs }) => [
    load,
    String(hops),
    String(delaysMs.length),
    ...quantiles(delaysMs),
    ...(hops > 0 ? quantiles(laterMs) : ['', '']),
  ]);
  return `RTMP in at the origin to progressive playback out, on loopback, one such viewer of each server\n\n${table(HEAD, cells)}`;
}

function quantiles(samples: readonly number[]): string[] {
  return [0.5, 0.99].map((share) => percentile(samples, share).toFixed(2));
}
