// The cluster state of a cluster that is one process.

import type { Clock } from './clock.ts';
import type { ClusterState, ServerRecord, Snapshot } from './state.ts';

export class MemoryState implements ClusterState {
  readonly #clock: Clock;
  readonly #servers = new Map<string, ServerRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async beat(server: ServerRecord): Promise<void> {
    this.#servers.set(server.id, server);
  }

  async leave(serverId: string): Promise<void> {
    this.#servers.delete(serverId);
  }

  async snapshot(): Promise<Snapshot> {
    return { nowMs: this.#clock.now(), servers: [...this.#servers.values()] };
  }
}
