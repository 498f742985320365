// What the console costs the browser that shows it: main-thread time and bytes per second, with a large network that changes all the time.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Browser, CDPSession, Page } from 'playwright-core';
import type { Topology } from '../../network/map/topology.ts';
import type { Holding, KnownServer, Snapshot } from '../../network/state/state.ts';
import { UsherListener } from '../tools/cluster/usher-listener.ts';
import { launchChromium } from '../tools/viewers/chromium.ts';
import { clusterOf, Dice, Popularity, topologyOf } from './network-model.ts';
import { type Report, table } from './report.ts';
import type { BenchmarkOptions } from './run.ts';

interface Cost {
  readonly page: string;
  /** Of the main thread, milliseconds in each second: all tasks, and of those scripts, and styles with layout. */
  readonly tasksMsPerS: number;
  readonly scriptsMsPerS: number;
  readonly layoutMsPerS: number;
  /** Over the wire, compressed, and as the page sees it. */
  readonly wireKilobytesPerS: number;
  readonly kilobytesPerS: number;
  readonly elements: number;
}

const SIZE = { servers: 200, streams: 2_000 };
const PAGES = {
  network: '/console',
  streams: '/console/streams',
  stream: '/console/streams/stream-000000',
  servers: '/console/servers',
  server: '/console/servers/server-0000',
  explain: '/console/explain',
  events: '/console/events',
} as const;
const CHANGE_MS = 1_000;
const HOUR_MS = 3_600_000;
/** For the page to be there, and its first figures to be drawn. */
const SETTLE_MS = 4_000;
const VIEWPORT = { width: 1440, height: 900 };

export async function benchmarkConsolePage({ seconds, only }: BenchmarkOptions): Promise<Report> {
  const network = new ChangingNetwork();
  await using usher = await UsherListener.start({ state: network, topology: network.topology });
  await using wire = await Wire.to(Number(new URL(usher.url).port));
  const Authorization = `Bearer ${usher.operators.tokenUntil(Date.now() + HOUR_MS)}`;
  const browser = await launchChromium();
  try {
    const costs: Cost[] = [];
    const bench = { browser, wire, headers: { Authorization }, seconds };
    for (const [page, path] of Object.entries(PAGES))
      if (page.includes(only)) costs.push(await measure(bench, page, path));
    return { data: { ...SIZE, seconds, costs }, text: textOf(costs) };
  } finally {
    await browser.close();
  }
}

interface Bench {
  readonly browser: Browser;
  readonly wire: Wire;
  readonly headers: Readonly<Record<string, string>>;
  readonly seconds: number;
}

async function measure(bench: Bench, name: string, path: string): Promise<Cost> {
  const { browser, wire, headers } = bench;
  const context = await browser.newContext({ viewport: VIEWPORT, extraHTTPHeaders: { ...headers } });
  const page = await context.newPage();
  await page.goto(`${wire.url}${path}`);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.waitForTimeout(SETTLE_MS);
  const cost = await costOf(page, await context.newCDPSession(page), bench);
  await context.close();
  return { page: name, ...cost };
}

async function costOf(
  page: Page,
  session: CDPSession,
  { wire, seconds }: Bench,
): Promise<Omit<Cost, 'page'>> {
  let bytes = 0;
  session.on('Network.dataReceived', ({ dataLength }) => {
    bytes += dataLength;
  });
  await session.send('Network.enable');
  await session.send('Performance.enable');
  const [before, wireBefore] = [await metricsOf(session), wire.bytes];
  await page.waitForTimeout(seconds * 1_000);
  const [after, wireAfter] = [await metricsOf(session), wire.bytes];
  const elapsedS = after('Timestamp') - before('Timestamp');
  const msPerS = (...names: readonly string[]): number =>
    (1_000 * names.reduce((sum, name) => sum + after(name) - before(name), 0)) / elapsedS;
  return {
    tasksMsPerS: msPerS('TaskDuration'),
    scriptsMsPerS: msPerS('ScriptDuration'),
    layoutMsPerS: msPerS('LayoutDuration', 'RecalcStyleDuration'),
    wireKilobytesPerS: (wireAfter - wireBefore) / 1_000 / elapsedS,
    kilobytesPerS: bytes / 1_000 / elapsedS,
    elements: await page.evaluate(() => document.querySelectorAll('*').length),
  };
}

async function metricsOf(session: CDPSession): Promise<(name: string) => number> {
  const { metrics } = await session.send('Performance.getMetrics');
  const values = new Map(metrics.map(({ name, value }) => [name, value]));
  return (name) => values.get(name) ?? 0;
}

function textOf(costs: readonly Cost[]): string {
  const head = ['page', 'main thread, ms/s', 'scripts', 'styles, layout', 'kB/s', 'unpacked', 'elements'];
  const rows = costs.map((cost) => [
    cost.page,
    cost.tasksMsPerS.toFixed(1),
    cost.scriptsMsPerS.toFixed(1),
    cost.layoutMsPerS.toFixed(1),
    cost.wireKilobytesPerS.toFixed(1),
    cost.kilobytesPerS.toFixed(1),
    String(cost.elements),
  ]);
  return `${SIZE.servers} servers and ${SIZE.streams} streams, all of them changing each second\n\n${table(head, rows)}`;
}

/** Counts what goes over it to the browser. */
class Wire implements AsyncDisposable {
  readonly #server = createServer((client) => this.#join(client));
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  bytes = 0;

  private constructor(port: number) {
    this.#port = port;
  }

  static async to(port: number): Promise<Wire> {
    const wire = new Wire(port);
    wire.#server.listen(0, '127.0.0.1');
    await once(wire.#server, 'listening');
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const upstream = connect(this.#port, '127.0.0.1');
    upstream.on('data', ({ length }) => {
      this.bytes += length;
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  }
}

/** A large network as the state would tell of it: each second, every server's load and every stream's audience are others. */
class ChangingNetwork {
  readonly topology: Topology = topologyOf();
  readonly #dice = new Dice(7);
  readonly #offsetMs: number;
  #latest: Snapshot;

  constructor() {
    this.#latest = clusterOf(SIZE, new Popularity(SIZE.streams));
    this.#offsetMs = this.#latest.nowMs - Date.now();
  }

  async snapshot(): Promise<Snapshot> {
    const nowMs = Date.now() + this.#offsetMs;
    if (nowMs - this.#latest.nowMs >= CHANGE_MS * 0.9) this.#change(nowMs);
    return this.#latest;
  }

  #change(nowMs: number): void {
    const servers = this.#latest.servers.map((server): KnownServer => {
      const mbps = server.sentMbps * (0.97 + 0.06 * this.#dice.next());
      const holdings = server.holdings.map((each) => this.#changed(each));
      return { ...server, beatAtMs: nowMs, sentMbps: mbps, committedMbps: mbps, holdings };
    });
    this.#latest = { ...this.#latest, nowMs, servers };
  }

  #changed(held: Holding): Holding {
    const viewers = Math.max(0, held.viewers + Math.round(4 * this.#dice.next() - 2));
    return { ...held, viewers, arrivalsPerS: this.#dice.next() * 3, next: held.next + 30 };
  }
}
