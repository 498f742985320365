// The last events of a cluster, each with an id.

import type { ClusterEvent, Happening } from '../messages.ts';

/** What goes before that was some hours ago, or there was much of it. */
const MAX_EVENTS = 1_000;

export class EventList {
  readonly #events: ClusterEvent[] = [];
  #nextId = 1;

  /** 0 before the first. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  add(happenings: readonly Happening[], atMs: number): void {
    for (const happening of happenings) this.#events.push({ id: this.#nextId++, atMs, happening });
    if (this.#events.length > MAX_EVENTS) this.#events.splice(0, this.#events.length - MAX_EVENTS);
  }

  /** Those with a higher id, the oldest first. */
  after(id: number): readonly ClusterEvent[] {
    return this.#events.filter((event) => event.id > id);
  }
}
