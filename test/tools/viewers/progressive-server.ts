// A media listener with progressive playback alone, for tests: feeds to write into, and what was counted.

import { createAccess } from '../../../edge/access.ts';
import { Audience } from '../../../edge/progressive/audience.ts';
import { progressiveRoutes } from '../../../edge/progressive/progressive.ts';
import { type SessionLimits, Sessions } from '../../../edge/sessions/sessions.ts';
import { type Clock, systemClock } from '../../../network/clock.ts';
import type { FeedLimits } from '../../../network/feed/feed.ts';
import { Feeds, SOURCE } from '../../../network/feed/feeds.ts';
import { listenHttp } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { createLogger } from '../../../network/logger.ts';
import { Metrics } from '../../../network/metrics.ts';
import type { Successor } from '../../../network/state/state.ts';
import { type Grant, signToken } from '../../../network/token.ts';
import { freeOutflow, roomForAll } from '../cluster/commitments.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import { SyntheticBroadcast, type SyntheticOptions } from './progressive-feed.ts';
import { ProgressiveViewer } from './progressive-viewer.ts';

export interface ServerOptions {
  readonly clock?: Clock;
  readonly beatMs?: number;
  readonly access?: 'open' | 'signed';
  readonly limits?: Partial<SessionLimits>;
  readonly window?: Partial<FeedLimits>;
}

export const SECRETS = ['the newer secret', 'the older secret'];

export class ProgressiveServer {
  readonly feeds: Feeds;
  readonly metrics = new Metrics();
  readonly logger = keepingLogger();
  readonly sessions: Sessions;
  readonly audience: Audience;
  successor: Successor | undefined;
  readonly #clock: Clock;
  readonly #access: 'open' | 'signed';
  readonly #outflow = freeOutflow();
  #port = 0;
  #close: () => Promise<void> = async () => {};

  constructor(options: ServerOptions = {}) {
    this.feeds = new Feeds(options.window);
    this.#clock = options.clock ?? systemClock;
    this.#access = options.access ?? 'open';
    const { limits = {}, beatMs } = options;
    this.audience = new Audience({
      clock: this.#clock,
      logger: this.logger,
      metrics: this.metrics,
      outflow: this.#outflow,
      beatMs,
    });
    this.sessions = new Sessions({
      clock: this.#clock,
      logger: this.logger,
      metrics: this.metrics,
      commitments: roomForAll(),
      isDraining: () => false,
      limits,
    });
  }

  static async start(options: ServerOptions = {}): Promise<ProgressiveServer> {
    const server = new ProgressiveServer(options);
    await server.#listen();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  /** Opens the source rendition of a stream. */
  broadcast(stream = 'alice', options: SyntheticOptions = {}): SyntheticBroadcast {
    return new SyntheticBroadcast(options, this.feeds.open(stream, SOURCE));
  }

  path(query = '', grant: Partial<Grant> = {}): string {
    const expiresAtMs = this.#clock.now() + 60_000;
    const token = signToken(SECRETS, {
      purpose: 'play',
      stream: 'alice',
      session: '',
      expiresAtMs,
      ...grant,
    });
    return `/play/${token}/alice/${SOURCE}/live.mp4${query}`;
  }

  url(query = '', grant: Partial<Grant> = {}): string {
    return `http://127.0.0.1:${this.#port}${this.path(query, grant)}`;
  }

  view(query = '', grant: Partial<Grant> = {}): ProgressiveViewer {
    return this.ask(`GET ${this.path(query, grant)} HTTP/1.1\r\nHost: test\r\n\r\n`);
  }

  /** Sends a request as it stands. */
  ask(request: string): ProgressiveViewer {
    return new ProgressiveViewer(this.#port, request);
  }

  /** The sum of a metric over its labels. */
  async counted(name: string): Promise<number> {
    const lines = (await this.metrics.text()).matchAll(new RegExp(`^${name}(?:{.*})? (.+)$`, 'gm'));
    return [...lines].reduce((sum, line) => sum + Number(line[1]), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { stream, rendition } of [...this.feeds.all()])
      this.feeds.close(stream, rendition, 'test is over');
    await this.#close();
  }

  async #listen(): Promise<void> {
    const { metrics, sessions, feeds } = this;
    const logger = createLogger('silent');
    const clock = this.#clock;
    const authorise = createAccess({ secrets: SECRETS, clock });
    const server = await listenHttp({
      host: '127.0.0.1',
      port: 0,
      routes: progressiveRoutes({
        feeds,
        demand: async () => undefined,
        clock,
        logger,
        metrics,
        authorise,
        sessions: sessions.progressive,
        audience: this.audience,
        successorOf: () => this.successor,
        outflow: this.#outflow,
        access: this.#access,
      }),
      clock: systemClock,
      logger,
      metrics: httpMetrics(metrics)('media'),
    });
    this.#port = server.port;
    this.#close = () => server.close();
  }
}
