// One usher of the benchmark of decisions, over a large cluster that changes all the time. `decisions-usher.ts <servers> <streams>`

import { join } from 'node:path';
import { MemoryCatalogue } from '../../network/archive/catalogue-memory.ts';
import { systemClock as clock } from '../../network/clock.ts';
import { sendOrder } from '../../network/http/dial.ts';
import { listenHttp } from '../../network/http/http.ts';
import { httpMetrics } from '../../network/http/http-metrics.ts';
import { MemoryKeyBook } from '../../network/keys/keybook-memory.ts';
import { createLogger } from '../../network/logger.ts';
import { openAtlas } from '../../network/map/atlas.ts';
import type { Topology } from '../../network/map/topology.ts';
import { Metrics } from '../../network/metrics.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { MemoryState } from '../../network/state/state-memory.ts';
import { Spending } from '../../usher/cdn/spending.ts';
import { Console } from '../../usher/console/console.ts';
import { Operators } from '../../usher/operators/operators.ts';
import { Placer } from '../../usher/placement/placer.ts';
import { DEFAULT_POLICIES } from '../../usher/placement/price/policy.ts';
import { usherRoutes } from '../../usher/routes.ts';
import { View } from '../../usher/view.ts';
import { lendAll, SECRETS } from '../tools/cluster/usher-listener.ts';
import { clusterOf, nextSnapshot, Popularity, SNAPSHOT_MS, topologyOf } from './network-model.ts';

/** Nobody comes whom usher promised a place: there is so much more room that promises for ten seconds are not felt. */
const ROOM = 100;
const EXAMPLE = join(import.meta.dirname, '../../network/map/example.yaml');

const [servers = 0, streams = 0] = process.argv.slice(2).map(Number);
const logger = createLogger('warn');
const metrics = new Metrics();
let cluster = roomy(clusterOf({ servers, streams }, new Popularity(streams)));
let round = 0;
clock.every(SNAPSHOT_MS, () => {
  cluster = nextSnapshot(cluster, new Map(), round++);
});
const topology = roomyTopology(topologyOf());
const atlas = await openAtlas({ topology: EXAMPLE }, { clock, logger });
const view = new View({ state: { snapshot: async () => cluster }, clock, logger });
const spending = new Spending();
const placer = new Placer({
  state: { snapshot: () => view.snapshot(), lease: lendAll },
  clock,
  logger,
  metrics,
  usherId: 'u1',
  topology: () => topology,
  policies: () => DEFAULT_POLICIES,
  spent: () => spending.take(clock.monotonic()),
});
const operators = new Operators({ secrets: SECRETS, clock, sessionMs: 3_600_000 });
const watching = new Console({
  view,
  topology: () => topology,
  leader: () => ({ id: 'u1', isHere: true }),
  turnedAway: () => 0,
  catalogue: new MemoryCatalogue(),
  operators,
  secrets: SECRETS,
  access: 'open',
  clock,
  logger,
  metrics,
});
const listener = await listenHttp({
  host: '127.0.0.1',
  port: 0,
  clock,
  logger,
  metrics: httpMetrics(metrics)('usher'),
  routes: usherRoutes({
    view,
    state: new MemoryState(clock),
    placer,
    spending,
    console: watching,
    operators,
    signIn: [],
    catalogue: new MemoryCatalogue(),
    keyBook: new MemoryKeyBook(clock),
    policy: async () => ({ kind: 'denied', reason: 'nobody owns anything here' }),
    sendOrder,
    clock,
    logger,
    metrics,
    secrets: SECRETS,
    access: 'open',
    thumbnails: 'public',
    site: 'site-0',
    atlas: { ...atlas, topology: () => topology },
    newcomersPerAddress: 1_000_000,
    trustedProxies: [{ first: [0x7f00_0001], last: [0x7f00_0001] }],
    rtmpUrl: 'rtmp://127.0.0.1:1935/live',
  }),
});
process.on('disconnect', () => process.exit());
process.send!({ port: listener.port });

function roomy(before: Snapshot): Snapshot {
  const servers = before.servers.map((server) => ({ ...server, egressMbps: server.egressMbps * ROOM }));
  return { ...before, servers };
}

function roomyTopology(before: Topology): Topology {
  const sites = [...before.sites.values()].map((site) => ({
    ...site,
    uplinks: site.uplinks.map((uplink) => ({ ...uplink, capacityMbps: uplink.capacityMbps * ROOM })),
  }));
  return { ...before, sites: new Map(sites.map((site) => [site.name, site])) };
}
