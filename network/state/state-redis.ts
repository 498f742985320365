// The cluster state of a cluster of many processes, in Redis.

import type { Clock } from '../clock.ts';
import { CodedError, reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { UplinkAccount } from './lease.ts';
import { type Hearing, hearingAt, isWithin, LIMITS, type Limits, pauseMs, silenceMs } from './liveness.ts';
import { type RedisAddress, RedisLink } from './redis.ts';
import type {
  Assignment,
  BeatAnswer,
  Claim,
  ClusterState,
  Lead,
  LeadChanges,
  LostStream,
  ServerIdentity,
  ServerRecord,
  Snapshot,
  StreamRecord,
  Whereabouts,
} from './state.ts';
import { pairs, readAccount, readAssignment, readServer, readStream } from './state-entries.ts';
import {
  claimedBefore,
  holdersOf,
  idTaken,
  inOrder,
  isShown,
  type StreamEntry,
  shownStream,
} from './state-rules.ts';
import {
  type Answers,
  type HearingAnswer,
  KEY_NAMES,
  KEYS,
  type Key,
  keysOf,
  SCRIPTS,
  type Script,
} from './state-scripts.ts';

export interface RedisStateOptions {
  readonly address: RedisAddress;
  /** For time-outs; the time that counts in the cluster is Redis's. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: Limits;
  /** How long an answer may take. */
  readonly timeoutMs?: number;
  /** Takes the place of Redis's clock where a test decides what time it is. */
  readonly now?: () => number;
}

export class RedisState implements ClusterState {
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #limits: Limits;
  readonly #now: (() => number) | undefined;
  readonly #keys: Readonly<Record<Key, string>>;
  /** The plan of the last snapshot, as text and read: little of it changes from one to the next. */
  #plan = new Map<string, { readonly json: string; readonly assignment: Assignment }>();

  /** Connects in the background. Throws `bad_config` when a file that the address names can't be read. */
  constructor(options: RedisStateOptions) {
    this.#link = new RedisLink({ ...options, scripts: SCRIPTS });
    this.#logger = options.logger;
    this.#limits = options.limits ?? LIMITS;
    this.#now = options.now;
    this.#keys = keysOf(options.address.prefix);
  }

  async beat(server: ServerRecord, streams: readonly StreamRecord[]): Promise<BeatAnswer> {
    const [kind, assignment, lost] = await this.#run('beat', [
      server.id,
      server.instance,
      JSON.stringify(server),
      traceOf(server, streams),
      ...streams.flatMap((stream) => [stream.name, String(stream.term), JSON.stringify(stream)]),
    ]);
    if (kind === 'taken') throw idTaken(server);
    const place = { key: this.#keys.plan, field: server.id };
    return {
      assignment: assignment === null ? undefined : readAssignment(assignment, place),
      drain: undefined,
      lost: readLost(lost),
    };
  }

  async leave(server: ServerIdentity): Promise<void> {
    await this.#run('leave', [server.id, server.instance]);
  }

  async find(name: string): Promise<Whereabouts | undefined> {
    const answer = await this.#run('find', [name]);
    if (answer === null) return undefined;
    const [times, text, ...servers] = answer;
    const hearing = hearingOf(times);
    const entry = readStream(text, { key: this.#keys.streams, field: name });
    const living = pairs(servers).map(([id, server]) =>
      readServer(server, { key: this.#keys.servers, field: id }),
    );
    return {
      stream: shownStream(name, entry, hearing, this.#limits),
      holders: holdersOf(name, entry, living),
    };
  }

  async claim(name: string, server: ServerIdentity, options: { readonly takeover: boolean }): Promise<Claim> {
    const takeover = options.takeover ? '1' : '';
    const answer = await this.#run('claim', [name, server.id, server.instance, takeover]);
    if (answer[0] === 'taken') throw idTaken(server);
    if (answer[0] === 'held') return { kind: 'held', by: answer[1], term: answer[2] };
    const [kind, term, times, before] = answer;
    const entry = before === null ? undefined : this.#readBefore(name, before);
    return { kind, term, before: claimedBefore(name, entry, hearingOf(times), this.#limits) };
  }

  async lead(usherId: string, term: number | undefined, changes: LeadChanges): Promise<Lead> {
    const [plan, accounts] = [changes.plan ?? {}, changes.accounts ?? {}].map(Object.entries<unknown>);
    const written = [...plan!, ...accounts!].flatMap(([name, value]) => [
      name,
      value === null ? '' : JSON.stringify(value),
    ]);
    const answer = await this.#run('lead', [usherId, String(term ?? ''), String(plan!.length), ...written]);
    if (answer[0] === 'leading') return { kind: 'leading', term: answer[1] };
    return { kind: 'following', leader: answer[1] ?? undefined, term: answer[2] };
  }

  async snapshot(): Promise<Snapshot> {
    const [time, meta, servers, streams, plan, accounts] = await this.#readAll();
    const [heardAtMs, sinceMs, pausedAtMs, planTerm] = meta.map(Number) as [number, number, number, number];
    const nowMs = this.#now?.() ?? millisecondsOf(time);
    const last = heardAtMs ? { heardAtMs, sinceMs, pausedAtMs } : undefined;
    const hearing = hearingAt(nowMs, last, this.#limits);
    const known = pairs(servers).map(([id, text]) =>
      readServer(text, { key: this.#keys.servers, field: id }),
    );
    const remembered = known.filter(({ beatAtMs }) => isWithin(beatAtMs, nowMs, this.#limits.forgetMs));
    return {
      ...hearing,
      servers: inOrder(remembered, ({ id }) => id),
      streams: this.#readStreams(streams, hearing),
      planTerm,
      plan: this.#readPlan(plan, new Set(remembered.map(({ id }) => id))),
      drains: {},
      ushers: [],
      accounts: this.#readAccounts(accounts),
      spentMicroUsd: {},
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#link[Symbol.asyncDispose]();
  }

  async #run<Name extends Script>(name: Name, args: readonly string[]): Promise<Answers[Name]> {
    const { forgetMs, leaseMs } = this.#limits;
    const common = [
      this.#now?.() ?? '',
      silenceMs(this.#limits),
      pauseMs(this.#limits),
      forgetMs,
      leaseMs,
    ].map(String);
    const answer = this.#link.run(name, Object.values(this.#keys), [...common, ...args]);
    return (await this.#explained(answer)) as Answers[Name];
  }

  /** All that a snapshot shows, of one instant. */
  async #readAll() {
    const { servers, streams, plan, accounts, meta } = this.#keys;
    const hashes = [servers, streams, plan, accounts].map((key) => ['HGETALL', key]);
    const answer = this.#link.transact([
      ['TIME'],
      ['HMGET', meta, 'heard', 'since', 'paused', 'planTerm'],
      ...hashes,
    ]);
    return (await this.#explained(answer)) as [
      time: [seconds: string, microseconds: string],
      meta: (string | null)[],
      servers: string[],
      streams: string[],
      plan: string[],
      accounts: string[],
    ];
  }

  /** Redis says that a key is of the wrong type, and not which. */
  async #explained<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'wrong_type') throw error;
      const types = await this.#link.typesOf(Object.values(this.#keys));
      const wrong = KEY_NAMES.filter((name, index) => !['none', KEYS[name]].includes(types[index]!));
      const words = wrong.map((name) => `${this.#keys[name]} should be a ${KEYS[name]}`);
      throw new CodedError('bad_state', `${words.join(', ')}: ${error.message}`, { cause: error });
    }
  }

  #readStreams(flat: readonly string[], hearing: Hearing): StreamRecord[] {
    const key = this.#keys.streams;
    const entries = pairs(flat).map(
      ([name, text]) => [name, readStream(text, { key, field: name })] as const,
    );
    const shown = entries.filter(([, entry]) => isShown(entry, hearing, this.#limits));
    const streams = shown.map(([name, entry]) => shownStream(name, entry, hearing, this.#limits));
    return inOrder(streams, ({ name }) => name);
  }

  #readPlan(flat: readonly string[], ids: ReadonlySet<string>): Record<string, Assignment> {
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

  #readAccounts(flat: readonly string[]): Record<string, UplinkAccount> {
    const key = this.#keys.accounts;
    return Object.fromEntries(
      pairs(flat).map(([name, json]) => [name, readAccount(json, { key, field: name })]),
    );
  }

  /** The claim is made by now: a broadcast does not fail for what its last origin left behind. */
  #readBefore(name: string, text: string): StreamEntry | undefined {
    try {
      return readStream(text, { key: this.#keys.streams, field: name });
    } catch (error) {
      this.#logger.warn({ stream: name, reason: reasonOf(error) }, 'stream begins anew');
      return undefined;
    }
  }
}

/**
 * What the scripts are to find of a server without reading its record: lines of what it holds and what it is origin of. As
 * long as they stay the same, a beat leaves the index alone.
 */
function traceOf(server: ServerRecord, streams: readonly StreamRecord[]): string {
  const held = new Set(server.holdings.map(({ stream }) => `h ${stream}`));
  return [...held, ...streams.map(({ term, name }) => `o ${term} ${name}`)].join('\n');
}

function readLost(flat: readonly (string | number)[]): LostStream[] {
  return Array.from({ length: flat.length / 3 }, (_, index) => {
    const [name, origin, term] = flat.slice(3 * index);
    return { name: String(name), origin: String(origin), term: Number(term) };
  });
}

function hearingOf([nowMs, sinceMs, pausedAtMs]: HearingAnswer): Hearing {
  return { nowMs, sinceMs, pausedAtMs };
}

function millisecondsOf([seconds, microseconds]: readonly [string, string]): number {
  return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
}
