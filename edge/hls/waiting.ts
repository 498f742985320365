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
  /** When the request came, on the monotonic clock. */
  readonly sinceMs: number;
  /** Without a new part for this long it is let go; undefined for one that outwaits any silence. */
  readonly starvesAfterMs?: number | undefined;
  readonly limitMs: number;
}

/** A request, as far as waiting is concerned. */
export interface Client {
  /** Whoever asked has left. */
  readonly isOver: boolean;
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
interface Waiter {
  readonly rank: number;
  readonly patience: Patience;
  readonly client: Client;
  readonly resolve: (outcome: Outcome) => void;
}

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

  /** Resolves when the part at `place`, which is not whole yet, is; or when waiting has no point any more. */
  until(place: Place, patience: Patience, client: Client): Promise<Outcome> {
    if (client.isOver) return Promise.resolve('gone');
    if (this.#size >= this.#capacity) return Promise.resolve('full');
    return new Promise((resolve) => {
      this.#enter({ rank: rank(place), patience, client, resolve });
    });
  }

  /** The feed goes on at `front`: what stands before it is whole. */
  reach(front: Place): void {
    this.#changedMs = this.#clock.monotonic();
    const frontRank = rank(front);
    for (const [partRank, waiters] of this.#byRank) {
      if (partRank < frontRank) for (const waiter of waiters) this.#release(waiter, 'reached');
    }
  }

  /** The feed has ended: everybody is woken. */
  end(): void {
    for (const waiters of this.#byRank.values()) {
      for (const waiter of waiters) this.#release(waiter, 'reached');
    }
  }

  #enter(waiter: Waiter): void {
    const together = this.#byRank.get(waiter.rank);
    if (together) together.add(waiter);
    else this.#byRank.set(waiter.rank, new Set([waiter]));
    this.#size++;
    this.#sweeper ??= this.#clock.every(SWEEP_MS, () => this.#sweep());
  }

  /** Not all are answered in one turn, as frames are to be passed on. */
  #release(waiter: Waiter, outcome: Outcome): void {
    const together = this.#byRank.get(waiter.rank)!;
    together.delete(waiter);
    if (together.size === 0) this.#byRank.delete(waiter.rank);
    this.#size--;
    this.#turns.take(() => waiter.resolve(waiter.client.isOver ? 'gone' : outcome));
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonic();
    for (const waiters of this.#byRank.values()) {
      for (const waiter of waiters) {
        const outcome = waiter.client.isOver ? 'gone' : this.#verdict(waiter.patience, nowMs);
        if (outcome) this.#release(waiter, outcome);
      }
    }
    if (this.#size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
  }

  #verdict({ sinceMs, starvesAfterMs, limitMs }: Patience, nowMs: number): Outcome | undefined {
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
