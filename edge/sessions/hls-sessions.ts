// HLS viewers: a session is known by its requests, and is over when it has not asked for anything for a while.

import type { Clock, Timer } from '../../network/clock.ts';
import type { Commitment } from '../../network/egress/commitments.ts';
import type { Connection } from '../../network/http/listener.ts';
import { Allowance } from './allowance.ts';
import type { Gate } from './gate.ts';
import { isShared, type Refusal, type Session, type Watcher } from './session.ts';
import type { Viewers } from './viewers.ts';

export interface HlsSessionsOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly viewers: Viewers;
  /** A session that asked for nothing for this long is over. */
  readonly idleMs: number;
}

/** What a session that is sent away is to get there. */
export interface Errand {
  /** The part that its playlist is to hold; undefined for whatever there is. */
  readonly awaited: string | undefined;
  /** That part is here: a session that comes for it again did not get it there, and stays for a while. */
  readonly isHere: boolean;
  /** When it comes back at the latest, unless it has found its way. */
  readonly withinMs: number;
}

/** A session, as those who saw it may ask about it again. */
export interface Entry extends Watcher {
  rendition: string;
  readonly sinceMs: number;
  /** By the monotonic clock. */
  readonly begunMs: number;
  seenMs: number;
  /** It is over when it has asked for nothing for so long. */
  idleMs: number;
  /** None of a session that was away from its beginning. */
  readonly commitment: Commitment | undefined;
  readonly allowance: Allowance;
  /**
   * A session of its own is one over any number of connections, and none while it is away: while its playlists come from
   * another server, and it only asks here where they are. A shared one is as many as connections asked for this last.
   */
  viewers: number;
  /** What it was sent away to wait for last, and until when it is not sent away again. */
  awaited: string | undefined;
  staysUntilMs: number;
}

export type Admission = { readonly kind: 'admitted'; readonly entry: Entry } | Refusal;

const SWEEP_MS = 1_000;
/** A session that did not find what it needs where it was sent stays for so long. */
const STAY_MS = 5_000;
/** A player that begins fetches what it plays from within so long. */
const JOIN_MS = 3_000;

export class HlsSessions {
  readonly #options: HlsSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  /** What was asked for last over each connection of a shared token. */
  readonly #lastOver = new WeakMap<Connection, Entry | undefined>();
  #viewers = 0;
  #sweeper: Timer | undefined;

  constructor(options: HlsSessionsOptions) {
    this.#options = options;
  }

  /** Viewers, by whichever token. */
  get count(): number {
    return this.#viewers;
  }

  /** Sessions, those included that are away. */
  get size(): number {
    return this.#entries.size;
  }

  /** Sessions that asked for something within so long. */
  seenWithin(ms: number): number {
    const sinceMs = this.#options.clock.monotonic() - ms;
    return this.#entries.values().reduce((count, { seenMs }) => count + Number(seenMs >= sinceMs), 0);
  }

  *list(): Generator<Session> {
    for (const { session, stream, rendition, sinceMs, viewers } of this.#entries.values())
      yield { session, stream, rendition, kind: 'hls', sinceMs, viewers };
  }

  /** Notes a request: its session begins, or goes on, with the rendition that it asks for now. */
  see(watcher: Watcher, connection: Connection | undefined): Admission {
    const known = this.#entries.get(keyOf(watcher));
    const admission: Admission = known ? this.#goOn(known, watcher.rendition) : this.#enter(watcher);
    if (admission.kind === 'admitted' && connection && isShared(watcher.session))
      this.#connect(admission.entry, connection);
    return admission;
  }

  /** Whether a session may fetch so much more media: undefined, or why not. A cache feeds others, and may. */
  refusalOf(entry: Entry, mediaMs: number): Refusal | undefined {
    if (isShared(entry.session) || entry.allowance.take(mediaMs, this.#options.clock.monotonic()))
      return undefined;
    const reason = 'this session fetches several times what one player plays';
    return this.#options.gate.refuse(entry, 'allowance', 429, reason);
  }

  /** Whether a session is just filling its buffer. What a cache fetches others wait for who play. */
  isJoining(entry: Entry): boolean {
    return entry.begunMs > this.#options.clock.monotonic() - JOIN_MS && !isShared(entry.session);
  }

  /** Whether a session is to ask another server for its playlist. */
  sendAway(watcher: Watcher, { awaited, isHere, withinMs }: Errand): boolean {
    const entry = this.#entries.get(keyOf(watcher)) ?? this.#open(watcher, undefined);
    const nowMs = this.#options.clock.monotonic();
    entry.seenMs = nowMs;
    const isBack = entry.viewers === 0 && isHere && awaited !== undefined && awaited === entry.awaited;
    if (isBack) entry.staysUntilMs = nowMs + STAY_MS;
    if (nowMs < entry.staysUntilMs) return false;
    entry.awaited = awaited;
    entry.idleMs = withinMs;
    this.#count(entry, 0);
    return true;
  }

  /** A session of its own has its playlist from here, where it may have been away before. */
  stay(entry: Entry): void {
    if (isShared(entry.session)) return;
    entry.idleMs = this.#options.idleMs;
    this.#count(entry, 1);
  }

  #enter(watcher: Watcher): Admission {
    const entered = this.#options.gate.enter(watcher);
    if (entered.kind === 'refused') return entered;
    const entry = this.#open(watcher, entered.commitment);
    this.stay(entry);
    this.#options.viewers.arrive(watcher);
    return { kind: 'admitted', entry };
  }

  #open({ session, stream, rendition }: Watcher, commitment: Commitment | undefined): Entry {
    const { clock, idleMs } = this.#options;
    const nowMs = clock.monotonic();
    const times = { sinceMs: clock.now(), begunMs: nowMs, seenMs: nowMs };
    const entry: Entry = {
      session,
      stream,
      rendition,
      commitment,
      allowance: new Allowance(nowMs),
      viewers: 0,
      awaited: '',
      idleMs,
      staysUntilMs: Number.NEGATIVE_INFINITY,
      ...times,
    };
    this.#entries.set(keyOf(entry), entry);
    this.#sweeper ??= clock.every(SWEEP_MS, () => this.#sweep());
    return entry;
  }

  #goOn(entry: Entry, rendition: string): Admission {
    entry.seenMs = this.#options.clock.monotonic();
    if (entry.rendition !== rendition) this.#move(entry, rendition);
    return { kind: 'admitted', entry };
  }

  #move(entry: Entry, rendition: string): void {
    const { viewers } = entry;
    this.#count(entry, 0);
    entry.rendition = rendition;
    entry.commitment?.move(rendition);
    this.#count(entry, viewers);
  }

  /** A cache fetches what many watch over a few connections, each for one stream after another; it takes one copy of each. */
  #connect(entry: Entry, connection: Connection): void {
    if (!this.#lastOver.has(connection)) connection.once('close', () => this.#leave(connection));
    if (this.#lastOver.get(connection) === entry) return;
    this.#leave(connection);
    this.#lastOver.set(connection, entry);
    this.#count(entry, entry.viewers + 1);
  }

  #leave(connection: Connection): void {
    const entry = this.#lastOver.get(connection);
    this.#lastOver.set(connection, undefined);
    if (entry && entry.viewers > 0) this.#count(entry, entry.viewers - 1);
  }

  #count(entry: Entry, viewers: number): void {
    const change = viewers - entry.viewers;
    entry.viewers = viewers;
    this.#viewers += change;
    if (change !== 0) this.#options.viewers.count(entry, change);
  }

  #sweep(): void {
    const nowMs = this.#options.clock.monotonic();
    for (const [key, entry] of this.#entries) {
      if (nowMs - entry.seenMs < entry.idleMs) continue;
      this.#entries.delete(key);
      this.#count(entry, 0);
      entry.commitment?.end();
      this.#options.gate.leave(entry, entry.sinceMs);
    }
    if (this.#entries.size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }
}

/** A session of its own watches one rendition of a stream at a time; a cache fetches any of them at once. */
function keyOf({ session, stream, rendition }: Watcher): string {
  return isShared(session) ? `${stream}/${rendition}/${session}` : `${stream}/${session}`;
}
