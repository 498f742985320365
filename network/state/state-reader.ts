// Reads a cluster state in Redis as snapshots: all of it at first and now and then, else what changed since the last time.

import { monthStartMs } from './lease.ts';
import { type Hearing, hearingAt, isWithin, type Limits } from './liveness.ts';
import type { Key } from './redis/state-scripts.ts';
import { withRungs } from './rungs.ts';
import type { Snapshot } from './state.ts';
import { StateCache } from './state-cache.ts';
import { type Place, pairs, readAccount, readAmount, readDrain, readUsher } from './state-entries.ts';
import { inOrder } from './state-rules.ts';

export interface StateReaderOptions {
  readonly keys: Readonly<Record<Key, string>>;
  readonly limits: Limits;
  /** Runs commands as one transaction. */
  readonly ask: (commands: readonly (readonly string[])[]) => Promise<unknown[]>;
  /** Stands in for Redis's clock. */
  readonly now?: (() => number) | undefined;
}

/** Fields and values, one after the other. */
type Hash = readonly string[];
type Time = readonly [seconds: string, microseconds: string];
type Meta = readonly (string | null)[];
/** What is read whole each time, as there is little of it. */
type Common = [time: Time, meta: Meta, drains: Hash, ushers: Hash, accounts: Hash, spent: Hash];

interface Read {
  readonly hearing: Hearing;
  readonly planTerm: number;
  readonly small: Pick<Snapshot, 'drains' | 'ushers' | 'accounts' | 'spentMicroUsd'>;
}

interface Last {
  readonly hearing: Hearing;
  /** When everything was read. */
  readonly wholeAtMs: number;
}

/** Everything is read anew so often: what should ever have been missed is missed no longer. */
const WHOLE_MS = 10_000;
/** Redis's clock may be set back by this much, and nothing is missed. */
const OVERLAP_MS = 50;

/** One reading at a time. */
export class StateReader {
  readonly #options: StateReaderOptions;
  #cache: StateCache;
  #last: Last | undefined;

  constructor(options: StateReaderOptions) {
    this.#options = options;
    this.#cache = new StateCache(options.keys, options.limits);
  }

  /** Throws `bad_state`. */
  async read(): Promise<Snapshot> {
    const last = this.#last;
    // Whatever ends before its end has left a cache that lacks something.
    this.#last = undefined;
    const changes = last && (await this.#readChanges(last));
    const wholeAtMs = changes ? last.wholeAtMs : undefined;
    const { hearing, planTerm, small } = changes ?? (await this.#readWhole());
    this.#last = { hearing, wholeAtMs: wholeAtMs ?? hearing.nowMs };
    const servers = this.#cache.servers(hearing);
    const ids = new Set(servers.map(({ id }) => id));
    const drains = Object.fromEntries(Object.entries(small.drains).filter(([id]) => ids.has(id)));
    return {
      ...hearing,
      servers,
      streams: withRungs(this.#cache.streams(hearing), servers, hearing.nowMs),
      planTerm,
      plan: this.#cache.plan(servers),
      ...small,
      drains,
    };
  }

  async #readWhole(): Promise<Read> {
    const { keys, limits, ask } = this.#options;
    const hashes = [keys.servers, keys.streams, keys.plan].map((key) => ['HGETALL', key]);
    const answer = (await ask([...this.#common(), ...hashes])) as [...Common, Hash, Hash, Hash];
    const [servers, streams, plan] = answer.slice(6) as [Hash, Hash, Hash];
    const cache = new StateCache(keys, limits);
    for (const [id, text] of pairs(servers)) cache.putServer(id, text);
    for (const [name, text] of pairs(streams)) cache.putStream(name, text);
    const known = new Set(pairs(servers).map(([id]) => id));
    for (const [id, json] of pairs(plan)) if (known.has(id)) cache.putAssignment(id, json);
    this.#cache = cache;
    return this.#readCommon(answer);
  }

  /** Undefined when everything has to be read: it is time, or the state is not what it was, or something went. */
  async #readChanges({ hearing: last, wholeAtMs }: Last): Promise<Read | undefined> {
    const { keys, ask } = this.#options;
    const since = String(last.nowMs - OVERLAP_MS);
    const answer = await ask([
      ...this.#common(),
      ...[keys.seen, keys.changes, keys.planned].map((key) => ['ZRANGEBYSCORE', key, since, '+inf']),
      ['HLEN', keys.servers],
      ['HLEN', keys.plan],
    ]);
    const read = this.#readCommon(answer as Common);
    const { nowMs, sinceMs } = read.hearing;
    const isSame = sinceMs === last.sinceMs && nowMs >= last.nowMs;
    if (!isSame || !isWithin(wholeAtMs, nowMs, WHOLE_MS)) return undefined;
    const [seen, changes, planned, serverCount, planCount] = answer.slice(6) as [
      string[],
      string[],
      string[],
      number,
      number,
    ];
    const streams = [...new Set([...changes, ...this.#cache.streamsOf(new Set(seen))])];
    await this.#take(seen, streams, planned);
    const isWhole = this.#cache.serverCount === serverCount && this.#cache.planCount === planCount;
    return isWhole ? read : undefined;
  }

  async #take(servers: string[], streams: string[], planned: string[]): Promise<void> {
    const { keys, ask } = this.#options;
    const wanted = [
      { key: keys.servers, names: servers, put: this.#cache.putServer },
      { key: keys.streams, names: streams, put: this.#cache.putStream },
      { key: keys.plan, names: planned, put: this.#cache.putAssignment },
    ].filter(({ names }) => names.length > 0);
    if (wanted.length === 0) return;
    const answer = (await ask(wanted.map(({ key, names }) => ['HMGET', key, ...names]))) as (
      | string
      | null
    )[][];
    for (const [index, { names, put }] of wanted.entries())
      for (const [at, text] of answer[index]!.entries()) put.call(this.#cache, names[at]!, text);
  }

  #common(): string[][] {
    const { keys } = this.#options;
    const hashes = [keys.drains, keys.ushers, keys.accounts, keys.spent].map((key) => ['HGETALL', key]);
    return [['TIME'], ['HMGET', keys.meta, 'heard', 'since', 'paused', 'planTerm', 'month'], ...hashes];
  }

  #readCommon([time, meta, drains, ushers, accounts, spent]: Common | [...Common, ...unknown[]]): Read {
    const { limits, now } = this.#options;
    const [heardAtMs, sinceMs, pausedAtMs, planTerm, month] = meta.map(Number) as [number, ...number[]];
    const nowMs = now?.() ?? millisecondsOf(time);
    const last = heardAtMs ? { heardAtMs, sinceMs: sinceMs!, pausedAtMs: pausedAtMs! } : undefined;
    const known = this.#readHash('ushers', ushers, readUsher).map(([, usher]) => usher);
    const living = known.filter(({ heardAtMs: at }) => isWithin(at, nowMs, limits.leaseMs));
    const amounts = month === monthStartMs(nowMs) ? this.#readHash('spent', spent, readAmount) : [];
    return {
      hearing: hearingAt(nowMs, last, limits),
      planTerm: planTerm!,
      small: {
        drains: Object.fromEntries(this.#readHash('drains', drains, readDrain)),
        ushers: inOrder(living, ({ id }) => id),
        accounts: Object.fromEntries(this.#readHash('accounts', accounts, readAccount)),
        spentMicroUsd: Object.fromEntries(amounts),
      },
    };
  }

  #readHash<Entry>(name: Key, flat: Hash, read: (text: string, place: Place) => Entry): [string, Entry][] {
    const key = this.#options.keys[name];
    return pairs(flat).map(([field, text]) => [field, read(text, { key, field })]);
  }
}

function millisecondsOf([seconds, microseconds]: Time): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
