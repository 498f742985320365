// The operators' console, composed: it watches the cluster, and answers what its pages ask.

import type { Catalogue } from '../../network/archive/catalogue.ts';
import type { Clock } from '../../network/clock.ts';
import type { Route } from '../../network/http/http.ts';
import type { Logger } from '../../network/logger.ts';
import type { Topology } from '../../network/map/topology.ts';
import type { Metrics } from '../../network/metrics.ts';
import type { UsherState } from '../../network/state/state.ts';
import type { Operators } from '../operators/operators.ts';
import type { Look } from './figures/look.ts';
import { Live } from './live/live.ts';
import { consoleRoutes } from './routes.ts';
import { CdnAudience } from './watch/cdn-audience.ts';
import { RecordingGaps } from './watch/recording-gaps.ts';
import { Stalls } from './watch/stalls.ts';
import { Watch } from './watch/watch.ts';

export interface ConsoleOptions {
  readonly view: Pick<UsherState, 'snapshot'>;
  readonly topology: () => Topology;
  readonly leader: () => Look['leader'];
  /** How many have come so far for whom this usher had no room. */
  readonly turnedAway: () => number;
  readonly catalogue: Pick<Catalogue, 'list'>;
  readonly operators: Operators;
  readonly secrets: readonly string[];
  readonly access: 'open' | 'signed';
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

export class Console implements Disposable {
  /** Told of viewers whom usher steers to CDNs and away from them. */
  readonly audience = new CdnAudience();
  /** Told of what players report. */
  readonly stalls = new Stalls();
  readonly routes: readonly Route[];
  readonly #watch: Watch;
  readonly #live: Live;

  constructor(options: ConsoleOptions) {
    const { catalogue, operators, clock } = options;
    const { audience, stalls } = this;
    const watch = new Watch({ ...options, audience, stalls, recordings: new RecordingGaps(catalogue) });
    const live = new Live({
      ...options,
      watch,
      mayListen: (exchange) => {
        const operator = operators.admit(exchange);
        return operator && operator.expiresAtMs - clock.now();
      },
    });
    this.#watch = watch;
    this.#live = live;
    this.routes = consoleRoutes({ ...options, watch, live });
  }

  /** How many pages listen. */
  get listening(): number {
    return this.#live.listening;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}
