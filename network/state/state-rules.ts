// What the cluster state makes of what it stores, the same in every implementation. Pure.

import { CodedError } from '../errors.ts';
import { FIRST_NUMBERING } from '../feed/numbering.ts';
import { quoted } from '../names.ts';
import { type Hearing, isAlive, isWithin, type Limits } from './liveness.ts';
import type { KnownServer, PastStream, ServerIdentity, StreamRecord } from './state.ts';

/** A stream as it is stored: whose it is, and what its origin announced. */
export interface StreamEntry {
  /** The claim stands as long as it is announced, its server is gone without the broadcast, or the broadcast is over. */
  readonly kind: 'held' | 'left' | 'ended';
  /** When it was announced, claimed or given up last. */
  readonly atMs: number;
  readonly term: number;
  readonly origin: string;
  /** Undefined as long as nobody has announced it. */
  readonly record: StreamRecord | undefined;
}

/** Whether nobody else may claim the stream but by takeover. */
export function isHeld({ kind, atMs }: StreamEntry, hearing: Hearing, limits: Limits): boolean {
  return kind === 'held' && isAlive(atMs, hearing, limits);
}

/** Whether the state speaks of a stream. One that ended is kept a while for who publishes under its name again. */
export function isShown({ kind, atMs }: StreamEntry, { nowMs }: Hearing, limits: Limits): boolean {
  return kind !== 'ended' && isWithin(atMs, nowMs, limits.forgetMs);
}

/** A stream as the state shows it: of whoever claimed it last, and live only as long as that claim is held. */
export function shownStream(
  name: string,
  entry: StreamEntry,
  hearing: Hearing,
  limits: Limits,
): StreamRecord {
  const { origin, term, atMs, record } = entry;
  const known = record ?? {
    startedAtMs: atMs,
    live: true,
    epoch: 0,
    lastMsn: -1,
    numbering: FIRST_NUMBERING,
    renditions: [],
  };
  return { ...known, name, origin, term, live: known.live && isHeld(entry, hearing, limits) };
}

/** What a new claimant is told of the last origin's broadcast: nothing if that never announced any. */
export function claimedBefore(
  name: string,
  entry: StreamEntry | undefined,
  hearing: Hearing,
  limits: Limits,
): PastStream | undefined {
  if (!entry?.record) return undefined;
  const { kind, atMs, record } = entry;
  // One that left or ended has announced it within a beat of that.
  const unheardMs = kind === 'held' ? Math.max(1, hearing.nowMs - atMs) : limits.beatMs;
  return {
    ...shownStream(name, entry, hearing, limits),
    unheardMs: record.live ? unheardMs : 0,
    isOver: kind === 'ended',
  };
}

/** Of living servers those that hold a stream, its origin first, although that may not have a chunk of it yet. */
export function holdersOf(name: string, entry: StreamEntry, living: readonly KnownServer[]): KnownServer[] {
  const isOrigin = (server: KnownServer) => server.id === entry.origin;
  const holders = living.filter(
    (server) =>
      (isOrigin(server) && entry.kind === 'held') || server.holdings.some(({ stream }) => stream === name),
  );
  const others = holders.filter((server) => !isOrigin(server));
  return [...holders.filter(isOrigin), ...inOrder(others, ({ id }) => id)];
}

/** Terms grow for ever, also past a loss of everything that was stored. */
export function termAfter(last: number, nowMs: number): number {
  return Math.max(nowMs, last + 1);
}

export function inOrder<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  return items.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
}

/** Puts an entry behind all others. */
export function renew<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

export function idTaken({ id }: ServerIdentity): CodedError {
  return new CodedError('id_taken', `another living server has the id ${quoted(id)}`);
}

export function unknownServer(id: string): CodedError {
  return new CodedError('unknown_server', `no server ${quoted(id)} is known`);
}
