// Makes a snapshot of what a cluster state in Redis holds. Pure but for the plan, which it reads anew only where it changed.

import type { KnownUsher } from './lease.ts';
import { monthStartMs } from './lease.ts';
import { type Hearing, hearingAt, isWithin, type Limits } from './liveness.ts';
import type { Assignment, Snapshot, StreamRecord } from './state.ts';
import {
  pairs,
  readAccount,
  readAmount,
  readAssignment,
  readDrain,
  readServer,
  readStream,
  readUsher,
} from './state-entries.ts';
import { inOrder, isShown, shownStream } from './state-rules.ts';
import type { Key } from './state-scripts.ts';

/** Fields and values, one after the other. */
type Hash = readonly string[];
/** All that a snapshot shows, as Redis gives it at one instant. */
export type SnapshotAnswer = [
  time: readonly [seconds: string, microseconds: string],
  meta: readonly (string | null)[],
  servers: Hash,
  streams: Hash,
  plan: Hash,
  drains: Hash,
  ushers: Hash,
  accounts: Hash,
  spent: Hash,
];

const META = ['heard', 'since', 'paused', 'planTerm', 'month'];
const HASHES = ['servers', 'streams', 'plan', 'drains', 'ushers', 'accounts', 'spent'] as const;

export class SnapshotReader {
  readonly #keys: Readonly<Record<Key, string>>;
  readonly #limits: Limits;
  /** The plan of the last snapshot, as text and read: little of it changes from one to the next. */
  #plan = new Map<string, { readonly json: string; readonly assignment: Assignment }>();

  constructor(keys: Readonly<Record<Key, string>>, limits: Limits) {
    this.#keys = keys;
    this.#limits = limits;
  }

  /** What to ask Redis, for an answer of one instant. */
  get commands(): (readonly string[])[] {
    const hashes = HASHES.map((name) => ['HGETALL', this.#keys[name]]);
    return [['TIME'], ['HMGET', this.#keys.meta, ...META], ...hashes];
  }

  /** Throws `bad_state`. `givenNowMs` stands in for Redis's clock. */
  read(answer: SnapshotAnswer, givenNowMs: number | undefined): Snapshot {
    const [time, meta, servers, streams, plan, drains, ushers, accounts, spent] = answer;
    const [heardAtMs, sinceMs, pausedAtMs, planTerm, month] = meta.map(Number) as [number, ...number[]];
    const nowMs = givenNowMs ?? millisecondsOf(time);
    const last = heardAtMs ? { heardAtMs, sinceMs: sinceMs!, pausedAtMs: pausedAtMs! } : undefined;
    const hearing = hearingAt(nowMs, last, this.#limits);
    const known = this.#readHash('servers', servers, readServer).map(([, server]) => server);
    const remembered = known.filter(({ beatAtMs }) => isWithin(beatAtMs, nowMs, this.#limits.forgetMs));
    const ids = new Set(remembered.map(({ id }) => id));
    return {
      ...hearing,
      servers: inOrder(remembered, ({ id }) => id),
      streams: this.#readStreams(streams, hearing),
      planTerm: planTerm!,
      plan: this.#readPlan(plan, ids),
      drains: Object.fromEntries(this.#readHash('drains', drains, readDrain).filter(([id]) => ids.has(id))),
      ushers: this.#readUshers(ushers, nowMs),
      accounts: Object.fromEntries(this.#readHash('accounts', accounts, readAccount)),
      spentMicroUsd:
        month === monthStartMs(nowMs) ? Object.fromEntries(this.#readHash('spent', spent, readAmount)) : {},
    };
  }

  #readHash<Entry>(
    name: Key,
    flat: Hash,
    read: (text: string, place: { key: string; field: string }) => Entry,
  ): [field: string, entry: Entry][] {
    const key = this.#keys[name];
    return pairs(flat).map(([field, text]) => [field, read(text, { key, field })]);
  }

  #readStreams(flat: Hash, hearing: Hearing): StreamRecord[] {
    const entries = this.#readHash('streams', flat, readStream);
    const shown = entries.filter(([, entry]) => isShown(entry, hearing, this.#limits));
    const streams = shown.map(([name, entry]) => shownStream(name, entry, hearing, this.#limits));
    return inOrder(streams, ({ name }) => name);
  }

  #readPlan(flat: Hash, ids: ReadonlySet<string>): Record<string, Assignment> {
    const last = this.#plan;
    this.#plan = new Map();
    for (const [id, json] of pairs(flat)) {
      if (!ids.has(id)) continue;
      const known = last.get(id);
      const place = { key: this.#keys.plan, field: id };
      this.#plan.set(id, known?.json === json ? known : { json, assignment: readAssignment(json, place) });
    }
    return Object.fromEntries([...this.#plan].map(([id, { assignment }]) => [id, assignment]));
  }

  #readUshers(flat: Hash, nowMs: number): KnownUsher[] {
    const all = this.#readHash('ushers', flat, readUsher).map(([, usher]) => usher);
    const living = all.filter(({ heardAtMs }) => isWithin(heardAtMs, nowMs, this.#limits.leaseMs));
    return inOrder(living, ({ id }) => id);
  }
}

function millisecondsOf([seconds, microseconds]: readonly [string, string]): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
