// The edge role: everything that players ask of the media listener, composed.

import type { Clock } from '../network/clock.ts';
import type { Commitments } from '../network/commitments.ts';
import type { Demand, Feeds } from '../network/feed/feeds.ts';
import type { Route } from '../network/http.ts';
import type { Logger } from '../network/logger.ts';
import type { Metrics } from '../network/metrics.ts';
import { createAccess } from './access.ts';
import { hlsRoutes } from './hls/hls.ts';
import { progressiveRoutes } from './progressive/progressive.ts';
import { Sessions } from './sessions/sessions.ts';

export interface EdgeOptions {
  readonly feeds: Feeds;
  readonly demand: Demand;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secrets: readonly string[];
  readonly commitments: Commitments;
  readonly isDraining: () => boolean;
  readonly beatMs?: number | undefined;
}

export interface Edge {
  readonly routes: readonly Route[];
  readonly sessions: Sessions;
}

export function createEdge(options: EdgeOptions): Edge {
  const sessions = new Sessions(options);
  const authorise = createAccess(options);
  const routes = [
    ...hlsRoutes({ ...options, authorise, sessions: sessions.hls }),
    ...progressiveRoutes({ ...options, authorise, sessions: sessions.progressive }),
  ];
  return { routes, sessions };
}
