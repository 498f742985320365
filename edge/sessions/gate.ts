// The gate: who may begin to watch here, and why somebody may not. Those who watch already never come to it.

import type { Clock } from '../../network/clock.ts';
import type { Commitment, Commitments } from '../../network/egress/commitments.ts';
import type { Counter, Metrics } from '../../network/metrics.ts';
import { readSession } from '../../network/session.ts';
import type { ViewerLog } from '../../network/trace/viewer-log.ts';
import { isShared, type Refusal, type Watcher } from './session.ts';

export interface GateOptions {
  readonly clock: Clock;
  readonly commitments: Commitments;
  readonly metrics: Metrics;
  readonly log: ViewerLog;
  /** Viewers at most. */
  readonly limit: number;
  /** Viewers at this moment. */
  readonly count: () => number;
  /** The server is being emptied. */
  readonly isDraining: () => boolean;
}

export type Entry = { readonly kind: 'entered'; readonly commitment: Commitment } | Refusal;

const RETRY_AFTER_S = 5;
const FULL = {
  egress: 'this server has promised all that it may send',
  cpu: 'this server has no time left for more viewers',
};

export class Gate {
  readonly #options: GateOptions;
  readonly #admitted: Counter;
  readonly #refusals: Counter<'reason'>;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#admitted = options.metrics.counter(
      'headwater_viewers_admitted_total',
      'Viewers who began to watch here.',
    );
    this.#refusals = options.metrics.counter(
      'headwater_viewers_refused_total',
      'Viewers who may not begin to watch here.',
      ['reason'],
    );
  }

  enter(watcher: Watcher): Entry {
    const { session, stream, rendition } = watcher;
    const { commitments, log, limit, count, isDraining } = this.#options;
    // Players leave for the next pathway at once on 404, and have nothing to come back for.
    if (isDraining()) return this.refuse(watcher, 'draining', 404, 'this server is being emptied');
    if (count() >= limit)
      return this.refuse(
        watcher,
        'viewers',
        503,
        `this server has ${limit} viewers, which is as many as it takes`,
      );
    const by = isShared(session) ? 'cache' : 'viewer';
    const uplink = isShared(session) ? '' : readSession(session).uplink;
    const commitment = commitments.take({ stream, rendition, by, uplink });
    if (!commitment) return this.refuse(watcher, commitments.limit, 503, FULL[commitments.limit]);
    this.#admitted.inc();
    log.say({ session, stream, rendition }, 'viewer begins to watch');
    return { kind: 'entered', commitment };
  }

  refuse(
    { session, stream, rendition }: Watcher,
    why: string,
    status: Refusal['status'],
    reason: string,
  ): Refusal {
    this.#refusals.inc({ reason: why });
    this.#options.log.say({ session, stream, rendition, reason: why }, 'viewer is refused');
    return { kind: 'refused', status, reason, retryAfterS: status === 404 ? undefined : RETRY_AFTER_S };
  }

  /** `sinceMs`: wall clock. */
  leave({ session, stream, rendition }: Watcher, sinceMs: number): void {
    const { log, clock } = this.#options;
    log.say({ session, stream, rendition, stayedMs: Math.round(clock.now() - sinceMs) }, 'viewer has left');
  }
}
