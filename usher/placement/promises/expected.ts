// What servers are expected to begin because viewers were sent their way: by stream and server, each taken once however many they are.

import { isWithin } from '../../../network/state/liveness.ts';
import type { Holding, KnownServer, Snapshot } from '../../../network/state/state.ts';
import type { Taking } from './taking.ts';

interface Beginning {
  readonly taking: Taking;
  atMs: number;
}

export interface Takings {
  take(taking: Taking): void;
  give(taking: Taking, as: 'used' | 'unused'): void;
}

const NOBODY: readonly string[] = [];

export class Expected {
  readonly #takings: Takings;
  /** By what a server says of a stream when it has begun. */
  readonly #hasBegun: (holding: Holding) => boolean;
  readonly #servers = new Map<string, Map<string, Beginning>>();

  constructor(takings: Takings, hasBegun: (holding: Holding) => boolean) {
    this.#takings = takings;
    this.#hasBegun = hasBegun;
  }

  /** Ids of the servers. */
  of(stream: string): Iterable<string> {
    return this.#servers.get(stream)?.keys() ?? NOBODY;
  }

  has(stream: string, server: string): boolean {
    return this.#servers.get(stream)?.has(server) ?? false;
  }

  /** `taking` is what it takes if it is not expected yet; without it nothing new is. */
  expect(stream: string, server: string, taking: Taking | undefined, nowMs: number): void {
    const known = this.#servers.get(stream)?.get(server);
    if (known) known.atMs = nowMs;
    else if (taking) {
      this.#takings.take(taking);
      this.#servers.getOrInsertComputed(stream, () => new Map()).set(server, { taking, atMs: nowMs });
    }
  }

  /** Lets go of what has begun, and of what nobody was sent to for so long. */
  settle({ nowMs, servers }: Pick<Snapshot, 'nowMs' | 'servers'>, forMs: number): void {
    if (this.#servers.size === 0) return;
    const byId = new Map(servers.map((server) => [server.id, server]));
    for (const [stream, beginnings] of this.#servers) {
      for (const [id, { taking, atMs }] of beginnings) {
        const hasBegun = this.#isSeen(byId.get(id), stream);
        if (!hasBegun && isWithin(atMs, nowMs, forMs)) continue;
        beginnings.delete(id);
        this.#takings.give(taking, hasBegun ? 'used' : 'unused');
      }
      if (beginnings.size === 0) this.#servers.delete(stream);
    }
  }

  #isSeen(server: KnownServer | undefined, stream: string): boolean {
    return server?.holdings.some((holding) => holding.stream === stream && this.#hasBegun(holding)) ?? false;
  }
}
