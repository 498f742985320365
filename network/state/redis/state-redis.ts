// The cluster state of a cluster of many processes, in Redis.

import type { Clock } from '../../clock.ts';
import { CodedError, reasonOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { checkReport, inKbps, type LeaseAnswer, type UsherReport } from '../lease.ts';
import { type Hearing, LIMITS, type Limits, pauseMs, silenceMs } from '../liveness.ts';
import type {
  BeatAnswer,
  Claim,
  ClusterState,
  Drain,
  Lead,
  LeadChanges,
  LostStream,
  ServerIdentity,
  ServerRecord,
  Snapshot,
  StreamRecord,
  Whereabouts,
} from '../state.ts';
import { pairs, readAmount, readAssignment, readDrain, readServer, readStream } from '../state-entries.ts';
import { StateReader } from '../state-reader.ts';
import {
  claimedBefore,
  holdersOf,
  idTaken,
  type StreamEntry,
  shownStream,
  unknownServer,
} from '../state-rules.ts';
import { RedisLink, TIMEOUT_MS } from './redis.ts';
import { RedisChannels } from './redis-channels.ts';
import type { RedisAddress } from './redis-client.ts';
import {
  type Answers,
  channelOf,
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
  readonly #channels: RedisChannels;
  /** What an id follows, where is said that there is something new for who has it. */
  readonly #channel: string;
  readonly #reader: StateReader;
  /** The last reading that was asked for: one begins when the one before has ended. */
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<Snapshot> | undefined;

  /** Connects in the background. Throws `bad_config` when a file that the address names can't be read. */
  constructor(options: RedisStateOptions) {
    this.#link = new RedisLink({ ...options, scripts: SCRIPTS });
    this.#logger = options.logger;
    this.#limits = options.limits ?? LIMITS;
    this.#now = options.now;
    this.#keys = keysOf(options.address.prefix);
    this.#channels = new RedisChannels({ ...options, timeoutMs: options.timeoutMs ?? TIMEOUT_MS });
    this.#channel = channelOf(options.address.prefix);
    this.#reader = new StateReader({
      keys: this.#keys,
      limits: this.#limits,
      ask: (commands) => this.#explained(this.#link.transact(commands)),
      now: this.#now,
    });
  }

  async beat(server: ServerRecord, streams: readonly StreamRecord[]): Promise<BeatAnswer> {
    const { drain } = server;
    const wished = drain?.wished ? { sinceMs: drain.sinceMs, deadlineMs: drain.deadlineMs } : undefined;
    const [kind, assignment, wish, lost, nowMs] = await this.#run('beat', [
      server.id,
      server.instance,
      JSON.stringify(server),
      traceOf(server, streams),
      wished ? JSON.stringify(wished) : '',
      ...streams.flatMap((stream) => [stream.name, String(stream.term), JSON.stringify(stream)]),
    ]);
    if (kind === 'taken') throw idTaken(server);
    const { plan, drains } = this.#keys;
    const field = server.id;
    return {
      nowMs,
      assignment: assignment === null ? undefined : readAssignment(assignment, { key: plan, field }),
      drain: wish === null ? undefined : readDrain(wish, { key: drains, field }),
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
    const answer = await this.#run('lead', [
      usherId,
      String(term ?? ''),
      changes.resigns ? '1' : '',
      String(plan!.length),
      ...written,
    ]);
    if (answer[0] === 'leading') return { kind: 'leading', term: answer[1] };
    return { kind: 'following', leader: answer[1] ?? undefined, term: answer[2] };
  }

  async lease(report: UsherReport): Promise<LeaseAnswer> {
    checkReport(report);
    const { id, sequence, asOfMs, demand, month } = report;
    const [known, spent] = [month?.spentMicroUsd ?? {}, report.spentMicroUsd].map(Object.entries<number>);
    const wants = Object.entries(report.wants);
    const [startMs, totals, granted, unsettledMs] = await this.#run('lease', [
      ...[id, String(sequence), String(asOfMs), JSON.stringify(demand)],
      ...[month?.startMs ?? '', known!.length, spent!.length].map(String),
      ...[...known!, ...spent!].flatMap(([cdn, amount]) => [cdn, String(Math.round(amount))]),
      ...wants.flatMap(([resource, want]) => {
        const { limit, used, held, want: wanted } = inKbps(want);
        return [resource, ...[limit, used, held, wanted].map(String)];
      }),
    ]);
    return {
      granted: Object.fromEntries(granted.map((kbps, at) => [wants[at]![0], kbps / 1000])),
      month: { startMs, spentMicroUsd: this.#readAmounts(totals) },
      unsettledMs,
    };
  }

  async drain(serverId: string, drain: Drain | null): Promise<void> {
    const answer = await this.#run('drain', [serverId, drain ? JSON.stringify(drain) : '']);
    if (answer === 'unknown') throw unknownServer(serverId);
  }

  async wake(): Promise<void> {
    await this.#run('wake', []);
  }

  /** Who asks while one is being read shares the one after it. */
  snapshot(): Promise<Snapshot> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      const reading = this.#reader.read();
      this.#reading = reading.catch(() => {});
      return reading;
    });
    return this.#next;
  }

  watch(id: string, onChange: () => void): Disposable {
    return this.#channels.listen(this.#channel + id, onChange);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channels[Symbol.dispose]();
    await this.#link[Symbol.asyncDispose]();
  }

  async #run<Name extends Script>(name: Name, args: readonly string[]): Promise<Answers[Name]> {
    const { forgetMs, leaseMs } = this.#limits;
    const common = [
      this.#now?.() ?? '',
      silenceMs(this.#limits),
      pauseMs(this.#limits),
      forgetMs,
      leaseMs,
      this.#channel,
    ].map(String);
    const answer = this.#link.run(name, Object.values(this.#keys), [...common, ...args]);
    return (await this.#explained(answer)) as Answers[Name];
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

  #readAmounts(flat: readonly string[]): Record<string, number> {
    const key = this.#keys.spent;
    return Object.fromEntries(pairs(flat).map(([cdn, text]) => [cdn, readAmount(text, { key, field: cdn })]));
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
