// Requests that wait for a part of one feed: held together, woken together, and none for longer than is good for its player.

import type { Clock, Timer } from '../../network/clock.ts';
import { Turns } from '../../network/process/turns.ts';
import type { Place } from './segments.ts';

/** How a wait ended. */
export type Outcome =
  /** The part is whole, or the feed has ended. */
  | 'reached'
  /** The feed has not made a part for as long as the request's patience. */
  | 'starved'
  /** The request has waited for as long as it may. */
  | 'overdue'
  /** As many requests wait as may; this one did not. */
  | 'full'
  /** Nobody is there any more to be answered. */
  | 'gone';

export interface Patience {
  /** Without a new part for this long it is let go; undefined for one that outwaits any silence. */
  readonly starvesAfterMs?: number | undefined;
  /** Since the request came. */
  readonly limitMs: number;
}

/** A request, as far as waiting is concerned. */
export interface Client {
  /** Whoever asked has left. */
  readonly isOver: boolean;
}

/** A request that waits. Thousands do at a time, and V8 copies what they hold whenever it collects garbage: one is one object. */
export interface Waiter {
  readonly client: Client;
  readonly patience: Patience;
  /** When it came, on the monotonic clock. */
  readonly sinceMs: number;
  /** Is told once how its wait ended: at once if it is not to wait, else never on the turn of whoever writes the feed. */
  over(outcome: Outcome): void;
}

export interface WaitingOptions {
  readonly clock: Clock;
  /** Requests that may wait at once. */
  readonly capacity?: number;
}

/** Of one feed: half of the connections that a listener takes. Whoever comes beyond is told to come back. */
const CAPACITY = 20_000;
/** Deadlines, and who has left, are looked at so often, all together, while anybody waits: they are kept to within this. */
const SWEEP_MS = 100;
export class Waiting {
  readonly #clock: Clock;
  readonly #capacity: number;
  /** Those who wait for the same part wait together: a wake-up looks at parts, not at requests. */
  readonly #byRank = new Map<number, Set<Waiter>>();
  readonly #turns: Turns;
  #size = 0;
  #changedMs: number;
  #sweeper: Timer | undefined;

  constructor({ clock, capacity = CAPACITY }: WaitingOptions) {
    this.#clock = clock;
    this.#capacity = capacity;
    this.#turns = new Turns(clock);
    this.#changedMs = clock.monotonic();
  }

  /** How many requests wait now. */
  get size(): number {
    return this.#size;
  }

  /** Has a request wait until the part at `place`, which is not whole yet, is; or until waiting has no point any more. */
  enter(place: Place, waiter: Waiter): void {
    if (waiter.client.isOver) waiter.over('gone');
    else if (this.#size >= this.#capacity) waiter.over('full');
    else this.#admit(place, waiter);
  }

  /** The feed goes on at `front`: what stands before it is whole. */
  reach(front: Place): void {
    this.#changedMs = this.#clock.monotonic();
    const frontRank = rank(front);
    for (const partRank of this.#byRank.keys()) if (partRank < frontRank) this.#releaseAll(partRank);
  }

  /** The feed has ended: everybody is woken. */
  end(): void {
    for (const partRank of this.#byRank.keys()) this.#releaseAll(partRank);
  }

  #admit(place: Place, waiter: Waiter): void {
    const placeRank = rank(place);
    const together = this.#byRank.get(placeRank);
    if (together) together.add(waiter);
    else this.#byRank.set(placeRank, new Set([waiter]));
    this.#size++;
    this.#sweeper ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  #releaseAll(partRank: number): void {
    const waiters = this.#byRank.get(partRank)!;
    this.#byRank.delete(partRank);
    this.#size -= waiters.size;
    queueMicrotask(() => {
      for (const waiter of waiters) this.#tell(waiter, 'reached');
    });
  }

  /** Not all are answered in one turn, as frames are to be passed on. */
  #tell(waiter: Waiter, outcome: Outcome): void {
    this.#turns.take(() => waiter.over(waiter.client.isOver ? 'gone' : outcome));
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonic();
    for (const [partRank, waiters] of this.#byRank) {
      for (const waiter of waiters) {
        const outcome = waiter.client.isOver ? 'gone' : this.#verdict(waiter, nowMs);
        if (!outcome) continue;
        waiters.delete(waiter);
        this.#size--;
        this.#tell(waiter, outcome);
      }
      if (waiters.size === 0) this.#byRank.delete(partRank);
    }
    if (this.#size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }

  #verdict({ sinceMs, patience }: Waiter, nowMs: number): Outcome | undefined {
    const { starvesAfterMs, limitMs } = patience;
    if (nowMs - sinceMs >= limitMs) return 'overdue';
    if (starvesAfterMs === undefined) return undefined;
    return nowMs - Math.max(sinceMs, this.#changedMs) >= starvesAfterMs ? 'starved' : undefined;
  }
}

/** Past every part that a segment can have: a mark holds its number in 16 bits. */
const PARTS = 2 ** 16;

/** Where in the feed's order a part stands. */
function rank({ msn, part }: Place): number {
  return msn * PARTS + part;
}
