// What was read of a cluster state in Redis so far: entries by name, and as a snapshot shows them. What did not change is the same object.

import type { Hearing, Limits } from './liveness.ts';
import { isWithin } from './liveness.ts';
import type { Key } from './redis/state-scripts.ts';
import type { Assignment, KnownServer, StreamRecord } from './state.ts';
import { readAssignment, readServer, readStream } from './state-entries.ts';
import { isHeld, isShown, type StreamEntry, shownStream } from './state-rules.ts';

interface CachedStream {
  readonly entry: StreamEntry;
  readonly isHeld: boolean;
  readonly shown: StreamRecord;
}

export class StateCache {
  readonly #keys: Readonly<Record<Key, string>>;
  readonly #limits: Limits;
  readonly #servers = new Sorted<KnownServer>();
  readonly #streams = new Sorted<StreamEntry>();
  readonly #shown = new Map<string, CachedStream>();
  /** As text too: little of it changes when it is written anew. */
  readonly #plan = new Map<string, { readonly json: string; readonly assignment: Assignment }>();

  constructor(keys: Readonly<Record<Key, string>>, limits: Limits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  get serverCount(): number {
    return this.#servers.size;
  }

  get planCount(): number {
    return this.#plan.size;
  }

  /** Takes a server's entry, or that there is none. Throws `bad_state` when it makes no sense, as the others do. */
  putServer(id: string, text: string | null): void {
    if (text === null) this.#servers.delete(id);
    else this.#servers.set(id, readServer(text, { key: this.#keys.servers, field: id }));
  }

  putStream(name: string, text: string | null): void {
    this.#shown.delete(name);
    if (text === null) this.#streams.delete(name);
    else this.#streams.set(name, readStream(text, { key: this.#keys.streams, field: name }));
  }

  /** Of servers that nobody knows nothing is said, whatever it is. */
  putAssignment(id: string, json: string | null): void {
    if (json === null) this.#plan.delete(id);
    else if (this.#plan.get(id)?.json !== json) {
      const assignment = readAssignment(json, { key: this.#keys.plan, field: id });
      this.#plan.set(id, { json, assignment });
    }
  }

  /** Names of the streams whose origin is one of the servers. */
  *streamsOf(ids: ReadonlySet<string>): Generator<string> {
    for (const [name, { origin }] of this.#streams.entries()) if (ids.has(origin)) yield name;
  }

  /** Those that are remembered, in order of their ids. */
  servers({ nowMs }: Hearing): KnownServer[] {
    const all = this.#servers.inOrder().map(([, server]) => server);
    return all.filter(({ beatAtMs }) => isWithin(beatAtMs, nowMs, this.#limits.forgetMs));
  }

  /** In order of their names. */
  streams(hearing: Hearing): StreamRecord[] {
    const shown: StreamRecord[] = [];
    for (const [name, entry] of this.#streams.inOrder())
      if (isShown(entry, hearing, this.#limits)) shown.push(this.#show(name, entry, hearing));
    return shown;
  }

  plan(servers: readonly KnownServer[]): Record<string, Assignment> {
    const planned = servers.flatMap(({ id }) => {
      const known = this.#plan.get(id);
      return known ? [[id, known.assignment] as const] : [];
    });
    return Object.fromEntries(planned);
  }

  #show(name: string, entry: StreamEntry, hearing: Hearing): StreamRecord {
    const known = this.#shown.get(name);
    const held = isHeld(entry, hearing, this.#limits);
    if (known?.entry === entry && known.isHeld === held) return known.shown;
    const shown = shownStream(name, entry, hearing, this.#limits);
    this.#shown.set(name, { entry, isHeld: held, shown });
    return shown;
  }
}

/** A map that knows the order of its keys, which changes seldom. */
class Sorted<Value> {
  readonly #values = new Map<string, Value>();
  #order: string[] | undefined;

  get size(): number {
    return this.#values.size;
  }

  set(key: string, value: Value): void {
    if (!this.#values.has(key)) this.#order = undefined;
    this.#values.set(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) this.#order = undefined;
  }

  entries(): Iterable<[string, Value]> {
    return this.#values;
  }

  inOrder(): [string, Value][] {
    this.#order ??= [...this.#values.keys()].sort();
    return this.#order.map((key) => [key, this.#values.get(key)!]);
  }
}
