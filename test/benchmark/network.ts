// What becomes of viewers while the network between the sites of a cluster does what networks do, and its clocks, disks and code fail.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { LogLine } from '../tools/cluster/server-process.ts';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import type { FeedReader } from '../tools/media/feed-reader.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { HlsReader } from '../tools/viewers/hls-reader.ts';
import type { LinkShape } from '../tools/world/link.ts';
import { HOME, Namespaces, namespacesMissing } from '../tools/world/namespaces.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

const [EU, US, STATE] = ['eu', 'us', 'state'] as const;
const SERVERS = {
  o1: { site: EU, roles: ['origin'] as const },
  e1: { site: EU, roles: ['edge'] as const },
  e2: { site: US, roles: ['edge'] as const },
  e3: { site: US, roles: ['edge'] as const },
};
/** How long each fault lasts, and how long viewers are watched after it. */
const LASTS_MS = 10_000;
const CALM_MS = 4_000;
const HOUR_S = 3_600;
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

interface Fault {
  readonly name: string;
  /** Whether the parent that it befalls is replaced: its own viewers need another server. */
  readonly losesParent?: boolean;
  /** Breaks it; what it resolves with mends it. */
  befall(stage: Stage): Promise<() => Promise<void> | void> | (() => Promise<void> | void);
}

const between = (name: string, shape: LinkShape): Fault => ({
  name,
  befall({ network }) {
    network.shape(EU, US, shape);
    return () => network.shape(EU, US, {});
  },
});

const FAULTS: readonly Fault[] = [
  between('80 ms from site to site', { delayMs: 80 }),
  between('1 % of packets lost between sites, 40 ms', { delayMs: 40, lossShare: 0.01 }),
  between('5 % of packets lost between sites, 40 ms', { delayMs: 40, lossShare: 0.05 }),
  between('every tenth packet goes before others, 40 ms', { delayMs: 40, reorderShare: 0.1 }),
  between('20 ms of jitter, 40 ms', { delayMs: 40, jitterMs: 20 }),
  between('half the bandwidth that the stream needs', { delayMs: 40, kbps: 700 }),
  between('partition between two sites', { isCut: true }),
  {
    name: 'partition of a site from the others and from Redis',
    befall({ network }) {
      for (const other of [EU, STATE]) network.shape(US, other, { isCut: true });
      return () => {
        for (const other of [EU, STATE]) network.shape(US, other, {});
      };
    },
  },
  {
    name: 'Redis answers 200 ms later',
    befall({ network }) {
      for (const site of [HOME, EU, US]) network.shape(site, STATE, { delayMs: 100 });
      return () => {
        for (const site of [HOME, EU, US]) network.shape(site, STATE, {});
      };
    },
  },
  ...[HOUR_S, -HOUR_S].map((stepS) => ({
    name: `the clocks of all servers jump ${stepS > 0 ? 'ahead' : 'back'} by an hour`,
    befall(stage: Stage) {
      stage.setClocks(stepS);
      return () => stage.setClocks(0);
    },
  })),
  {
    name: 'a parent stands still for 2 s',
    async befall({ cluster, inner }) {
      cluster.server(inner).signal('SIGSTOP');
      await delay(2_000);
      cluster.server(inner).signal('SIGCONT');
      return () => {};
    },
  },
  {
    name: 'a parent has no file descriptors left',
    async befall({ cluster, inner }) {
      const { pid, mediaUrl } = cluster.server(inner);
      await limitDescriptors(pid, 64);
      const { hostname, port } = new URL(mediaUrl);
      const flood = Array.from({ length: 200 }, () => connect(Number(port), hostname).on('error', () => {}));
      return async () => {
        for (const socket of flood) socket.destroy();
        await limitDescriptors(pid, 4_096);
      };
    },
  },
  {
    name: 'an error in a parent that nobody catches',
    losesParent: true,
    befall({ cluster, inner }) {
      cluster.server(inner).signal('SIGUSR2');
      return () => {};
    },
  },
];

interface Finding {
  readonly fault: string;
  readonly viewers: number;
  readonly stalledMs: number;
  readonly longestGapMs: number;
  readonly lost: number;
  readonly hlsMissing: number;
  readonly hlsFailures: number;
  /** Null when it was not within `until`'s patience. */
  readonly wholeAfterMs: number | null;
  readonly said: readonly string[];
}

/** Runs once more in namespaces of its own, where nothing of this machine's network can be hurt. */
export async function benchmarkNetwork({ only }: Pick<BenchmarkOptions, 'only'>): Promise<Report> {
  const why = namespacesMissing();
  if (why) return { data: { missing: why }, text: `Nothing was measured: ${why}.\n` };
  if (process.env['HEADWATER_BENCHMARK'] === 'inside') {
    const data = await watchAll(only);
    return { data, text: textOf(data) };
  }
  const isolated = ['--net', '--mount', '--fork', '--kill-child', process.execPath];
  const child = spawn('unshare', [...isolated, ...process.argv.slice(1), '--json'], {
    env: { ...process.env, HEADWATER_BENCHMARK: 'inside' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [data] = await Promise.all([json(child.stdout) as Promise<Finding[]>, once(child, 'exit')]);
  return { data, text: textOf(data) };
}

async function watchAll(only: string): Promise<readonly Finding[]> {
  await using stage = await Stage.set();
  const findings: Finding[] = [];
  for (const fault of FAULTS.filter(({ name }) => name.includes(only))) {
    console.error(fault.name);
    findings.push(await stage.watch(fault));
  }
  return findings;
}

/** Two sites, each edge with a viewer that plays progressively, and one with a player of low-latency HLS. */
class Stage implements AsyncDisposable {
  readonly network: Namespaces;
  readonly cluster: TestCluster;
  readonly #broadcaster: Broadcaster;
  readonly #clockFile: string;
  inner = '';
  /** Of the parent that was replaced. */
  #lastWords: readonly LogLine[] = [];

  private constructor(network: Namespaces, cluster: TestCluster, clockFile: string) {
    [this.network, this.cluster, this.#clockFile] = [network, cluster, clockFile];
    this.#broadcaster = new Broadcaster(cluster.publishUrl('o1'));
  }

  static async set(): Promise<Stage> {
    await using opened = new AsyncDisposableStack();
    const network = opened.use(await Namespaces.open([EU, US], [STATE]));
    const folder = mkdtempSync(join(tmpdir(), 'headwater-network-'));
    const clockFile = join(folder, 'clock');
    writeFileSync(clockFile, '+0');
    const placeOf = (site: string) => network.place(site);
    const stateHost = network.place(STATE).host;
    const environment = { ...clockOf(clockFile), NODE_OPTIONS: `--import ${faultIn(folder)}` };
    const cluster = await TestCluster.start({
      servers: SERVERS,
      ushers: ['u1', 'u2'],
      placeOf,
      stateHost,
      environment,
    });
    opened.move();
    return new Stage(network, cluster, clockFile);
  }

  /** Of wall clocks; the monotonic ones go on. */
  setClocks(stepS: number): void {
    writeFileSync(this.#clockFile, stepS < 0 ? String(stepS) : `+${stepS}`);
  }

  async watch(fault: Fault): Promise<Finding> {
    const { cluster } = this;
    for (const id of Object.keys(SERVERS)) if (!cluster.serverIds.includes(id)) await cluster.startServer(id);
    const readers = new Map(cluster.edgeIds.map((id) => [id, cluster.read(id)]));
    for (const reader of readers.values())
      await until(
        () => `${reader.url} is read`,
        () => reader.chunks > 0,
      );
    await cluster.untilWhole();
    const parents = cluster.edgeIds.map((id) => cluster.parentOf(id));
    this.inner = cluster.edgeIds.find((id) => parents.includes(id)) ?? 'e2';
    const far = cluster.edgeIds.findLast((id) => id !== this.inner)!;
    const hls = new HlsReader({
      url: `${cluster.mediaUrl(far)}index.m3u8`,
      staysAfter: Number.POSITIVE_INFINITY,
    });
    await until(
      () => 'HLS plays',
      () => hls.sequences.length > 0,
    );
    const linesBefore = new Map(cluster.serverIds.map((id) => [id, cluster.server(id).lines.length]));
    for (const reader of readers.values()) reader.begin();
    const mend = await fault.befall(this);
    if (fault.losesParent) await this.#replaceParent(readers);
    await delay(LASTS_MS);
    await mend();
    const mendedMs = performance.now();
    const isWhole = await cluster.untilWhole().then(
      () => true,
      () => false,
    );
    const wholeAfterMs = isWhole ? performance.now() - mendedMs : null;
    await delay(CALM_MS);
    const said = this.#said(linesBefore);
    await hls.close();
    const seen = [...readers].filter(([id]) => cluster.serverIds.includes(id)).map(([, reader]) => reader);
    const finding = {
      fault: fault.name,
      viewers: seen.length,
      stalledMs: Math.max(...seen.map(({ stalledMs }) => stalledMs)),
      longestGapMs: Math.max(...seen.map(({ longestGapMs }) => longestGapMs)),
      lost: seen.reduce((sum, { lost }) => sum + lost, 0),
      hlsMissing: hls.missing,
      hlsFailures: hls.failures.length,
      wholeAfterMs,
      said,
    };
    await Promise.all([...readers.values()].map((reader) => reader[Symbol.asyncDispose]()));
    return finding;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#broadcaster[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    await this.network[Symbol.asyncDispose]();
  }

  /** Its viewers leave, and it ends by itself. */
  async #replaceParent(readers: Map<string, FeedReader>): Promise<void> {
    const { cluster, inner } = this;
    const server = cluster.server(inner);
    await readers.get(inner)?.[Symbol.asyncDispose]();
    readers.delete(inner);
    await until(
      () => `${inner} is emptied`,
      () => server.hasEnded,
    );
    this.#lastWords = server.lines;
    cluster.forget(inner);
  }

  /** Warnings and errors, each once. */
  #said(before: ReadonlyMap<string, number>): readonly string[] {
    const { cluster } = this;
    const lines = [...before].flatMap(([id, count]) =>
      (cluster.serverIds.includes(id) ? cluster.server(id).lines : this.#lastWords).slice(count),
    );
    return [...new Set(lines.filter(({ level }) => level >= 40).map(({ msg }) => msg))];
  }
}

/** faketime reads the file again at each call. */
function clockOf(file: string): NodeJS.ProcessEnv {
  if (!existsSync(FAKETIME)) throw new Error(`${FAKETIME} is not there: apt-get install faketime`);
  return {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  };
}

/** A timer that throws belongs to no session. */
function faultIn(folder: string): string {
  const file = join(folder, 'fault.mjs');
  writeFileSync(
    file,
    `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('out of the blue'); }));`,
  );
  return file;
}

async function limitDescriptors(pid: number, count: number): Promise<void> {
  await once(spawn('prlimit', ['--pid', String(pid), `--nofile=${count}:65536`]), 'exit');
}

function textOf(findings: readonly Finding[]): string {
  const head = [
    'what happens for 10 s',
    'stalled',
    'longest gap',
    'chunks lost',
    'LL-HLS',
    'whole after',
    'what servers say',
  ];
  const rows = findings.map((finding) => [
    finding.fault,
    `${(finding.stalledMs / 1000).toFixed(1)} s`,
    `${finding.longestGapMs.toFixed(0)} ms`,
    String(finding.lost),
    finding.hlsMissing + finding.hlsFailures === 0
      ? 'all there'
      : `${finding.hlsMissing} missing, ${finding.hlsFailures} requests failed`,
    finding.wholeAfterMs === null ? 'not in a minute' : `${(finding.wholeAfterMs / 1000).toFixed(1)} s`,
    finding.said.join('; ') || 'nothing',
  ]);
  return `${CAPTION}\n\n${table(head, rows)}`;
}

const CAPTION = `An origin and an edge in one site, two edges in another, two ushers and a Redis elsewhere, each site in a network namespace; a
progressive viewer on every edge and a low-latency HLS player. Stalled is the worst viewer's time beyond a second in hand, lost are the
chunks of all viewers; whole after counts from when the fault is over.`;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
