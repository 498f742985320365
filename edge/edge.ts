// The edge role: everything that players ask of the media listener, composed.

import type { Library } from '../network/archive/library.ts';
import type { Clock } from '../network/clock.ts';
import type { Commitments } from '../network/egress/commitments.ts';
import type { Outflow } from '../network/egress/outflow.ts';
import { type Demand, type Feeds, SOURCE } from '../network/feed/feeds.ts';
import type { Route } from '../network/http/http.ts';
import type { Logger } from '../network/logger.ts';
import type { Metrics } from '../network/metrics.ts';
import { createAccess } from './access.ts';
import type { SuccessorOf } from './elsewhere.ts';
import { hlsRoutes } from './hls/hls.ts';
import { Audience } from './progressive/audience.ts';
import { progressiveRoutes } from './progressive/progressive.ts';
import { Sessions } from './sessions/sessions.ts';
import { RecordedRates } from './vod/recorded-rates.ts';
import { type SignedUrls, vodRoutes } from './vod/vod.ts';

export interface EdgeOptions {
  readonly feeds: Feeds;
  readonly demand: Demand;
  readonly library: Pick<Library, 'find'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly secrets: readonly string[];
  readonly commitments: Commitments;
  readonly outflow: Outflow;
  readonly isDraining: () => boolean;
  readonly successorOf: SuccessorOf;
  readonly access: 'open' | 'signed';
  readonly beatMs?: number | undefined;
  /** See `vod.ts`; by default never. */
  readonly signedUrls?: SignedUrls | undefined;
}

export interface Edge {
  readonly routes: readonly Route[];
  readonly sessions: Sessions;
  /** Of recordings. */
  readonly rates: RecordedRates;
  /** Tells progressive viewers to go on at another server. */
  sendAway(): void;
}

export function createEdge(options: EdgeOptions): Edge {
  const sessions = new Sessions(options);
  const authorise = createAccess(options);
  const audience = new Audience(options);
  const rates = new RecordedRates();
  const routes = [
    ...hlsRoutes({ ...options, authorise, sessions: sessions.hls }),
    ...progressiveRoutes({ ...options, authorise, audience, sessions: sessions.progressive }),
    ...vodRoutes({
      ...options,
      authorise,
      sessions: sessions.vod,
      rates,
      signedUrls: options.signedUrls ?? 'never',
      isLive: (stream) => options.feeds.get(stream, SOURCE) !== undefined,
    }),
  ];
  return { routes, sessions, rates, sendAway: () => audience.tell({ kind: 'move' }) };
}
