// Who has which stream, by the snapshot. Kept from one snapshot to the next, so that only what changed is read again.

import type { Assignment, Holding, KnownServer, Snapshot } from '../../../network/state/state.ts';

/**
 * `held`: has it and keeps it. `pulled`: so that a CDN can pull it from there. `coming`: the plan wants it to follow it. `leaving`: has it, but nobody watches it there and the
 * plan does not want it there.
 */
export type HolderState = 'held' | 'pulled' | 'coming' | 'leaving';

/** A server with regard to one stream. */
export interface Holder {
  /** The server's number, the same in all snapshots. */
  readonly slot: number;
  readonly state: HolderState;
}

interface Known {
  readonly slot: number;
  holdings: KnownServer['holdings'] | undefined;
  assignment: Assignment | undefined;
  readonly streams: Map<string, HolderState>;
}

const NOBODY: readonly Holder[] = [];

export class Holders {
  readonly #known = new Map<string, Known>();
  readonly #freeSlots: number[] = [];
  readonly #byStream = new Map<string, Holder[]>();

  /** Every server of the snapshot gets a number; those of servers that are gone are given again. */
  read({ servers, plan }: Pick<Snapshot, 'servers' | 'plan'>): void {
    const present = new Set<string>();
    for (const { id, holdings } of servers) {
      present.add(id);
      const known = this.#known.getOrInsertComputed(id, () => this.#unknown());
      const assignment = Object.hasOwn(plan, id) ? plan[id] : undefined;
      if (known.holdings === holdings && known.assignment === assignment) continue;
      const isSame = known.assignment === assignment && isAlike(known.holdings, holdings);
      known.holdings = holdings;
      known.assignment = assignment;
      if (!isSame) this.#change(known, statesOf(holdings, assignment));
    }
    if (present.size === this.#known.size) return;
    for (const [id, known] of this.#known) if (!present.has(id)) this.#forget(id, known);
  }

  slotOf(server: string): number | undefined {
    return this.#known.get(server)?.slot;
  }

  of(stream: string): readonly Holder[] {
    return this.#byStream.get(stream) ?? NOBODY;
  }

  has(server: string, stream: string): boolean {
    return this.#known.get(server)?.streams.has(stream) ?? false;
  }

  stateOf(server: string, stream: string): HolderState | undefined {
    return this.#known.get(server)?.streams.get(stream);
  }

  #unknown(): Known {
    const slot = this.#freeSlots.pop() ?? this.#known.size;
    return { slot, holdings: undefined, assignment: undefined, streams: new Map() };
  }

  #forget(id: string, known: Known): void {
    this.#change(known, new Map());
    this.#known.delete(id);
    this.#freeSlots.push(known.slot);
  }

  #change({ slot, streams }: Known, after: ReadonlyMap<string, HolderState>): void {
    for (const [stream, state] of after) {
      const before = streams.get(stream);
      if (before === state) continue;
      if (before) this.#remove(stream, slot);
      this.#byStream.getOrInsertComputed(stream, () => []).push({ slot, state });
      streams.set(stream, state);
    }
    if (streams.size === after.size) return;
    for (const stream of streams.keys()) {
      if (after.has(stream)) continue;
      this.#remove(stream, slot);
      streams.delete(stream);
    }
  }

  #remove(stream: string, slot: number): void {
    const holders = this.#byStream.get(stream)!;
    if (holders.length === 1) this.#byStream.delete(stream);
    else
      holders.splice(
        holders.findIndex((holder) => holder.slot === slot),
        1,
      );
  }
}

/** Whether the same streams are held, and the same of them watched and pulled. */
function isAlike(before: KnownServer['holdings'] | undefined, after: KnownServer['holdings']): boolean {
  if (before?.length !== after.length) return false;
  for (let at = 0; at < after.length; at++) {
    const [one, other] = [before[at]!, after[at]!];
    if (one.stream !== other.stream || useOf(one) !== useOf(other)) return false;
  }
  return true;
}

function statesOf(
  holdings: KnownServer['holdings'],
  assignment: Assignment | undefined,
): Map<string, HolderState> {
  const states = new Map<string, HolderState>();
  for (const holding of holdings) {
    const [before, state] = [states.get(holding.stream), useOf(holding)];
    if (before !== 'pulled' && (before !== 'held' || state === 'pulled')) states.set(holding.stream, state);
  }
  for (const { stream } of assignment?.follows ?? [])
    if (!states.has(stream)) states.set(stream, 'coming');
    else if (states.get(stream) === 'leaving') states.set(stream, 'held');
  return states;
}

/** Of one rendition, without the plan. */
function useOf({ viewers, isPulled }: Holding): HolderState {
  if (isPulled) return 'pulled';
  return viewers > 0 ? 'held' : 'leaving';
}
