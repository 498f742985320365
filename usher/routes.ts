// Everything that viewers and operators ask usher, composed.

import type { Catalogue } from '../network/archive/catalogue.ts';
import type { Clock } from '../network/clock.ts';
import type { PublishPolicy } from '../network/config/publish-policy.ts';
import { LOOPBACK, networkOf } from '../network/connection-limit.ts';
import { signature } from '../network/hash.ts';
import type { SendOrder } from '../network/http/dial.ts';
import type { Exchange } from '../network/http/exchange.ts';
import type { Route } from '../network/http/http.ts';
import type { KeyBook } from '../network/keys/keybook.ts';
import type { Logger } from '../network/logger.ts';
import type { AddressRange } from '../network/map/address.ts';
import type { Atlas } from '../network/map/atlas.ts';
import { clientAddress, isTrusted } from '../network/map/client-address.ts';
import type { Metrics } from '../network/metrics.ts';
import { Seldom } from '../network/seldom.ts';
import type { ClusterState } from '../network/state/state.ts';
import { ViewerLog } from '../network/trace/viewer-log.ts';
import { apiRoutes } from './api/api.ts';
import type { Spending } from './cdn/spending.ts';
import type { Console } from './console/console.ts';
import { consolePageRoutes } from './console/pages.ts';
import type { Operators } from './operators/operators.ts';
import { assetRoutes } from './pages/assets.ts';
import { pageRoutes } from './pages/pages.ts';
import type { Placer } from './placement/placer.ts';
import { Newcomers } from './placement/promises/newcomers.ts';
import type { LadderPolicies } from './plan/transcodes.ts';
import { Presence } from './quality/presence.ts';
import { PathwayIds } from './steering/pathway-ids.ts';

export interface RouteOptions {
  /** The cluster as viewers are placed by. */
  readonly view: Pick<ClusterState, 'snapshot'>;
  readonly state: Pick<ClusterState, 'drain'>;
  readonly catalogue: Pick<Catalogue, 'list' | 'recent'>;
  readonly keyBook: KeyBook;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
  readonly thumbnails: 'public' | 'private';
  /** The site that it stands in. */
  readonly site: string;
  readonly atlas: Atlas;
  readonly trustedProxies: readonly AddressRange[];
  /** New viewers in ten seconds. */
  readonly newcomersPerAddress: number;
  readonly placer: Placer;
  readonly spending: Spending;
  readonly console: Pick<Console, 'audience' | 'stalls' | 'routes'>;
  readonly operators: Operators;
  readonly signIn: readonly Route[];
  /** Undefined: nothing is transcoded. */
  readonly ladders?: LadderPolicies | undefined;
  /** Whether servers without room may send viewers of recordings to the store. */
  readonly sendsToStore?: boolean;
  /** Who owns a stream. */
  readonly policy: PublishPolicy;
  readonly sendOrder: SendOrder;
  /** What broadcasters push to, as the pages say it. */
  readonly rtmpUrl: string;
}

export function usherRoutes(options: RouteOptions): Route[] {
  const { view, state, secrets, atlas, trustedProxies, rtmpUrl } = options;
  const addressOf = ({ request: { socket, headers } }: Exchange): string =>
    clientAddress({ remoteAddress: socket.remoteAddress, headers }, trustedProxies);
  const api = apiRoutes({
    ...options,
    state: {
      snapshot: () => view.snapshot(),
      drain: (server, drain) => state.drain(server, drain),
    },
    presence: new Presence(),
    viewerLog: new ViewerLog(options),
    audience: options.console.audience,
    stalls: options.console.stalls,
    ids: new PathwayIds(secrets.map((secret) => (text) => signature(secret, `pathway\n${text}`))),
    whence: (exchange) => atlas.locate(addressOf(exchange)),
    networkOf: (exchange) => boundedNetwork(addressOf(exchange), trustedProxies),
    newcomers: new Newcomers(options.newcomersPerAddress),
    crowds: new Seldom(options.clock),
  });
  const { console, signIn } = options;
  return [
    ...api,
    ...console.routes,
    ...signIn,
    ...consolePageRoutes(options),
    ...pageRoutes({ rtmpUrl }),
    ...assetRoutes(),
  ];
}

/** By way of this machine and of trusted proxies any number may come. */
function boundedNetwork(address: string, trustedProxies: readonly AddressRange[]): string {
  if (address === '' || isTrusted(address, trustedProxies)) return '';
  const network = networkOf(address);
  return network === LOOPBACK ? '' : network;
}
