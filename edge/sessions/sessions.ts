// Sessions: who watches which rendition since when. HLS is counted by the token's session, progressive by connection.

import type { Clock } from '../../network/clock.ts';
import type { Commitments } from '../../network/egress/commitments.ts';
import type { Logger } from '../../network/logger.ts';
import type { Metrics } from '../../network/metrics.ts';
import { ViewerLog } from '../../network/trace/viewer-log.ts';
import { Gate } from './gate.ts';
import { HlsSessions } from './hls-sessions.ts';
import { type ConnectionLimits, ProgressiveSessions } from './progressive-sessions.ts';
import type { Session } from './session.ts';
import { Viewers } from './viewers.ts';

export interface SessionLimits extends ConnectionLimits {
  /** HLS sessions and progressive connections together; whoever comes beyond is refused. */
  readonly viewers: number;
  readonly hlsIdleMs: number;
  /** A player of a recording may have minutes in hand. */
  readonly vodIdleMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  viewers: 50_000,
  connectionsPerSession: 8,
  connectionsPerAddress: 256,
  hlsIdleMs: 10_000,
  vodIdleMs: 60_000,
};

export interface SessionsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly commitments: Commitments;
  readonly isDraining: () => boolean;
  readonly limits?: Partial<SessionLimits>;
}

export class Sessions {
  readonly viewers: Viewers;
  readonly hls: HlsSessions;
  /** Of recordings. */
  readonly vod: HlsSessions;
  readonly progressive: ProgressiveSessions;

  constructor({ clock, logger, metrics, commitments, isDraining, limits: changes = {} }: SessionsOptions) {
    const limits = { ...SESSION_LIMITS, ...changes };
    const count = (): number => this.count;
    const log = new ViewerLog({ logger, clock });
    const gate = new Gate({ clock, commitments, metrics, log, limit: limits.viewers, count, isDraining });
    const viewers = new Viewers(clock);
    this.viewers = viewers;
    this.hls = new HlsSessions({ clock, gate, viewers, idleMs: limits.hlsIdleMs });
    this.vod = new HlsSessions({ clock, gate, viewers, idleMs: limits.vodIdleMs });
    this.progressive = new ProgressiveSessions({ clock, gate, viewers, limits });
    metrics.gauge('headwater_viewers', 'Viewers at this moment.', ['kind'], (gauge) => {
      gauge.set({ kind: 'hls' }, this.hls.count);
      gauge.set({ kind: 'vod' }, this.vod.count);
      gauge.set({ kind: 'progressive' }, this.progressive.count);
    });
    const help = 'HLS sessions, also those that get their playlists from another server for now.';
    metrics.gauge('headwater_hls_sessions', help, ['kind'], (gauge) => {
      gauge.set({ kind: 'hls' }, this.hls.size);
      gauge.set({ kind: 'vod' }, this.vod.size);
    });
  }

  /** All viewers: HLS sessions, of recordings too, and progressive connections. */
  get count(): number {
    return this.hls.count + this.vod.count + this.progressive.count;
  }

  *list(): Generator<Session> {
    yield* this.hls.list();
    yield* this.progressive.list();
  }
}
