// What becomes of renditions and who watches them while workers go: five streams, three workers with two slots each, Chromium with hls.js.

import { setTimeout as delay } from 'node:timers/promises';
import { makersIn } from '../tools/cluster/makers.ts';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { clip, sources } from '../tools/media/media.ts';
import { FileBroadcast } from '../tools/rtmp/file-broadcast.ts';
import { launchChromium } from '../tools/viewers/chromium.ts';
import { type HlsFigures, HlsPage } from '../tools/viewers/hls-page.ts';
import { type Report, table } from './report.ts';

const STREAMS = ['s1', 's2', 's3', 's4', 's5'] as const;
const RUNG = '90p15';
const TRANSCODE = { preset: 'ultrafast', slots: 2 };
const WORKER = { site: 'fra1', roles: ['transcoder'], transcode: TRANSCODE } as const;
const ORIGIN = { site: 'fra1', roles: ['origin', 'edge', 'transcoder'], transcode: TRANSCODE } as const;
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '15', '-c:a', 'aac', '-f', 'flv'];
/** Viewers are watched for so long after each fault, and once all is in order again. */
const CALM_MS = 4_000;

type Stream = (typeof STREAMS)[number];

interface Fault {
  readonly name: string;
  /** Whether another worker has to make what the victim made. */
  readonly moves: boolean;
  /** Whose renditions it befalls: all those of a worker, or of one stream. */
  befalls(stage: Stage, stream: Stream): boolean;
  befall(stage: Stage): Promise<void>;
}

const ofVictim = ({ makers, victim }: Stage, stream: Stream): boolean => makers.get(stream) === victim;

const FAULTS: readonly Fault[] = [
  {
    name: 'an ffmpeg is killed',
    moves: false,
    befalls: (_, stream) => stream === 's1',
    async befall({ cluster, makers }) {
      const { pid } = cluster
        .server(makers.get('s1')!)
        .lines.findLast(({ msg, stream }) => msg === 'transcodes' && stream === 's1')!;
      process.kill(pid as number, 'SIGKILL');
    },
  },
  {
    name: 'a worker is killed',
    moves: true,
    befalls: ofVictim,
    befall: ({ cluster, victim }) => cluster.kill(victim),
  },
  {
    name: 'a worker stands still',
    moves: true,
    befalls: ofVictim,
    befall: async ({ cluster, victim }) => cluster.freeze(victim),
  },
  {
    name: 'a worker is emptied',
    moves: true,
    befalls: ofVictim,
    befall: ({ cluster, victim }) => cluster.drain(victim),
  },
];

export async function benchmarkWorkers({ only }: { readonly only: string }): Promise<Report> {
  await using stage = await Stage.set();
  const findings: Finding[] = [];
  for (const fault of FAULTS) if (fault.name.includes(only)) findings.push(await stage.watch(fault));
  const head = [
    'fault',
    'renditions',
    'chunks lost',
    'repeated',
    'longest gap',
    'hls.js stalled',
    'made again',
  ];
  const rows = findings.flatMap(({ fault, wholeAfterMs, hit, others }) =>
    [hit, others].map((some, index) => [
      ...[fault, index === 0 ? 'those hit' : 'others', String(some.lost), String(some.repeated)],
      `${some.longestGapMs.toFixed(0)} ms`,
      `${some.stalls} times, ${some.stalledMs.toFixed(0)} ms`,
      index === 0 && wholeAfterMs !== undefined ? `after ${wholeAfterMs.toFixed(0)} ms` : '',
    ]),
  );
  return { data: findings, text: table(head, rows) };
}

interface Seen extends Pick<HlsFigures, 'stalls' | 'stalledMs'> {
  readonly lost: number;
  readonly repeated: number;
  readonly longestGapMs: number;
}

interface Finding {
  readonly fault: string;
  readonly wholeAfterMs: number | undefined;
  readonly hit: Seen;
  readonly others: Seen;
}

class Stage implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly #opened: AsyncDisposableStack;
  readonly #readers = new Map<Stream, ReturnType<TestCluster['read']>>();
  readonly #pages = new Map<Stream, HlsPage>();
  makers: ReadonlyMap<string, string> = new Map();
  /** Who makes the rendition of the first stream that another than the origin makes. */
  victim = '';

  private constructor(cluster: TestCluster, opened: AsyncDisposableStack) {
    this.cluster = cluster;
    this.#opened = opened;
  }

  static async set(): Promise<Stage> {
    await using opened = new AsyncDisposableStack();
    const servers = { o: ORIGIN, w1: WORKER, w2: WORKER, w3: WORKER };
    const usherConfig = { transcode: { ladder: [RUNG] } };
    const cluster = opened.use(
      await TestCluster.start({ servers, ushers: ['u'], usherConfig, streams: STREAMS }),
    );
    const flv = clip('flv', [...sources({ seconds: 30, size: '160x120', rate: '15' }), ...ENCODED]);
    for (const stream of STREAMS) opened.use(new FileBroadcast(cluster.publishUrl('o', stream), flv));
    const stage = new Stage(cluster, new AsyncDisposableStack());
    await stage.#untilMade(() => true);
    const browser = await launchChromium();
    opened.defer(() => browser.close());
    for (const stream of STREAMS) {
      stage.#readers.set(stream, opened.use(cluster.read('o', RUNG, stream)));
      const page = await HlsPage.open(browser, `${cluster.mediaUrl('o', RUNG, stream)}index.m3u8`);
      stage.#pages.set(stream, opened.use(page));
    }
    stage.#opened.use(opened.move());
    return stage;
  }

  async watch(fault: Fault): Promise<Finding> {
    const { cluster, makers } = this;
    this.victim = makers.values().find((id) => id !== 'o')!;
    const isHit = new Map(STREAMS.map((stream) => [stream, fault.befalls(this, stream)]));
    for (const reader of this.#readers.values()) reader.begin();
    for (const page of this.#pages.values()) await page.begin();
    const startedAtMs = performance.now();
    await fault.befall(this);
    await this.#untilMade((id) => !(fault.moves && id === this.victim));
    const wholeAfterMs = fault.moves ? performance.now() - startedAtMs : undefined;
    await delay(CALM_MS);
    const finding = {
      fault: fault.name,
      wholeAfterMs,
      hit: await this.#seen((stream) => isHit.get(stream)!),
      others: await this.#seen((stream) => !isHit.get(stream)!),
    };
    if (cluster.serverIds.includes(this.victim)) cluster.thaw(this.victim);
    else await cluster.startServer(this.victim);
    return finding;
  }

  async #seen(is: (stream: Stream) => boolean): Promise<Seen> {
    const some = STREAMS.filter(is);
    const readers = some.map((stream) => this.#readers.get(stream)!);
    const pages = await Promise.all(some.map((stream) => this.#pages.get(stream)!.figures()));
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    return {
      lost: sum(readers.map(({ lost }) => lost)),
      repeated: sum(readers.map(({ repeated }) => repeated)),
      longestGapMs: Math.max(...readers.map(({ longestGapMs }) => longestGapMs)),
      stalls: sum(pages.map(({ stalls }) => stalls)),
      stalledMs: Math.max(...pages.map(({ stalledMs }) => stalledMs)),
    };
  }

  async #untilMade(mayBe: (id: string) => boolean): Promise<void> {
    await until(
      () => `all renditions are made: ${JSON.stringify([...this.makers])}`,
      async () => {
        this.makers = makersIn(await this.cluster.snapshot());
        return this.makers.size === STREAMS.length && this.makers.values().every(mayBe);
      },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#opened.disposeAsync();
  }
}
