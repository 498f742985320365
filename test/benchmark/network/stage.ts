// Two sites in namespaces with a cluster, a broadcast and viewers, and what these see while something befalls it.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import type { LogLine } from '../../tools/cluster/server-process.ts';
import { TestCluster, until } from '../../tools/cluster/test-cluster.ts';
import type { FeedReader } from '../../tools/media/feed-reader.ts';
import { Broadcaster } from '../../tools/rtmp/broadcaster.ts';
import { launchChromium } from '../../tools/viewers/chromium.ts';
import { type HlsFigures, HlsPage } from '../../tools/viewers/hls-page.ts';
import { HlsReader } from '../../tools/viewers/hls-reader.ts';
import { NameServer, useNameServer } from '../../tools/world/name-server.ts';
import { HOME, Namespaces } from '../../tools/world/namespaces.ts';

export const [EU, US, STATE] = ['eu', 'us', 'state'] as const;
const SERVERS = {
  o1: { site: EU, roles: ['origin'] as const },
  e1: { site: EU, roles: ['edge'] as const },
  e2: { site: US, roles: ['edge'] as const },
  e3: { site: US, roles: ['edge'] as const },
};
/** How long each fault lasts, and how long viewers are watched after it. */
export const LASTS_MS = 10_000;
const CALM_MS = 4_000;
/** Far more than is recorded meanwhile. */
const DISK_MIB = 256;
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

export interface Fault {
  readonly name: string;
  /** Whether the parent that it befalls is replaced: its own viewers need another server. */
  readonly losesParent?: boolean;
  /** Breaks it; what it resolves with mends it. */
  befall(stage: Stage): Promise<() => Promise<void> | void> | (() => Promise<void> | void);
}

export interface Finding {
  readonly fault: string;
  /** Undefined without Chromium. */
  readonly player: HlsFigures | undefined;
  /** Whether the player showed frames again at the end. */
  readonly playsOn: boolean;
  readonly viewers: number;
  readonly stalledMs: number;
  readonly longestGapMs: number;
  readonly lost: number;
  readonly hlsMissing: number;
  readonly hlsFailures: number;
  /** Segments of the recording. */
  readonly unrecorded: number;
  /** Null when it was not within `until`'s patience. */
  readonly wholeAfterMs: number | null;
  readonly said: readonly string[];
}

/** Two sites, each edge with a viewer that plays progressively, and one with a player of low-latency HLS. */
export class Stage implements AsyncDisposable {
  readonly network: Namespaces;
  readonly cluster: TestCluster;
  readonly #broadcaster: Broadcaster;
  readonly names: NameServer;
  /** What the origin records on. */
  readonly disk: string;
  readonly #browser: Browser | undefined;
  readonly #clockFile: string;
  inner = '';
  /** Of the parent that was replaced. */
  #lastWords: readonly LogLine[] = [];

  private constructor(
    world: Pick<Stage, 'network' | 'cluster' | 'names' | 'disk'>,
    clockFile: string,
    browser: Browser | undefined,
  ) {
    this.network = world.network;
    this.cluster = world.cluster;
    this.names = world.names;
    this.disk = world.disk;
    this.#clockFile = clockFile;
    this.#browser = browser;
    this.#broadcaster = new Broadcaster(world.cluster.publishUrl('o1'));
  }

  static async set(): Promise<Stage> {
    await using opened = new AsyncDisposableStack();
    const network = opened.use(await Namespaces.open([EU, US], [STATE]));
    const folder = mkdtempSync(join(tmpdir(), 'headwater-network-'));
    const clockFile = join(folder, 'clock');
    writeFileSync(clockFile, '+0');
    const disk = smallDisk(folder);
    const sites = new Map([EU, US, STATE].map((site) => [nameOf(site), network.place(site).host]));
    const names = opened.use(await NameServer.start(network.place(HOME).host, sites));
    useNameServer(network.place(HOME).host, join(folder, 'resolv.conf'));
    const cluster = await TestCluster.start({
      servers: { ...SERVERS, o1: { ...SERVERS.o1, archive: { folders: [disk], reserveMb: 1 } } },
      ushers: ['u1', 'u2'],
      placeOf: (site) => ({ ...network.place(site), name: nameOf(site) }),
      stateHost: nameOf(STATE),
      environment: { ...clockOf(clockFile), NODE_OPTIONS: `--import ${faultIn(folder)}` },
    });
    const browser = await launchChromium().catch(() => undefined);
    opened.move();
    return new Stage({ network, cluster, names, disk }, clockFile, browser);
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
    const url = `${cluster.mediaUrl(far)}index.m3u8`;
    const hls = new HlsReader({ url, staysAfter: Number.POSITIVE_INFINITY });
    await until(
      () => 'HLS plays',
      () => hls.sequences.length > 0,
    );
    await using page = this.#browser && (await HlsPage.open(this.#browser, url));
    await page?.begin();
    const unrecordedBefore = await this.#unrecorded();
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
    const midway = await page?.figures();
    await delay(CALM_MS);
    const player = await page?.figures();
    const said = this.#said(linesBefore);
    await hls.close();
    const seen = [...readers].filter(([id]) => cluster.serverIds.includes(id)).map(([, reader]) => reader);
    const finding = {
      fault: fault.name,
      player,
      playsOn: !player || player.framesShown > midway!.framesShown,
      viewers: seen.length,
      stalledMs: Math.max(...seen.map(({ stalledMs }) => stalledMs)),
      longestGapMs: Math.max(...seen.map(({ longestGapMs }) => longestGapMs)),
      lost: seen.reduce((sum, { lost }) => sum + lost, 0),
      hlsMissing: hls.missing,
      hlsFailures: hls.failures.length,
      unrecorded: (await this.#unrecorded()) - unrecordedBefore,
      wholeAfterMs,
      said,
    };
    await Promise.all([...readers.values()].map((reader) => reader[Symbol.asyncDispose]()));
    return finding;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser?.close();
    await this.#broadcaster[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
    await this.names[Symbol.asyncDispose]();
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

  async #unrecorded(): Promise<number> {
    const metrics = await fetch(`${this.cluster.server('o1').mediaUrl}/metrics`);
    return Number(/^headwater_archive_missed_segments_total (\d+)/m.exec(await metrics.text())?.[1] ?? 0);
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

function nameOf(site: string): string {
  return `${site}.sites.example`;
}

/** A file system of its own. It goes with this process's mount namespace. */
function smallDisk(folder: string): string {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', disk]);
  return disk;
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

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
