// The usher role: the listener that viewers and operators ask, composed.

import type { Catalogue } from '../network/archive/catalogue.ts';
import type { Clock } from '../network/clock.ts';
import type { Route } from '../network/http.ts';
import type { ClusterState } from '../network/state/state.ts';
import { apiRoutes } from './api/api.ts';
import { assetRoutes } from './assets.ts';
import { pageRoutes } from './pages.ts';

export interface UsherOptions {
  readonly state: Pick<ClusterState, 'snapshot'>;
  readonly catalogue: Pick<Catalogue, 'list'>;
  readonly clock: Clock;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
  /** What broadcasters push to, as the pages say it. */
  readonly rtmpUrl: string;
}

export function usherRoutes(options: UsherOptions): Route[] {
  return [...apiRoutes(options), ...pageRoutes({ rtmpUrl: options.rtmpUrl }), ...assetRoutes()];
}
