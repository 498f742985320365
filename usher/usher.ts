// The usher role: places viewers, leads the cluster when it is its turn, and answers whoever asks.

import type { Catalogue } from '../network/archive/catalogue.ts';
import type { Clock } from '../network/clock.ts';
import { publishPolicyOf } from '../network/config/publish-policy.ts';
import type { Config } from '../network/config/schema/schema.ts';
import { randomName } from '../network/hash.ts';
import { postJson, sendOrder } from '../network/http/dial.ts';
import type { Health } from '../network/http/health.ts';
import type { Route } from '../network/http/http.ts';
import type { KeyBook } from '../network/keys/keybook.ts';
import { MemoryOfKeys } from '../network/keys/memory-of-keys.ts';
import { Revocations } from '../network/keys/revocations.ts';
import type { Logger } from '../network/logger.ts';
import { openAtlas } from '../network/map/atlas.ts';
import type { Topology } from '../network/map/topology.ts';
import type { Metrics } from '../network/metrics.ts';
import type { ClusterState } from '../network/state/state.ts';
import { Spending } from './cdn/spending.ts';
import { describeCluster } from './cluster-metrics.ts';
import { Console } from './console/console.ts';
import type { Look } from './console/figures/look.ts';
import { Controller } from './controller.ts';
import { laddersOf } from './ladders.ts';
import { openSignIn, operatorsOf } from './operators/open-sign-in.ts';
import { Placer } from './placement/placer.ts';
import { openPolicies } from './placement/price/policy-file.ts';
import { usherRoutes } from './routes.ts';
import { View } from './view.ts';

export interface UsherOptions {
  readonly config: Pick<
    Config,
    | 'state'
    | 'map'
    | 'policies'
    | 'site'
    | 'playback'
    | 'publish'
    | 'secrets'
    | 'trustedProxies'
    | 'limits'
    | 'transcode'
    | 'metrics'
    | 'operators'
    | 'data'
    | 'archive'
  >;
  readonly state: ClusterState;
  readonly catalogue: Pick<Catalogue, 'list' | 'recent'>;
  readonly keyBook: KeyBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Pick<Health, 'check'>;
  readonly secrets: readonly string[];
  /** What broadcasters push to, as the pages say it. */
  readonly rtmpUrl: string;
}

export interface Usher extends AsyncDisposable {
  readonly routes: readonly Route[];
}

/** Rejects when a file that the configuration names can't be read. */
export async function openUsher(options: UsherOptions): Promise<Usher> {
  const { config, state, clock, logger, metrics } = options;
  await using opened = new AsyncDisposableStack();
  const seen = config.state.redis ? opened.use(new View({ state, clock, logger })) : undefined;
  const view = seen ?? state;
  if (seen) options.health.check(() => seen.condition);
  const atlas = opened.use(await openAtlas(config.map, { clock, logger }));
  const policies = opened.use(await openPolicies(config.policies, { clock, logger }));
  const topology = (): Topology => atlas.topology();
  const ladders = laddersOf(config.transcode);
  const usherId = randomName(9);
  const spending = new Spending();
  const placer = opened.use(
    new Placer({
      state: { snapshot: () => view.snapshot(), lease: (report) => state.lease(report) },
      clock,
      logger,
      metrics,
      usherId,
      topology,
      policies: () => policies.value,
      spent: () => spending.take(clock.monotonic()),
      onCrowd: () => controller.wake(),
    }),
  );
  const controller: Controller = opened.use(
    new Controller({
      state,
      clock,
      logger,
      metrics,
      topology,
      policies: () => policies.value,
      ladders,
      usherId,
    }),
  );
  const { site, trustedProxies, playback } = config;
  const { access, thumbnails = access === 'open' ? 'public' : 'private' } = playback;
  opened.use(new MemoryOfKeys({ book: options.keyBook, clock, logger }));
  const revocations = opened.use(new Revocations({ book: options.keyBook, clock, logger }));
  const operators = operatorsOf(options);
  const watching = opened.use(
    new Console({
      ...options,
      view,
      topology,
      leader: () => leaderOf(controller),
      turnedAway: () => placer.turnedAway,
      operators,
      access,
    }),
  );
  describeCluster({
    metrics,
    scene: () => placer.latest,
    ageS: () => seen?.ageS ?? 0,
    cdnViewers: () => watching.audience.byCdn(clock.monotonic()),
    topStreams: config.metrics.topStreams,
  });
  const policy = publishPolicyOf(config, options.secrets, postJson, revocations);
  const routes = usherRoutes({
    ...options,
    sendsToStore: (config.archive.storage?.s3?.signedUrls ?? 'never') !== 'never',
    view,
    placer,
    spending,
    console: watching,
    operators,
    signIn: await openSignIn({ ...options, operators }),
    atlas,
    access,
    thumbnails,
    site,
    trustedProxies,
    newcomersPerAddress: config.limits.newcomersPerAddress,
    policy,
    sendOrder,
    ladders,
  });
  const all = opened.move();
  return { routes, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Undefined as long as none was heard of. */
function leaderOf({ leader: id, isLeading: isHere }: Controller): Look['leader'] {
  return { isHere, ...(id === undefined ? {} : { id }) };
}
