// The cluster state of a cluster that is one process, and of simulations.

import type { Clock } from '../clock.ts';
import { checkReport, type LeaseAnswer, type UplinkAccount, type UsherReport } from './lease.ts';
import { Ledger } from './ledger.ts';
import {
  type Hearing,
  hearingAt,
  isAlive,
  isWithin,
  type LastHeard,
  LIMITS,
  type Limits,
} from './liveness.ts';
import { withRungs } from './rungs.ts';
import type {
  Assignment,
  BeatAnswer,
  Claim,
  ClusterState,
  Drain,
  KnownServer,
  Lead,
  LeadChanges,
  LostStream,
  ServerIdentity,
  ServerRecord,
  Snapshot,
  StreamRecord,
  Whereabouts,
} from './state.ts';
import {
  claimedBefore,
  holdersOf,
  idTaken,
  inOrder,
  isHeld,
  isShown,
  renew,
  type StreamEntry,
  shownStream,
  termAfter,
  unknownServer,
} from './state-rules.ts';

interface MemberEntry {
  readonly server: KnownServer;
  /** What it announced as origin, with the terms. */
  readonly announced: ReadonlyMap<string, number>;
}

interface Lease {
  /** Undefined of one that was given back. */
  readonly leader: string | undefined;
  readonly term: number;
  readonly renewedAtMs: number;
}

export class MemoryState implements ClusterState {
  readonly #clock: Clock;
  readonly #limits: Limits;
  /** Both in the order in which they were heard of, the longest silent first. */
  readonly #members = new Map<string, MemberEntry>();
  readonly #streams = new Map<string, StreamEntry>();
  readonly #plan = new Map<string, Assignment>();
  readonly #drains = new Map<string, Drain>();
  readonly #accounts = new Map<string, UplinkAccount>();
  readonly #ledger: Ledger;
  readonly #watchers = new Map<string, Set<() => void>>();
  #heard: LastHeard | undefined;
  #firstHeardAtMs: number | undefined;
  #planTerm = 0;
  #lease: Lease | undefined;

  constructor(clock: Clock, limits: Limits = LIMITS) {
    this.#clock = clock;
    this.#limits = limits;
    this.#ledger = new Ledger(limits.leaseMs);
  }

  async beat(server: ServerRecord, streams: readonly StreamRecord[]): Promise<BeatAnswer> {
    const hearing = this.#hear();
    const { nowMs } = hearing;
    if (this.#isTaken(server, hearing)) throw idTaken(server);
    const announced = new Map(streams.map(({ name, term }) => [name, term]));
    const last = this.#members.get(server.id);
    const { drain } = server;
    if (!last && drain?.wished)
      this.#drains.set(server.id, { sinceMs: drain.sinceMs, deadlineMs: drain.deadlineMs });
    renew(this.#members, server.id, { server: { ...server, beatAtMs: nowMs }, announced });
    // What a process that crashed was origin of has not ended: its broadcaster will look for another server.
    if (last)
      this.#release(last, announced, last.server.instance === server.instance ? 'ended' : 'left', nowMs);
    const lost = streams.flatMap((stream) => this.#announce(server.id, stream, nowMs));
    return { nowMs, assignment: this.#plan.get(server.id), drain: this.#drains.get(server.id), lost };
  }

  async leave(server: ServerIdentity): Promise<void> {
    const member = this.#members.get(server.id);
    if (member?.server.instance === server.instance) this.#forgetServer(member, this.#start().nowMs);
  }

  async find(name: string): Promise<Whereabouts | undefined> {
    const hearing = this.#start();
    const entry = this.#streams.get(name);
    if (!entry || !isShown(entry, hearing, this.#limits)) return undefined;
    const servers = [...this.#members.values()].map(({ server }) => server);
    const living = servers.filter(({ beatAtMs }) => isAlive(beatAtMs, hearing, this.#limits));
    return {
      stream: shownStream(name, entry, hearing, this.#limits),
      holders: holdersOf(name, entry, living),
    };
  }

  async claim(name: string, server: ServerIdentity, options: { readonly takeover: boolean }): Promise<Claim> {
    const hearing = this.#start();
    const { nowMs } = hearing;
    if (this.#isTaken(server, hearing)) throw idTaken(server);
    const entry = this.#streams.get(name);
    const holder =
      entry && entry.origin !== server.id && isHeld(entry, hearing, this.#limits) ? entry : undefined;
    if (holder && !options.takeover) return { kind: 'held', by: holder.origin, term: holder.term };
    const term = termAfter(entry?.term ?? 0, nowMs);
    renew(this.#streams, name, { kind: 'held', atMs: nowMs, term, origin: server.id, record: entry?.record });
    if (holder) this.#tell([holder.origin]);
    return { kind: 'claimed', term, before: claimedBefore(name, entry, hearing, this.#limits) };
  }

  async lead(usherId: string, term: number | undefined, changes: LeadChanges): Promise<Lead> {
    const { nowMs } = this.#hear();
    const last = this.#lease;
    const isLed = last?.leader !== undefined && isWithin(last.renewedAtMs, nowMs, this.#limits.leaseMs);
    const isLeader = last?.leader === usherId;
    const isRefused = term === undefined ? isLed && !isLeader : !isLeader || term !== last.term;
    if (isRefused)
      return { kind: 'following', leader: isLed ? last.leader : undefined, term: last?.term ?? 0 };
    const held = term ?? termAfter(last?.term ?? 0, nowMs);
    this.#lease = { leader: changes.resigns ? undefined : usherId, term: held, renewedAtMs: nowMs };
    this.#tell(this.#change(changes, held));
    return changes.resigns
      ? { kind: 'following', leader: undefined, term: held }
      : { kind: 'leading', term: held };
  }

  async lease(report: UsherReport): Promise<LeaseAnswer> {
    checkReport(report);
    const { nowMs, sinceMs } = this.#hear();
    // Nobody can hold anything from before: a state in memory begins and ends with its ushers.
    const isNew = sinceMs === this.#firstHeardAtMs;
    const unsettledMs = isNew ? 0 : Math.max(0, this.#limits.leaseMs - Math.abs(nowMs - sinceMs));
    return this.#ledger.report(report, { nowMs, unsettledMs });
  }

  async drain(serverId: string, drain: Drain | null): Promise<void> {
    this.#start();
    if (!this.#members.has(serverId)) throw unknownServer(serverId);
    if (drain) this.#drains.set(serverId, drain);
    else this.#drains.delete(serverId);
    this.#tell([serverId]);
  }

  async wake(): Promise<void> {
    const { leader, renewedAtMs = 0 } = this.#lease ?? {};
    if (leader !== undefined && isWithin(renewedAtMs, this.#start().nowMs, this.#limits.leaseMs))
      this.#tell([leader]);
  }

  async snapshot(): Promise<Snapshot> {
    const hearing = this.#start();
    const shown = [...this.#streams].filter(([, entry]) => isShown(entry, hearing, this.#limits));
    const streams = shown.map(([name, entry]) => shownStream(name, entry, hearing, this.#limits));
    const servers = [...this.#members.values()].map(({ server }) => server);
    return {
      ...hearing,
      servers: inOrder(servers, ({ id }) => id),
      streams: withRungs(
        inOrder(streams, ({ name }) => name),
        servers,
        hearing.nowMs,
      ),
      planTerm: this.#planTerm,
      plan: Object.fromEntries(this.#plan),
      drains: Object.fromEntries(this.#drains),
      ushers: this.#ledger.ushers(hearing.nowMs),
      accounts: Object.fromEntries(this.#accounts),
      spentMicroUsd: this.#ledger.spentMicroUsd(hearing.nowMs),
    };
  }

  watch(id: string, onChange: () => void): Disposable {
    const watchers = this.#watchers.getOrInsertComputed(id, () => new Set());
    const watcher = () => onChange();
    watchers.add(watcher);
    return {
      [Symbol.dispose]: () => {
        watchers.delete(watcher);
        if (watchers.size === 0) this.#watchers.delete(id);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #tell(ids: Iterable<string>): void {
    for (const id of ids) for (const onChange of [...(this.#watchers.get(id) ?? [])]) onChange();
  }

  /** Begins a verb by which the state is heard to be there. */
  #hear(): Hearing {
    const hearing = this.#start();
    this.#heard = { ...hearing, heardAtMs: hearing.nowMs };
    this.#firstHeardAtMs ??= hearing.nowMs;
    return hearing;
  }

  /** Begins a verb: all is forgotten that is too old for it. */
  #start(): Hearing {
    const nowMs = this.#clock.now();
    const isOld = (atMs: number) => !isWithin(atMs, nowMs, this.#limits.forgetMs);
    for (const [name, { atMs }] of this.#streams) {
      if (!isOld(atMs)) break;
      this.#streams.delete(name);
    }
    for (const member of this.#members.values()) {
      if (!isOld(member.server.beatAtMs)) break;
      this.#forgetServer(member, nowMs);
    }
    return hearingAt(nowMs, this.#heard, this.#limits);
  }

  #isTaken({ id, instance }: ServerIdentity, hearing: Hearing): boolean {
    const server = this.#members.get(id)?.server;
    return (
      server !== undefined && server.instance !== instance && isAlive(server.beatAtMs, hearing, this.#limits)
    );
  }

  /** Gives the later claim that stands against the announcement, if there is one of another server. */
  #announce(origin: string, record: StreamRecord, nowMs: number): LostStream[] {
    const { name, term } = record;
    const entry = this.#streams.get(name);
    if (!entry || term > entry.term || (term === entry.term && origin === entry.origin)) {
      renew(this.#streams, name, { kind: 'held', atMs: nowMs, term, origin, record });
      return [];
    }
    return entry.origin === origin ? [] : [{ name, origin: entry.origin, term: entry.term }];
  }

  /** Ends the claims by which a server announced what it announces no longer, those that no later claim has replaced. */
  #release(
    { server, announced }: MemberEntry,
    still: ReadonlyMap<string, number>,
    kind: 'left' | 'ended',
    nowMs: number,
  ): void {
    for (const [name, term] of announced) {
      const entry = this.#streams.get(name);
      const isOurs = entry?.origin === server.id && entry.term === term;
      if (isOurs && still.get(name) !== term) renew(this.#streams, name, { ...entry, kind, atMs: nowMs });
    }
  }

  #forgetServer(member: MemberEntry, nowMs: number): void {
    this.#release(member, new Map(), 'left', nowMs);
    this.#members.delete(member.server.id);
    this.#plan.delete(member.server.id);
    this.#drains.delete(member.server.id);
  }

  /** Gives the servers whose assignment changed. */
  #change({ plan = {}, accounts = {} }: LeadChanges, term: number): string[] {
    for (const [name, account] of Object.entries(accounts)) {
      if (account === null) this.#accounts.delete(name);
      else this.#accounts.set(name, account);
    }
    const changed: string[] = [];
    for (const [id, assignment] of Object.entries(plan)) {
      this.#planTerm = term;
      if (assignment === null) this.#plan.delete(id);
      else if (this.#members.has(id)) {
        this.#plan.set(id, assignment);
        changed.push(id);
      }
    }
    return changed;
  }
}
