// Progressive viewers: each open connection is one, and a session may have a few.

import type { Clock } from '../../network/clock.ts';
import type { Gate } from './gate.ts';
import { type Connection, isShared, type Session, type Watcher } from './session.ts';
import type { Viewers } from './viewers.ts';

export interface ConnectionLimits {
  /** Of one session: a player has one, two while it moves, a page with several players more. */
  readonly connectionsPerSession: number;
  /** The same for those who share a token, an address and a kind of browser: an office, a school. */
  readonly connectionsPerAddress: number;
}

export interface ProgressiveSessionsOptions {
  readonly clock: Clock;
  readonly gate: Gate;
  readonly viewers: Viewers;
  readonly limits: ConnectionLimits;
}

interface Entry extends Watcher {
  readonly sinceMs: number;
  viewers: number;
}

export class ProgressiveSessions {
  readonly #options: ProgressiveSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  #connections = 0;

  constructor(options: ProgressiveSessionsOptions) {
    this.#options = options;
  }

  /** Connections that are open. */
  get count(): number {
    return this.#connections;
  }

  *list(): Generator<Session> {
    for (const entry of this.#entries.values()) yield { ...entry, kind: 'progressive' };
  }

  /** Counts a connection until its `end` is called. */
  connect(watcher: Watcher): Connection {
    const { gate, clock, viewers } = this.#options;
    const { session, stream, rendition } = watcher;
    const key = `${stream}/${rendition}/${session}`;
    const entry = this.#entries.get(key) ?? { session, stream, rendition, sinceMs: clock.now(), viewers: 0 };
    const limit = this.#limitOf(watcher);
    if (entry.viewers >= limit) {
      const reason = `the session has ${limit} connections open, which is as many as it may have`;
      return gate.refuse(watcher, 'connections', 429, reason);
    }
    const entered = gate.enter(watcher);
    if (entered.kind === 'refused') return entered;
    this.#entries.set(key, entry);
    this.#count(entry, 1);
    viewers.arrive(entry);
    const sinceMs = clock.now();
    let isOpen = true;
    const end = (): void => {
      if (!isOpen) return;
      isOpen = false;
      entered.commitment.end();
      gate.leave(watcher, sinceMs);
      this.#count(entry, -1);
      if (entry.viewers === 0) this.#entries.delete(key);
    };
    return { kind: 'connected', end };
  }

  #limitOf({ session }: Watcher): number {
    const { connectionsPerSession, connectionsPerAddress } = this.#options.limits;
    return isShared(session) ? connectionsPerAddress : connectionsPerSession;
  }

  #count(entry: Entry, change: 1 | -1): void {
    entry.viewers += change;
    this.#connections += change;
    this.#options.viewers.count(entry, change);
  }
}
