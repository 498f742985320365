// A small cluster that lives for as long as it is let, with everybody coming and going by a seed: what grows in it, and who is miscounted.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../../usher/simulator/dice.ts';
import type { ServerProcess } from '../tools/cluster/server-process.ts';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { FeedReader } from '../tools/media/feed-reader.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { HlsReader } from '../tools/viewers/hls-reader.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const STREAMS = ['alice', 'bob', 'carol'] as const;
const SERVERS = {
  o1: { site: 'eu', roles: ['origin', 'edge'] as const },
  e1: { site: 'eu', roles: ['edge'] as const },
  e2: { site: 'us', roles: ['edge'] as const },
};
/** Of all servers, this one alone is killed and emptied: the others get old. */
const MORTAL = 'e2';
const LIVELY_MS = 15_000;
const STEP_MS = 500;
const MAX_VIEWERS = 12;
const SMALL = { size: '320x180', videoKbps: 200 };

/** How much more there may be at the end of the second half than at its beginning, by its slope: what chance and caches make. */
const MAY_GROW = { residentMiB: 48, heapMiB: 6, descriptors: 8, resources: 12 } as const;
type Measure = keyof typeof MAY_GROW;

interface Sample extends Readonly<Record<Measure, number>> {
  readonly process: string;
  readonly atS: number;
}

interface Grown {
  readonly process: string;
  readonly measure: Measure;
  readonly from: number;
  readonly to: number;
  readonly grewBy: number;
}

export async function benchmarkSoak({ minutes }: Pick<BenchmarkOptions, 'minutes'>): Promise<Report> {
  const soak = await Soak.begin();
  await using _ending = soak;
  const endMs = performance.now() + minutes * 60_000;
  while (performance.now() < endMs) await soak.round();
  const grown = [...new Set(soak.samples.map(({ process }) => process))].flatMap((process) =>
    growthOf(soak.samples.filter((sample) => sample.process === process)),
  );
  const { counts, miscounted, samples } = soak;
  const tooMuch = grown.filter(({ measure, grewBy }) => grewBy > MAY_GROW[measure]);
  if (tooMuch.length + miscounted.length > 0) process.exitCode = 1;
  return { data: { counts, grown, miscounted, samples }, text: textOf(minutes, counts, grown, miscounted) };
}

interface Counts {
  broadcasts: number;
  viewers: number;
  kills: number;
  drains: number;
  quietPoints: number;
}

class Soak implements AsyncDisposable {
  readonly counts: Counts = { broadcasts: 0, viewers: 0, kills: 0, drains: 0, quietPoints: 0 };
  readonly samples: Sample[] = [];
  readonly miscounted: string[] = [];
  readonly #cluster: TestCluster;
  readonly #dice = new Dice(8);
  readonly #broadcasts = new Map<string, Broadcaster>();
  readonly #viewers = new Set<() => Promise<void>>();
  readonly #begunMs = performance.now();
  #emptied: ServerProcess | undefined;

  private constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  static async begin(): Promise<Soak> {
    const environment = {
      NODE_OPTIONS: `--import ${collectorIn(mkdtempSync(join(tmpdir(), 'headwater-soak-')))}`,
    };
    const streams = [...STREAMS];
    return new Soak(await TestCluster.start({ servers: SERVERS, ushers: ['u1'], streams, environment }));
  }

  /** Some time in which much happens, then a point at which nobody watches, where all is counted. */
  async round(): Promise<void> {
    for (const stream of STREAMS) if (!this.#broadcasts.has(stream)) await this.#publish(stream);
    const quietAtMs = performance.now() + LIVELY_MS;
    let isMortalDue = this.#dice.next() < 0.5;
    while (performance.now() < quietAtMs) {
      await this.#step();
      if (isMortalDue && performance.now() > quietAtMs - LIVELY_MS / 2) {
        isMortalDue = false;
        await this.#endMortal();
      }
      await delay(STEP_MS);
    }
    await this.#quieten();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clear();
    for (const broadcast of this.#broadcasts.values()) await broadcast[Symbol.asyncDispose]();
    await this.#cluster[Symbol.asyncDispose]();
  }

  async #step(): Promise<void> {
    const toss = this.#dice.next();
    if (toss < 0.05) await this.#unpublish(this.#dice.pick([...STREAMS]));
    else if (toss < 0.1) await this.#publish(this.#dice.pick([...STREAMS]));
    else if (toss < 0.4 && this.#viewers.size > 0) await this.#leave(this.#dice.pick([...this.#viewers]));
    else if (this.#viewers.size < MAX_VIEWERS) this.#watch();
  }

  async #publish(stream: string): Promise<void> {
    await this.#unpublish(stream);
    this.#broadcasts.set(stream, new Broadcaster(this.#cluster.publishUrl('o1', stream), SMALL));
    this.counts.broadcasts++;
  }

  async #unpublish(stream: string): Promise<void> {
    await this.#broadcasts.get(stream)?.[Symbol.asyncDispose]();
    this.#broadcasts.delete(stream);
  }

  #watch(): void {
    const [id, stream] = [this.#dice.pick(this.#cluster.serverIds), this.#dice.pick([...STREAMS])];
    const base = this.#cluster.mediaUrl(id, 'source', stream);
    this.counts.viewers++;
    if (this.#dice.next() < 0.5) {
      const reader = new FeedReader(`${base}live.mp4`);
      this.#viewers.add(() => reader[Symbol.asyncDispose]());
    } else {
      const reader = new HlsReader({ url: `${base}index.m3u8`, staysAfter: 1 });
      this.#viewers.add(() => reader.close());
    }
  }

  async #leave(viewer: () => Promise<void>): Promise<void> {
    this.#viewers.delete(viewer);
    await viewer();
  }

  async #clear(): Promise<void> {
    await Promise.all([...this.#viewers].map((viewer) => this.#leave(viewer)));
  }

  async #endMortal(): Promise<void> {
    if (this.#dice.next() < 0.5) {
      await this.#cluster.kill(MORTAL);
      this.counts.kills++;
      await this.#cluster.startServer(MORTAL);
    } else {
      this.#emptied = this.#cluster.server(MORTAL);
      this.#emptied.signal('SIGTERM');
      this.counts.drains++;
    }
  }

  /** One that is emptied waits for viewers that do not know how to move. */
  async #replaceEmptied(): Promise<void> {
    const server = this.#emptied;
    if (!server) return;
    await until(
      () => `${MORTAL} is emptied`,
      () => server.hasEnded,
    );
    this.#emptied = undefined;
    this.#cluster.forget(MORTAL);
    await this.#cluster.startServer(MORTAL);
  }

  async #quieten(): Promise<void> {
    await this.#clear();
    await this.#replaceEmptied();
    this.counts.quietPoints++;
    const counted = new Map<string, number>();
    const isRight = async (): Promise<boolean> => {
      for (const id of this.#cluster.serverIds)
        counted.set(id, readValue(await this.#metrics(id), 'headwater_drain_left{kind="viewers"}'));
      return [...counted.values()].every((count) => count === 0);
    };
    await until(() => `nobody is counted where nobody is: ${JSON.stringify([...counted])}`, isRight).catch(
      (error: unknown) => this.miscounted.push(String(error)),
    );
    for (const id of this.#cluster.serverIds) await this.#sample(id);
  }

  async #sample(id: string): Promise<void> {
    const server = this.#cluster.server(id);
    server.signal('SIGUSR2');
    await delay(STEP_MS);
    const text = await this.#metrics(id);
    this.samples.push({
      process: `${id} (${server.pid})`,
      atS: Math.round((performance.now() - this.#begunMs) / 1000),
      residentMiB: readValue(text, 'process_resident_memory_bytes') / 2 ** 20,
      heapMiB: readValue(text, 'nodejs_heap_size_used_bytes') / 2 ** 20,
      descriptors: readValue(text, 'process_open_fds'),
      resources: sumOf(text, 'nodejs_active_resources{'),
    });
  }

  async #metrics(id: string): Promise<string> {
    return (await fetch(`${this.#cluster.server(id).mediaUrl}/metrics`)).text();
  }
}

/** On SIGUSR2 the process collects its garbage: what is left of the heap is in use. */
function collectorIn(folder: string): string {
  const file = join(folder, 'collect.mjs');
  writeFileSync(
    file,
    `import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect());
`,
  );
  return file;
}

function readValue(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line ? Number(line.slice(series.length + 1)) : 0;
}

/** What keeps the event loop going: sockets, pipes, requests. Timers do not, and one that is left over shows in the heap. */
function sumOf(text: string, start: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(start));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

/** Of the second half of its life, by the line that fits best. */
function growthOf(samples: readonly Sample[]): readonly Grown[] {
  const half = samples.slice(Math.floor(samples.length / 2));
  if (half.length < 3) return [];
  const spanS = half.at(-1)!.atS - half[0]!.atS;
  return (Object.keys(MAY_GROW) as Measure[]).map((measure) => ({
    process: half[0]!.process,
    measure,
    from: half[0]![measure],
    to: half.at(-1)![measure],
    grewBy: slopeOf(half.map((sample) => [sample.atS, sample[measure]])) * spanS,
  }));
}

function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const over = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return over / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

function textOf(
  minutes: number,
  counts: Counts,
  grown: readonly Grown[],
  miscounted: readonly string[],
): string {
  const rows = grown.map(({ process, measure, from, to, grewBy }) => [
    process,
    measure,
    from.toFixed(1),
    to.toFixed(1),
    `${grewBy.toFixed(1)} of ${MAY_GROW[measure]}`,
    grewBy > MAY_GROW[measure] ? 'GROWS' : 'flat',
  ]);
  const head = ['process', 'measure', 'mid-way', 'at the end', 'grew by, of what it may', 'verdict'];
  const happened = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  const wrong = miscounted.map((text) => `Miscounted: ${text}\n`).join('');
  return `In ${minutes} minutes: ${happened.join(', ')}.\n${wrong}\n${table(head, rows)}`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
