// What becomes of viewers while a cluster of real processes is broken in one way after another.

import type { Browser } from 'playwright-core';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import type { FeedReader } from '../tools/media/feed-reader.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium } from '../tools/viewers/chromium.ts';
import { type HlsFigures, HlsPage } from '../tools/viewers/hls-page.ts';
import { type Report, table } from './report.ts';

const EDGES = { e1: 'eu', e2: 'eu', e3: 'eu', e4: 'us', e5: 'us', e6: 'us' };
const SERVERS = {
  o1: { site: 'eu', roles: ['origin'] as const },
  o2: { site: 'eu', roles: ['origin'] as const },
  ...Object.fromEntries(Object.entries(EDGES).map(([id, site]) => [id, { site, roles: ['edge'] as const }])),
};
const USHERS = ['u1', 'u2'];
/** Viewers are watched for so long once everything is in order again. */
const CALM_MS = 5_000;
const FROZEN_MS = 10_000;
const AWAY_MS = 20_000;

interface Fault {
  readonly name: string;
  /** Whom it befalls, if that is a server: whoever followed it may move. */
  victim?(stage: Stage): string;
  /** Whether the victim's own viewers are left out: they lose their server and need another. */
  readonly losesViewers?: boolean;
  /** Breaks something, and mends it if it is to be mended. The plan's repair counts from `mended` on if that is called. */
  befall(stage: Stage): Promise<void>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'an inner server is killed',
    victim: ({ inner }) => inner,
    losesViewers: true,
    befall: ({ cluster, inner }) => cluster.kill(inner),
  },
  {
    name: 'the leading usher is killed',
    befall: ({ cluster }) => cluster.kill(cluster.leader!),
  },
  {
    name: `Redis is away for ${AWAY_MS / 1000} s, and comes back empty`,
    async befall(stage) {
      await stage.cluster.redis.stop();
      await delay(AWAY_MS);
      await stage.cluster.redis.restart();
      stage.countFromNow();
    },
  },
  {
    name: `a parent is frozen for ${FROZEN_MS / 1000} s`,
    victim: ({ inner }) => inner,
    losesViewers: true,
    async befall({ cluster, inner }) {
      cluster.freeze(inner);
      await delay(FROZEN_MS);
      cluster.thaw(inner);
    },
  },
  {
    name: `a server hears neither its parent nor Redis for ${FROZEN_MS / 1000} s`,
    victim: ({ inner }) => inner,
    async befall({ cluster, inner }) {
      const parent = cluster.parentOf(inner)!;
      cluster.cutOff(inner, parent);
      await delay(FROZEN_MS);
      cluster.mend(inner, parent);
    },
  },
  {
    name: 'the origin is killed, and ffmpeg pushes to another',
    victim: () => 'o1',
    async befall(stage) {
      await stage.cluster.kill('o1');
      await stage.moveBroadcast('o2');
    },
  },
];

export async function benchmarkFaults({ only }: { readonly only: string }): Promise<Report> {
  await using stage = await Stage.set();
  const findings: Finding[] = [];
  for (const fault of FAULTS) if (fault.name.includes(only)) findings.push(await stage.watch(fault));
  return { data: findings, text: findingsTable(findings) };
}

interface Finding {
  readonly fault: string;
  /** By edge that lived: chunks that its viewer missed, and the longest time without one. */
  readonly edges: Readonly<Record<string, { readonly lost: number; readonly longestGapMs: number }>>;
  readonly wholeAfterMs: number;
  /** Edges that follow somebody else now although their parent lived. */
  readonly moved: readonly string[];
  readonly chromium: HlsFigures;
}

/** A cluster in which every edge has a viewer, and one a browser. */
class Stage implements AsyncDisposable {
  readonly cluster: TestCluster;
  /** An edge that others follow, and one of these. */
  inner = '';
  below = '';
  readonly #browser: Browser;
  readonly #readers = new Map<string, FeedReader>();
  #broadcaster: Broadcaster;
  #countedFromMs = 0;

  private constructor(cluster: TestCluster, browser: Browser) {
    this.cluster = cluster;
    this.#browser = browser;
    this.#broadcaster = new Broadcaster(cluster.publishUrl('o1'));
  }

  static async set(): Promise<Stage> {
    await using opened = new AsyncDisposableStack();
    const options = { servers: SERVERS, ushers: USHERS, isCuttable: true };
    const cluster = opened.use(await TestCluster.start(options));
    const stage = new Stage(cluster, await launchChromium());
    opened.move();
    return stage;
  }

  /** ffmpeg fails when its origin has gone; another begins as often as it is refused. */
  async moveBroadcast(to: string): Promise<void> {
    await this.#broadcaster.ended;
    await until(
      () => 'the broadcast goes on',
      async () => {
        this.#broadcaster = new Broadcaster(this.cluster.publishUrl(to));
        const onAir = this.cluster.server(to).logged(({ msg }) => msg === 'on air');
        return Promise.race([onAir.then(() => true), this.#broadcaster.ended.then(() => false)]);
      },
    );
  }

  countFromNow(): void {
    this.#countedFromMs = performance.now();
  }

  async watch(fault: Fault): Promise<Finding> {
    await this.#prepare();
    await using page = await HlsPage.open(this.#browser, `${this.cluster.mediaUrl(this.below)}index.m3u8`);
    await page.begin();
    const victim = fault.victim?.(this);
    const watched = this.cluster.edgeIds.filter((id) => !(fault.losesViewers && id === victim));
    const parents = this.#parents();
    for (const reader of this.#readers.values()) reader.begin();
    this.countFromNow();
    const befalling = fault.befall(this);
    await this.cluster.untilWhole();
    const wholeAtMs = performance.now();
    const wholeAfterMs = wholeAtMs - this.#countedFromMs;
    await befalling;
    await this.cluster.untilWhole();
    await delay(CALM_MS);
    const after = this.#parents();
    return {
      fault: fault.name,
      edges: Object.fromEntries(watched.map((id) => [id, this.#seenAt(id)])),
      wholeAfterMs,
      moved: watched.filter((id) => id !== victim && parents[id] !== after[id] && parents[id] !== victim),
      chromium: await page.figures(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader[Symbol.asyncDispose]()));
    await this.#browser.close();
    await this.#broadcaster[Symbol.asyncDispose]();
    await this.cluster[Symbol.asyncDispose]();
  }

  /** Starts again what was killed, gives every edge its viewer, and looks who stands where. */
  async #prepare(): Promise<void> {
    const { cluster } = this;
    for (const id of Object.keys(SERVERS)) if (!cluster.serverIds.includes(id)) await cluster.startServer(id);
    for (const id of USHERS) if (!cluster.usher(id)) await cluster.startUsher(id);
    for (const id of cluster.edgeIds) await this.#attend(id);
    await cluster.untilWhole();
    const parents = this.#parents();
    this.inner = cluster.edgeIds.find((id) => Object.values(parents).includes(id))!;
    this.below = cluster.edgeIds.find((id) => parents[id] === this.inner)!;
  }

  async #attend(id: string): Promise<void> {
    const url = `${this.cluster.mediaUrl(id)}live.mp4`;
    if (this.#readers.get(id)?.url.startsWith(this.cluster.server(id).mediaUrl)) return;
    await this.#readers.get(id)?.[Symbol.asyncDispose]();
    const reader = this.cluster.read(id);
    this.#readers.set(id, reader);
    await until(
      () => `${url} is read`,
      () => reader.chunks > 0,
    );
  }

  #seenAt(id: string): { readonly lost: number; readonly longestGapMs: number } {
    const { lost, longestGapMs } = this.#readers.get(id)!;
    return { lost, longestGapMs };
  }

  #parents(): Readonly<Record<string, string | undefined>> {
    return Object.fromEntries(this.cluster.edgeIds.map((id) => [id, this.cluster.parentOf(id)]));
  }
}

function findingsTable(findings: readonly Finding[]): string {
  const head = ['what happens', 'chunks lost', 'longest gap', 'plan whole after', 'others moved', 'Chromium'];
  const rows = findings.map(({ fault, edges, wholeAfterMs, moved, chromium }) => {
    const seen = Object.entries(edges);
    const [worst, { longestGapMs }] = seen.toSorted(
      ([, one], [, other]) => other.longestGapMs - one.longestGapMs,
    )[0]!;
    const lost = seen.reduce((sum, [, each]) => sum + each.lost, 0);
    const { stalls, stalledMs } = chromium;
    return [
      fault,
      String(lost),
      `${longestGapMs.toFixed(0)} ms at ${worst}`,
      `${(wholeAfterMs / 1000).toFixed(1)} s`,
      String(moved.length),
      stalls === 0 ? 'no stall' : `stalled for ${stalledMs.toFixed(0)} ms`,
    ];
  });
  return `${CAPTION}\n\n${table(head, rows)}`;
}

const CAPTION = `Six edges in two sites with a viewer on each, and Chromium with hls.js on one below the server that is hit; viewers on a
server that is killed or frozen are left out. Lost chunks are those of all viewers, the longest gap is the worst viewer's.`;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
