// Servers with nothing but a relay, on the loopback, and a broadcast on one of them: for tests of how feeds travel.

import type { Socket } from 'node:net';
import { systemClock } from '../../../network/clock.ts';
import type { Commitments } from '../../../network/egress/commitments.ts';
import type { Feed } from '../../../network/feed/feed.ts';
import { Feeds } from '../../../network/feed/feeds.ts';
import { dial } from '../../../network/http/dial.ts';
import { type HttpServer, listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { Metrics } from '../../../network/metrics.ts';
import { Holdings, type HoldingsOptions } from '../../../network/relay/holdings.ts';
import { relayRoutes } from '../../../network/relay/relay-server.ts';
import type { Parent } from '../../../network/state/state.ts';
import { Broadcaster } from '../media/feed.ts';
import { keepingLogger, type LogLine } from '../world/keeping-logger.ts';
import { freeOutflow, roomForAll } from './commitments.ts';

export const SECRETS = ['the secret of the cluster'];
export const STREAM = 'alice';
export const RENDITION = 'source';

type RelayOptions = Partial<HoldingsOptions> & { readonly commitments?: Commitments };

export class RelayServer implements AsyncDisposable {
  readonly id: string;
  readonly feeds = new Feeds();
  readonly metrics = new Metrics();
  readonly lines: LogLine[] = [];
  readonly holdings: Holdings;
  readonly #sockets = new Set<Socket>();
  #http!: HttpServer;

  private constructor(id: string, options: Partial<HoldingsOptions>) {
    this.id = id;
    this.holdings = new Holdings({
      id,
      feeds: this.feeds,
      secrets: SECRETS,
      dial,
      clock: systemClock,
      logger: keepingLogger(this.lines, { server: id }),
      metrics: this.metrics,
      find: async () => undefined,
      readersOf: () => 0,
      ...options,
    });
  }

  static async start(id: string, options: RelayOptions = {}): Promise<RelayServer> {
    const server = new RelayServer(id, options);
    const { metrics, lines } = server;
    const logger = keepingLogger(lines, { server: id });
    const relay = relayRoutes({
      obtain: (stream, rendition) => server.holdings.obtain(stream, rendition),
      secrets: options.secrets ?? SECRETS,
      commitments: options.commitments ?? roomForAll(),
      outflow: freeOutflow(),
      clock: systemClock,
      logger,
      metrics,
    });
    server.#http = await listenHttp({
      host: '127.0.0.1',
      port: 0,
      routes: relay.map((route) => server.#watched(route)),
      clock: systemClock,
      logger,
      metrics: httpMetrics(metrics)('relay'),
    });
    return server;
  }

  get port(): number {
    return this.#http.port;
  }

  get parent(): Parent {
    return { id: this.id, relayUrl: `http://127.0.0.1:${this.port}` };
  }

  get feed(): Feed | undefined {
    for (const { stream, feed } of this.feeds.all()) if (stream === STREAM) return feed;
    return undefined;
  }

  /** Bytes that were written and that the kernel has not taken. */
  get queuedBytes(): number {
    return [...this.#sockets].reduce((sum, { writableLength }) => sum + writableLength, 0);
  }

  /** The id of the server that the feed comes from. */
  get follows(): string | undefined {
    return this.holdings.followed[0]?.parent?.id;
  }

  follow(...parents: (RelayServer | Parent)[]): void {
    const chosen = parents.map((parent) => (parent instanceof RelayServer ? parent.parent : parent));
    this.holdings.assign([{ stream: STREAM, rendition: RENDITION, parents: chosen }]);
  }

  /** As when the process is killed: every connection breaks, and nobody listens any more. */
  kill(): Promise<void> {
    this.holdings[Symbol.dispose]();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return this.#http.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #watched(route: Route): Route {
    return {
      ...route,
      handle: (exchange) => {
        const { socket } = exchange.request;
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
        return route.handle(exchange);
      },
    };
  }
}

/** Plays into a feed as time goes by, 30 frames of video and 47 of audio a second. */
export class LiveBroadcast implements Disposable {
  readonly broadcaster: Broadcaster;
  readonly #timer: NodeJS.Timeout;

  constructor(server: RelayServer, broadcaster = new Broadcaster({}, server.feeds.open(STREAM, RENDITION))) {
    this.broadcaster = broadcaster;
    this.broadcaster.play(5);
    this.#timer = setInterval(() => {
      if (this.feed.ended === undefined) this.broadcaster.frame();
    }, 33);
  }

  get feed(): Feed {
    return this.broadcaster.feed;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** What a reader of a feed saw: everything from the first chunk held on. */
export class Reader {
  readonly sequences: number[] = [];

  constructor(feed: Feed) {
    for (let sequence = feed.first; sequence < feed.next; sequence++) this.sequences.push(sequence);
    feed.subscribe((chunk) => {
      if (chunk) this.sequences.push(chunk.sequence);
    });
  }

  /** How many chunks are missing or came twice between the first and the last. */
  get faults(): number {
    return this.sequences.filter(
      (sequence, index) => index > 0 && sequence !== this.sequences[index - 1]! + 1,
    ).length;
  }
}

/** Resolves when the feed of a server is there and has reached a chunk. */
export async function untilAt(server: RelayServer, sequence: number): Promise<Feed> {
  return until(`${server.id} has chunk ${sequence}`, () =>
    server.feed && server.feed.next > sequence ? server.feed : undefined,
  );
}

export async function until<T>(
  what: string,
  look: () => T | undefined | false,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
