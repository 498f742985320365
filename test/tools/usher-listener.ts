// Usher's listener on a free port, over a state and a map that a test says.

import { MemoryCatalogue } from '../../network/archive/catalogue-memory.ts';
import { systemClock } from '../../network/clock.ts';
import type { HttpServer } from '../../network/http.ts';
import type { Whence } from '../../network/map/atlas.ts';
import { NO_TOPOLOGY, type Topology } from '../../network/map/topology.ts';
import { Metrics } from '../../network/metrics.ts';
import type { ClusterState } from '../../network/state/state.ts';
import { type UsherOptions, usherRoutes } from '../../usher/usher.ts';
import { serveRoutes } from './serve-routes.ts';

export const SECRETS = ['a secret for the tests'];

export interface ListenerOptions extends Partial<Omit<UsherOptions, 'state' | 'view' | 'atlas'>> {
  readonly state: Pick<ClusterState, 'snapshot'> & Partial<Pick<ClusterState, 'drain'>>;
  readonly topology?: Topology;
  /** Where an address is. */
  readonly locate?: (address: string) => Whence;
}

export class UsherListener implements AsyncDisposable {
  readonly metrics: Metrics;
  readonly #server: HttpServer;

  private constructor(server: HttpServer, metrics: Metrics) {
    this.#server = server;
    this.metrics = metrics;
  }

  static async start({ state, topology, locate, ...options }: ListenerOptions): Promise<UsherListener> {
    const metrics = new Metrics();
    const routes = usherRoutes({
      view: state,
      state: { drain: (server, drain) => state.drain!(server, drain) },
      catalogue: new MemoryCatalogue(),
      clock: systemClock,
      metrics,
      secrets: SECRETS,
      access: 'open',
      site: 'fra1',
      atlas: {
        locate: locate ?? (() => ({})),
        topology: () => topology ?? NO_TOPOLOGY,
        [Symbol.dispose]: () => {},
      },
      trustedProxies: [],
      rtmpUrl: 'rtmp://127.0.0.1:1935/live',
      ...options,
    });
    return new UsherListener(await serveRoutes(routes), metrics);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { redirect: 'manual', ...init });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.close();
  }
}
