// What all roles of a process stand on: configuration, log, metrics, health, cluster state, keys, certificates, listeners.

import type { Catalogue } from './archive/catalogue.ts';
import { openCatalogue } from './archive/open-catalogue.ts';
import type { Clock } from './clock.ts';
import { ClusterClock } from './cluster-clock.ts';
import type { Config } from './config/schema/schema.ts';
import { loadSecrets } from './config/secrets.ts';
import { describeCertificates } from './http/certificate-metrics.ts';
import { showIdentity } from './http/dial.ts';
import { Health, healthRoutes } from './http/health.ts';
import { type HttpServer, listenHttp, type Route } from './http/http.ts';
import { httpMetrics } from './http/http-metrics.ts';
import { Identity } from './http/identity.ts';
import type { KeyBook } from './keys/keybook.ts';
import { openKeyBook } from './keys/open-keybook.ts';
import type { Logger } from './logger.ts';
import { isTrusted } from './map/client-address.ts';
import { Metrics } from './metrics.ts';
import { Descriptors } from './process/descriptors.ts';
import { Stillness } from './process/stillness.ts';
import { Uncaught } from './process/uncaught.ts';
import { measured } from './state/measured-state.ts';
import { openState } from './state/open-state.ts';
import type { ClusterState } from './state/state.ts';

/** What every role of a process shares. What is opened later ends earlier. */
export interface Base {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly secrets: readonly string[];
  readonly state: ClusterState;
  readonly catalogue: Catalogue;
  readonly keyBook: KeyBook;
  /** Its wall clock is the cluster's. */
  readonly clock: Clock;
  readonly opened: AsyncDisposableStack;
  readonly uncaught: Uncaught;
  readonly descriptors: Pick<Descriptors, 'areLow'>;
  /** To viewers and broadcasters, over TLS. */
  readonly identity: Identity | undefined;
  /** To other servers, and to ushers. */
  readonly relayIdentity: Identity | undefined;
  listen(listener: 'usher' | 'media' | 'relay', port: number, routes: readonly Route[]): Promise<HttpServer>;
}

export interface BaseOptions {
  readonly config: Config;
  /** Of the program, for its metrics. */
  readonly version: string;
  /** Of this machine. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends what is opened here. */
  readonly opened: AsyncDisposableStack;
}

/** Rejects when a file that the configuration names can't be read. */
export async function openBase({ config, version, clock: own, logger, opened }: BaseOptions): Promise<Base> {
  const metrics = new Metrics();
  metrics.collectProcess(version);
  const health = new Health(metrics);
  const uncaught = opened.use(new Uncaught({ logger, metrics }));
  health.check(() => uncaught.condition);
  opened.use(new Stillness({ clock: own, logger, metrics }));
  const descriptors = opened.use(new Descriptors({ clock: own, logger }));
  health.check(() => descriptors.condition);
  const clock = new ClusterClock({ clock: own, logger, metrics });
  health.check(() => clock.condition);
  const secrets = await loadSecrets(config.secrets, config.data);
  const state = opened.use(measured(openState({ config, clock: own, logger }), { metrics, clock }));
  await firstWordOf(state);
  const catalogue = openCatalogue({ config, clock, logger, opened });
  const keyBook = openKeyBook({ config, clock, logger, opened });
  const identity = config.tls && opened.use(await Identity.open(config.tls, { clock, logger }));
  const relayIdentity =
    config.relayTls && opened.use(await openRelayIdentity(config.relayTls, { clock, logger }));
  describeCertificates(metrics, { public: identity, relay: relayIdentity });
  const tools = { config, logger, metrics, health, secrets, clock, opened, uncaught, descriptors };
  const base = { ...tools, state, catalogue, keyBook, identity, relayIdentity };
  return { ...base, listen: listensWith(base) };
}

/** What is removed because of its age, from the very start, goes by the cluster's time. A state that is away is told of later. */
async function firstWordOf(state: ClusterState): Promise<void> {
  await state.snapshot().catch(() => {});
}

/** Listeners know each other's requests by one set of metrics. */
function listensWith(base: Omit<Base, 'listen'>): Base['listen'] {
  const { config, health, metrics, opened, identity, relayIdentity } = base;
  const requests = httpMetrics(metrics);
  return async (listener, port, routes) => {
    const server = await listenHttp({
      ...base,
      host: config.bind,
      port,
      routes: [...routes, ...healthRoutes(health, metrics)],
      metrics: requests(listener),
      limits: { ...config.limits, readAheadBytes: config.limits.readAheadMb * 1_000_000 },
      isProxy: (address) => isTrusted(address, config.trustedProxies),
      ...(listener === 'relay' ? { identity: relayIdentity, clients: 'known' } : { identity }),
    });
    opened.defer(() => server.close());
    return server;
  };
}

async function openRelayIdentity(
  files: NonNullable<Config['relayTls']>,
  tools: Pick<Base, 'clock' | 'logger'>,
): Promise<Identity> {
  const identity = await Identity.open(files, tools);
  showIdentity(identity.credentials);
  identity.subscribe(showIdentity);
  return identity;
}
