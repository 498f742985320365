// The cluster state of a cluster of many processes, in Redis: each verb is one script, which Redis runs as a whole or not at all.

import { readFileSync } from 'node:fs';
import type { Clock } from './clock.ts';
import { CodedError, reasonOf } from './errors.ts';
import { isWithin, LIMITS, type Limits, silenceMs } from './liveness.ts';
import type { Logger } from './logger.ts';
import { type RedisAddress, RedisLink } from './redis.ts';
import type {
  Assignment,
  BeatAnswer,
  Claim,
  ClusterState,
  KnownServer,
  Lead,
  LostStream,
  PlanChanges,
  ServerIdentity,
  ServerRecord,
  Snapshot,
  StreamRecord,
  Whereabouts,
} from './state.ts';
import { type Place, readAssignment, readServer, readStream } from './state-entries.ts';
import {
  claimedBefore,
  holdersOf,
  idTaken,
  inOrder,
  isShown,
  type StreamEntry,
  shownStream,
} from './state-rules.ts';

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

/** The keys, in the order in which every script takes them, and the type of each. */
const KEYS = {
  servers: 'hash',
  traces: 'hash',
  seen: 'zset',
  streams: 'hash',
  ending: 'zset',
  holders: 'zset',
  plan: 'hash',
  meta: 'hash',
} as const;
type Key = keyof typeof KEYS;

/** What the scripts answer. Fields and values of a hash lie flat, one after the other. */
interface Answers {
  readonly beat: ['known', string | null, (string | number)[]] | ['taken'];
  readonly leave: 1;
  readonly find: [nowMs: number, stream: string, ...servers: string[]] | null;
  readonly claim:
    | ['claimed', term: number, nowMs: number, before: string | null]
    | ['held', by: string, term: number]
    | ['taken'];
  readonly lead: ['leading', term: number] | ['following', leader: string | null, term: number];
  readonly snapshot: [
    nowMs: number,
    servers: string[],
    streams: string[],
    plan: string[],
    sinceMs: string | null,
    planTerm: string | null,
  ];
}
type Verb = keyof Answers;

const VERBS: readonly Verb[] = ['beat', 'leave', 'find', 'claim', 'lead', 'snapshot'];
const SCRIPTS = Object.fromEntries(VERBS.map((verb) => [verb, `${readLua('shared')}\n${readLua(verb)}`]));

export class RedisState implements ClusterState {
  readonly #link: RedisLink;
  readonly #logger: Logger;
  readonly #limits: Limits;
  readonly #now: (() => number) | undefined;
  readonly #keys: Readonly<Record<Key, string>>;

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
    return {
      assignment:
        assignment === null ? undefined : readAssignment(assignment, this.#place('plan', server.id)),
      lost: readLost(lost),
    };
  }

  async leave(server: ServerIdentity): Promise<void> {
    await this.#run('leave', [server.id, server.instance]);
  }

  async find(name: string): Promise<Whereabouts | undefined> {
    const answer = await this.#run('find', [name]);
    if (answer === null) return undefined;
    const [nowMs, stream, ...servers] = answer;
    const entry = readStream(stream, this.#place('streams', name));
    const living = this.#readServers(servers);
    return {
      stream: shownStream(name, entry, nowMs, this.#limits),
      holders: holdersOf(name, entry, living),
    };
  }

  async claim(name: string, server: ServerIdentity, options: { readonly takeover: boolean }): Promise<Claim> {
    const takeover = options.takeover ? '1' : '';
    const answer = await this.#run('claim', [name, server.id, server.instance, takeover]);
    if (answer[0] === 'taken') throw idTaken(server);
    if (answer[0] === 'held') return { kind: 'held', by: answer[1], term: answer[2] };
    const [kind, term, nowMs, before] = answer;
    const entry = before === null ? undefined : this.#readBefore(name, before);
    return { kind, term, before: claimedBefore(name, entry, nowMs, this.#limits) };
  }

  async lead(usherId: string, term: number | undefined, changes: PlanChanges): Promise<Lead> {
    const written = Object.entries(changes).flatMap(([id, assignment]) => [
      id,
      assignment ? JSON.stringify(assignment) : '',
    ]);
    const answer = await this.#run('lead', [usherId, term === undefined ? '' : String(term), ...written]);
    if (answer[0] === 'leading') return { kind: 'leading', term: answer[1] };
    return { kind: 'following', leader: answer[1] ?? undefined, term: answer[2] };
  }

  async snapshot(): Promise<Snapshot> {
    const [nowMs, servers, streams, plan, sinceMs, planTerm] = await this.#run('snapshot', []);
    const known = this.#readServers(servers).filter(({ beatAtMs }) =>
      isWithin(beatAtMs, nowMs, this.#limits.forgetMs),
    );
    const ids = new Set(known.map(({ id }) => id));
    return {
      nowMs,
      sinceMs: Number(sinceMs ?? nowMs),
      servers: inOrder(known, ({ id }) => id),
      streams: this.#readStreams(streams, nowMs),
      planTerm: Number(planTerm ?? 0),
      plan: Object.fromEntries(this.#readPlan(plan).filter(([id]) => ids.has(id))),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#link[Symbol.asyncDispose]();
  }

  async #run<V extends Verb>(verb: V, args: readonly string[]): Promise<Answers[V]> {
    const { forgetMs, leaseMs } = this.#limits;
    const common = [this.#now?.() ?? '', silenceMs(this.#limits), forgetMs, leaseMs].map(String);
    try {
      return (await this.#link.run(verb, Object.values(this.#keys), [...common, ...args])) as Answers[V];
    } catch (error) {
      throw (await this.#explain(error)) ?? error;
    }
  }

  /** Redis says that a key is of the wrong type, and not which. */
  async #explain(error: unknown): Promise<CodedError | undefined> {
    if (!(error instanceof CodedError) || error.code !== 'wrong_type') return undefined;
    const names = Object.keys(KEYS) as Key[];
    const types = await this.#link.typesOf(names.map((name) => this.#keys[name]));
    const wrong = names.filter((name, index) => types[index] !== 'none' && types[index] !== KEYS[name]);
    const words = wrong.map(
      (name) => `${this.#keys[name]} holds a ${types[names.indexOf(name)]}, not a ${KEYS[name]}`,
    );
    return new CodedError('bad_state', words.join(', ') || error.message, { cause: error });
  }

  #place(key: Key, field: string): Place {
    return { key: this.#keys[key], field };
  }

  #readServers(flat: readonly string[]): KnownServer[] {
    return pairs(flat).map(([id, entry]) => readServer(entry, this.#place('servers', id)));
  }

  #readStreams(flat: readonly string[], nowMs: number): StreamRecord[] {
    const entries = pairs(flat).map(
      ([name, text]) => [name, readStream(text, this.#place('streams', name))] as const,
    );
    const shown = entries.filter(([, entry]) => isShown(entry, nowMs, this.#limits));
    const streams = shown.map(([name, entry]) => shownStream(name, entry, nowMs, this.#limits));
    return inOrder(streams, ({ name }) => name);
  }

  #readPlan(flat: readonly string[]): [string, Assignment][] {
    return pairs(flat).map(([id, json]) => [id, readAssignment(json, this.#place('plan', id))]);
  }

  /** The claim is made already, and a broadcast must not fail for what its last origin left behind. */
  #readBefore(name: string, text: string): StreamEntry | undefined {
    try {
      return readStream(text, this.#place('streams', name));
    } catch (error) {
      this.#logger.warn({ stream: name, reason: reasonOf(error) }, 'stream begins anew');
      return undefined;
    }
  }
}

/** The braces put all keys into one slot of a Redis Cluster, where a script may use them together. */
function keysOf(prefix: string): Record<Key, string> {
  const names = Object.keys(KEYS) as Key[];
  return Object.fromEntries(names.map((name) => [name, `{${prefix}}:${name}`])) as Record<Key, string>;
}

/**
 * What the state is to find of this server without reading its record: lines of what it holds and what it is origin of. As
 * long as they stay the same, line for line, a beat leaves the index alone.
 */
function traceOf(server: ServerRecord, streams: readonly StreamRecord[]): string {
  const held = new Set(server.holdings.map(({ stream }) => `h ${stream}`));
  return [...held, ...streams.map(({ term, name }) => `o ${term} ${name}`)].join('\n');
}

function readLost(flat: readonly (string | number)[]): LostStream[] {
  const lost: LostStream[] = [];
  for (let at = 0; at < flat.length; at += 3) {
    lost.push({ name: String(flat[at]), origin: String(flat[at + 1]), term: Number(flat[at + 2]) });
  }
  return lost;
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}

function readLua(name: string): string {
  return readFileSync(new URL(`state-scripts/${name}.lua`, import.meta.url), 'utf8');
}
