// Usher's listener on a free port, over a state and a map that a test says.

import { MemoryCatalogue } from '../../../network/archive/catalogue-memory.ts';
import { systemClock } from '../../../network/clock.ts';
import { randomName } from '../../../network/hash.ts';
import { sendOrder } from '../../../network/http/dial.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { MemoryKeyBook } from '../../../network/keys/keybook-memory.ts';
import { NO_TOPOLOGY, type Topology } from '../../../network/map/topology.ts';
import type { Whence } from '../../../network/map/whence.ts';
import { Metrics } from '../../../network/metrics.ts';
import type { LeaseAnswer, UsherReport } from '../../../network/state/lease.ts';
import type { ClusterState } from '../../../network/state/state.ts';
import { Spending } from '../../../usher/cdn/spending.ts';
import { Console } from '../../../usher/console/console.ts';
import { Operators } from '../../../usher/operators/operators.ts';
import { signInRoutes } from '../../../usher/operators/sign-in.ts';
import { Placer } from '../../../usher/placement/placer.ts';
import { DEFAULT_POLICIES } from '../../../usher/placement/price/policy.ts';
import { type RouteOptions, usherRoutes } from '../../../usher/routes.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import { serveRoutes } from './serve-routes.ts';

export const SECRETS = ['a secret for the tests'];

export interface ListenerOptions extends Partial<Omit<RouteOptions, 'state' | 'view' | 'atlas'>> {
  /** Without `lease`, this usher is the only one. */
  readonly state: Pick<ClusterState, 'snapshot'> & Partial<Pick<ClusterState, 'drain' | 'lease'>>;
  readonly topology?: Topology;
  /** Where an address is. */
  readonly locate?: (address: string) => Whence;
}

interface Opened {
  readonly metrics: Metrics;
  readonly console: Console;
  readonly operators: Operators;
  readonly placer: Placer;
}

export class UsherListener implements AsyncDisposable {
  readonly metrics: Metrics;
  readonly #server: HttpServer;
  readonly console: Console;
  readonly operators: Operators;
  readonly #placer: Placer;

  private constructor(server: HttpServer, options: Opened) {
    this.#server = server;
    this.metrics = options.metrics;
    this.console = options.console;
    this.operators = options.operators;
    this.#placer = options.placer;
  }

  static async start({ state, topology, locate, ...options }: ListenerOptions): Promise<UsherListener> {
    const metrics = new Metrics();
    const spending = new Spending();
    const placer = new Placer({
      state: {
        snapshot: () => state.snapshot(),
        lease: (report) => state.lease?.(report) ?? lendAll(report),
      },
      clock: systemClock,
      logger: keepingLogger(),
      metrics,
      // Several may share a state.
      usherId: randomName(9),
      topology: () => topology ?? NO_TOPOLOGY,
      policies: () => DEFAULT_POLICIES,
      spent: () => spending.take(systemClock.monotonic()),
    });
    const given = { clock: systemClock, secrets: SECRETS, access: 'open' as const, ...options };
    const operators = new Operators({ ...given, sessionMs: 3_600_000 });
    const logger = keepingLogger();
    const watching = new Console({
      ...given,
      view: state,
      topology: () => topology ?? NO_TOPOLOGY,
      leader: () => ({ id: 'u1', isHere: true }),
      turnedAway: () => placer.turnedAway,
      catalogue: new MemoryCatalogue(),
      operators,
      logger,
      metrics,
    });
    const routes = usherRoutes({
      view: state,
      console: watching,
      operators,
      signIn: signInRoutes({ ...given, operators, logger }),
      state: { drain: (server, drain) => state.drain!(server, drain) },
      placer,
      spending,
      catalogue: new MemoryCatalogue(),
      keyBook: new MemoryKeyBook(systemClock),
      clock: systemClock,
      logger: keepingLogger(),
      metrics,
      secrets: SECRETS,
      access: 'open',
      thumbnails: options.access === 'signed' ? 'private' : 'public',
      site: 'fra1',
      atlas: {
        locate: locate ?? (() => ({})),
        topology: () => topology ?? NO_TOPOLOGY,
        [Symbol.dispose]: () => {},
      },
      trustedProxies: [],
      newcomersPerAddress: 4_096,
      policy: async () => ({ kind: 'allowed' }),
      sendOrder,
      rtmpUrl: 'rtmp://127.0.0.1:1935/live',
      ...options,
    });
    return new UsherListener(await serveRoutes(routes), { metrics, console: watching, operators, placer });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Pages that listen to the console. */
  get listening(): number {
    return this.console.listening;
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { redirect: 'manual', ...init });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.console[Symbol.dispose]();
    await this.#server.close();
    await this.#placer[Symbol.asyncDispose]();
  }
}

/** As a state of which nobody else wants anything. */
export async function lendAll({ wants }: UsherReport): Promise<LeaseAnswer> {
  const granted = Object.entries(wants).map(([resource, { wantMbps }]) => [resource, wantMbps]);
  return { granted: Object.fromEntries(granted), month: { startMs: 0, spentMicroUsd: {} }, unsettledMs: 0 };
}
