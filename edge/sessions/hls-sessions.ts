// HLS viewers: a session is known by its requests, and is over when it has not asked for anything for a while.

import type { Clock, Timer } from '../../network/clock.ts';
import type { Commitment } from '../../network/commitments.ts';
import type { Gate } from './gate.ts';
import { type Admission, isShared, type Session, type Watcher } from './session.ts';
import type { Viewers } from './viewers.ts';

export interface HlsSessionsOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly viewers: Viewers;
  /** A session that asked for nothing for this long is over. */
  readonly idleMs: number;
}

/** A connection, as far as sessions are concerned. */
export interface Socket {
  once(event: 'close', listener: () => void): unknown;
}

interface Entry extends Watcher {
  rendition: string;
  readonly sinceMs: number;
  seenMs: number;
  readonly commitment: Commitment;
  /** Of a shared token: connections that asked for this last. A session of its own is one viewer over any number of them. */
  connections: number;
}

const SWEEP_MS = 1_000;
const ADMITTED: Admission = { kind: 'admitted' };

export class HlsSessions {
  readonly #options: HlsSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  /** What was asked for last over each connection of a shared token. */
  readonly #lastOver = new WeakMap<Socket, Entry | undefined>();
  #count = 0;
  #sweeper: Timer | undefined;

  constructor(options: HlsSessionsOptions) {
    this.#options = options;
  }

  /** Sessions, and of a shared token the connections. */
  get count(): number {
    return this.#count;
  }

  *list(): Generator<Session> {
    for (const { session, stream, rendition, sinceMs, connections } of this.#entries.values())
      yield { session, stream, rendition, kind: 'hls', sinceMs, connections };
  }

  /** Notes a request: its session begins, or goes on, with the rendition that it asks for now. */
  see(watcher: Watcher, socket: Socket | null): Admission {
    const key = keyOf(watcher);
    const known = this.#entries.get(key);
    if (known) this.#goOn(known, watcher.rendition);
    else {
      const entered = this.#options.gate.enter(watcher);
      if (entered.kind === 'refused') return entered;
      this.#begin(key, watcher, entered.commitment);
    }
    if (socket && isShared(watcher.session)) this.#connect(this.#entries.get(key)!, socket);
    return ADMITTED;
  }

  #begin(key: string, watcher: Watcher, commitment: Commitment): void {
    const { clock, viewers } = this.#options;
    const { session, stream, rendition } = watcher;
    const seenMs = clock.monotonic();
    const sinceMs = clock.now();
    this.#entries.set(key, { session, stream, rendition, sinceMs, seenMs, commitment, connections: 0 });
    if (!isShared(session)) this.#add(watcher, 1);
    viewers.arrive(watcher);
    this.#sweeper ??= clock.every(SWEEP_MS, () => this.#sweep());
  }

  #goOn(entry: Entry, rendition: string): void {
    entry.seenMs = this.#options.clock.monotonic();
    if (entry.rendition === rendition) return;
    this.#add(entry, -1);
    entry.rendition = rendition;
    entry.commitment.move(rendition);
    this.#add(entry, 1);
  }

  /** A cache fetches what many watch over a few connections, each for one stream after another; it takes one copy of each. */
  #connect(entry: Entry, socket: Socket): void {
    if (!this.#lastOver.has(socket)) socket.once('close', () => this.#leave(socket));
    if (this.#lastOver.get(socket) === entry) return;
    this.#leave(socket);
    this.#lastOver.set(socket, entry);
    entry.connections++;
    this.#add(entry, 1);
  }

  #leave(socket: Socket): void {
    const entry = this.#lastOver.get(socket);
    this.#lastOver.set(socket, undefined);
    if (!entry || entry.connections === 0) return;
    entry.connections--;
    this.#add(entry, -1);
  }

  #add(watcher: Watcher, change: number): void {
    this.#count += change;
    this.#options.viewers.count(watcher, change);
  }

  #sweep(): void {
    const oldestMs = this.#options.clock.monotonic() - this.#options.idleMs;
    for (const [key, entry] of this.#entries) if (entry.seenMs <= oldestMs) this.#end(key, entry);
    if (this.#entries.size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }

  #end(key: string, entry: Entry): void {
    this.#entries.delete(key);
    entry.commitment.end();
    this.#add(entry, isShared(entry.session) ? -entry.connections : -1);
    entry.connections = 0;
  }
}

/** A session of its own watches one rendition of a stream at a time; a cache fetches any of them at once. */
function keyOf({ session, stream, rendition }: Watcher): string {
  return isShared(session) ? `${stream}/${rendition}/${session}` : `${stream}/${session}`;
}
