// Sessions: who watches which stream since when. HLS is counted by the token's session, progressive by connection.

import type { Clock, Timer } from '../network/clock.ts';
import { sha256 } from '../network/hash.ts';
import type { Metrics } from '../network/metrics.ts';
import { Arrivals } from './arrivals.ts';

export type ViewerKind = 'hls' | 'progressive';

/** Somebody who watches a stream: what a token says, or what is known of whoever holds a token that is for anybody. */
export interface Watcher {
  readonly session: string;
  readonly stream: string;
}

export interface Session extends Watcher {
  readonly kind: ViewerKind;
  /** Wall clock, ms since the Unix epoch. */
  readonly sinceMs: number;
  /** Open progressive connections; 0 for HLS, which has none of its own between two requests. */
  readonly connections: number;
}

export interface SessionLimits {
  /** HLS sessions and progressive connections together; whoever comes beyond is refused. */
  readonly viewers: number;
  /** Progressive connections of one session: a player has one, two while it moves, a page with several players more. */
  readonly connectionsPerSession: number;
  /** The same for those who share a token, an address and a kind of browser: an office, a school. */
  readonly connectionsPerAddress: number;
  /** An HLS session that asked for nothing for this long is over. */
  readonly hlsIdleMs: number;
}

export const SESSION_LIMITS: SessionLimits = {
  viewers: 50_000,
  connectionsPerSession: 8,
  connectionsPerAddress: 256,
  hlsIdleMs: 10_000,
};

export interface Refusal {
  readonly kind: 'refused';
  readonly status: 429 | 503;
  readonly reason: string;
  readonly retryAfterS: number;
}

export type Admission = { readonly kind: 'admitted' } | Refusal;
/** `end` may be called any number of times. */
export type Connection = { readonly kind: 'connected'; end(): void } | Refusal;

/** No session of a token begins with it: it is not in base64url. */
const SHARED = '~';

/**
 * The session of somebody whose token names none, because a site gives all its viewers the same. Viewers behind one
 * address with the same browser are taken for one by HLS; progressive counts their connections.
 */
export function sharedSession(address: string, userAgent: string): string {
  return SHARED + sha256(`${address}\n${userAgent}`, 16);
}

interface Entry extends Watcher {
  readonly sinceMs: number;
  connections: number;
  seenMs: number;
}

const SWEEP_MS = 1000;
const RETRY_AFTER_S = 5;

export class Sessions {
  readonly #clock: Clock;
  readonly #limits: SessionLimits;
  readonly #hls = new Map<string, Entry>();
  readonly #progressive = new Map<string, Entry>();
  readonly #viewers = new Map<string, number>();
  readonly #arrivals: Arrivals;
  #connections = 0;
  #sweeper: Timer | undefined;

  constructor(options: {
    readonly clock: Clock;
    readonly metrics: Metrics;
    readonly limits?: Partial<SessionLimits>;
  }) {
    this.#clock = options.clock;
    this.#arrivals = new Arrivals(options.clock);
    this.#limits = { ...SESSION_LIMITS, ...options.limits };
    options.metrics.gauge('headwater_viewers', 'Viewers at this moment.', ['kind'], (gauge) => {
      gauge.set({ kind: 'hls' }, this.#hls.size);
      gauge.set({ kind: 'progressive' }, this.#connections);
    });
  }

  /** All viewers: HLS sessions and progressive connections. */
  get count(): number {
    return this.#hls.size + this.#connections;
  }

  viewersOf(stream: string): number {
    return this.#viewers.get(stream) ?? 0;
  }

  /** Viewers that begin to watch a stream, per second, of late. */
  arrivalsOf(stream: string): number {
    return this.#arrivals.perS(stream);
  }

  *list(): Generator<Session> {
    for (const entry of this.#hls.values()) yield sessionOf(entry, 'hls');
    for (const entry of this.#progressive.values()) yield sessionOf(entry, 'progressive');
  }

  /** Notes a request of an HLS player: its session begins, or goes on. */
  see(watcher: Watcher): Admission {
    const seenMs = this.#clock.monotonic();
    const known = this.#hls.get(keyOf(watcher));
    if (known) {
      known.seenMs = seenMs;
      return { kind: 'admitted' };
    }
    if (this.count >= this.#limits.viewers) return this.#full();
    this.#hls.set(keyOf(watcher), this.#begin(watcher));
    this.#add(watcher.stream, 1);
    this.#sweeper ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
    return { kind: 'admitted' };
  }

  /** Counts a progressive connection until its `end` is called. */
  connect(watcher: Watcher): Connection {
    if (this.count >= this.#limits.viewers) return this.#full();
    const key = keyOf(watcher);
    const entry = this.#progressive.get(key) ?? this.#begin(watcher);
    const limit = watcher.session.startsWith(SHARED)
      ? this.#limits.connectionsPerAddress
      : this.#limits.connectionsPerSession;
    if (entry.connections >= limit) {
      const reason = `the session has ${limit} connections open, which is as many as it may have`;
      return { kind: 'refused', status: 429, reason, retryAfterS: RETRY_AFTER_S };
    }
    this.#progressive.set(key, entry);
    this.#count(entry, 1);
    let isOpen = true;
    const end = (): void => {
      if (!isOpen) return;
      isOpen = false;
      this.#count(entry, -1);
      if (entry.connections === 0) this.#progressive.delete(key);
    };
    return { kind: 'connected', end };
  }

  #full(): Refusal {
    const reason = `this server has ${this.#limits.viewers} viewers, which is as many as it takes`;
    return { kind: 'refused', status: 503, reason, retryAfterS: RETRY_AFTER_S };
  }

  #begin({ session, stream }: Watcher): Entry {
    return { session, stream, sinceMs: this.#clock.now(), seenMs: this.#clock.monotonic(), connections: 0 };
  }

  #count(entry: Entry, change: 1 | -1): void {
    entry.connections += change;
    this.#connections += change;
    this.#add(entry.stream, change);
  }

  #add(stream: string, change: 1 | -1): void {
    const viewers = this.viewersOf(stream) + change;
    if (change > 0) this.#arrivals.count(stream);
    if (viewers === 0) this.#arrivals.forget(stream);
    if (viewers === 0) this.#viewers.delete(stream);
    else this.#viewers.set(stream, viewers);
  }

  #sweep(): void {
    const oldestMs = this.#clock.monotonic() - this.#limits.hlsIdleMs;
    for (const [key, entry] of this.#hls) {
      if (entry.seenMs > oldestMs) continue;
      this.#hls.delete(key);
      this.#add(entry.stream, -1);
    }
    if (this.#hls.size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }
}

function keyOf(watcher: Watcher): string {
  return `${watcher.stream}/${watcher.session}`;
}

function sessionOf({ session, stream, sinceMs, connections }: Entry, kind: ViewerKind): Session {
  return { session, stream, kind, sinceMs, connections };
}
