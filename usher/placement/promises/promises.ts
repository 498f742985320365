// Promises: what usher handed out and no beat has shown yet, booked on every resource that it will use.

import { isWithin } from '../../../network/state/liveness.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import { type Booked, nothingBooked } from '../scene/loads.ts';
import { Expected, type Takings } from './expected.ts';
import type { Taking } from './taking.ts';

/** A player that has not come by then is not expected any more, by the state's clock: while there is no news nothing is let go. */
export const PROMISE_MS = 10_000;
/** Past so many the oldest are let go, and the servers' own limits are what is left. */
const MAX_PROMISES = 500_000;

const FEW_RESOURCES = 100;

export interface Booking extends Taking {
  readonly stream: string;
  readonly server: string;
  /** What the server takes of its parent and of a link to get the stream, which it does not have. */
  readonly copy?: Taking;
}

interface Promised {
  readonly booking: Booking;
  /** Where the viewer is: an address or a /64, empty where that has no bound. */
  readonly network: string;
  readonly atMs: number;
}

/** Promises, and what they take together. */
export interface Awaited {
  readonly count: number;
  readonly mbps: number;
}

const NOBODY: Awaited = { count: 0, mbps: 0 };

export class Promises {
  readonly #onArrived: (resource: string, mbps: number) => void;
  readonly #booked = new Map<string, Booked>();
  /** Lists of those who arrived that have been read. */
  readonly #read = new WeakSet<readonly string[]>();
  /** By session, the oldest first. */
  readonly #promised = new Map<string, Promised>();
  /** What is promised to viewers of each network. */
  readonly #awaited = new Map<string, Awaited>();
  /** Whether others have leased what this usher would have of anything. */
  isShort = false;
  /** Streams that servers are about to follow because viewers were sent there. */
  readonly #coming: Expected;
  /** Streams that CDNs are about to pull. */
  readonly #pulling: Expected;

  /** `onArrived` is told what was promised of a resource and is in use now. */
  constructor(onArrived: (resource: string, mbps: number) => void = () => {}) {
    this.#onArrived = onArrived;
    const takings: Takings = {
      take: (taking) => this.#take(taking),
      give: (taking, as) => this.#give(taking, as),
    };
    this.#coming = new Expected(takings, () => true);
    this.#pulling = new Expected(takings, ({ isPulled }) => isPulled === true);
  }

  get count(): number {
    return this.#promised.size;
  }

  /** Books for a session at a time of the state's clock. What it was promised before is let go: it moves. */
  book(session: string, booking: Booking, nowMs: number, network = ''): void {
    this.release(session);
    if (this.#promised.size >= MAX_PROMISES) this.release(this.#promised.keys().next().value!);
    this.#take(booking);
    this.#promised.set(session, { booking, atMs: nowMs, network });
    this.#await(network, booking.mbps, 1);
    this.#coming.expect(booking.stream, booking.server, booking.copy, nowMs);
  }

  /** Books what a CDN takes of a server that it is to pull a stream from, once however many viewers were sent to it. */
  pull(booking: Booking, nowMs: number): void {
    const { stream, server, copy } = booking;
    this.#pulling.expect(stream, server, booking, nowMs);
    this.#coming.expect(stream, server, copy, nowMs);
  }

  release(session: string): void {
    const promised = this.#promised.get(session);
    if (!promised) return;
    this.#forget(session, promised);
    this.#give(promised.booking, 'unused');
  }

  /** What is promised to viewers of a network who have not come yet. */
  awaitedFrom(network: string): Awaited {
    return this.#awaited.get(network) ?? NOBODY;
  }

  /** The session is at a server: what it was promised at another is let go. */
  keepAt(session: string, server: string): void {
    if (this.#promised.get(session)?.booking.server !== server) this.release(session);
  }

  /** Lets go of what the snapshot shows in use, and of what nobody came for. */
  settle({ nowMs, servers }: Pick<Snapshot, 'nowMs' | 'servers'>): void {
    for (const { id, arrived } of servers) {
      if (this.#read.has(arrived)) continue;
      this.#read.add(arrived);
      for (const session of arrived) this.#arrive(session, id);
    }
    for (const [session, { atMs }] of this.#promised) {
      if (isWithin(atMs, nowMs, PROMISE_MS)) break;
      this.release(session);
    }
    this.#coming.settle({ nowMs, servers }, PROMISE_MS);
    this.#pulling.settle({ nowMs, servers }, PROMISE_MS);
  }

  /** What something is booked on. */
  resources(): string[] {
    return [...this.#booked].filter(([, { count }]) => count > 0).map(([resource]) => resource);
  }

  /** Forgets resources that there are no more, as soon as nothing is booked on them. */
  prune(known: ReadonlyMap<string, unknown>): void {
    if (this.#booked.size <= 2 * known.size + FEW_RESOURCES) return;
    for (const [resource, { count }] of this.#booked)
      if (count === 0 && !known.has(resource)) this.#booked.delete(resource);
  }

  /** What is booked on a resource, as it changes. */
  on(resource: string): Booked {
    return this.#booked.getOrInsertComputed(resource, nothingBooked);
  }

  /** Ids of the servers that are about to follow a stream because viewers were sent there. */
  comingTo(stream: string): Iterable<string> {
    return this.#coming.of(stream);
  }

  isComing(stream: string, server: string): boolean {
    return this.#coming.has(stream, server);
  }

  /** Whether a CDN is about to pull a stream from a server. */
  isPulling(stream: string, server: string): boolean {
    return this.#pulling.has(stream, server);
  }

  #take({ mbps, resources }: Taking): void {
    for (const resource of resources) {
      const booked = this.on(resource);
      booked.mbps += mbps;
      booked.takenMbps += mbps;
      booked.count += 1;
    }
  }

  #arrive(session: string, server: string): void {
    const promised = this.#promised.get(session);
    if (promised?.booking.server !== server) return;
    this.#forget(session, promised);
    this.#give(promised.booking, 'used');
  }

  #forget(session: string, { network, booking }: Promised): void {
    this.#promised.delete(session);
    this.#await(network, -booking.mbps, -1);
  }

  #await(network: string, mbps: number, change: 1 | -1): void {
    if (network === '') return;
    const { count, mbps: before } = this.awaitedFrom(network);
    if (count + change === 0) this.#awaited.delete(network);
    else this.#awaited.set(network, { count: count + change, mbps: before + mbps });
  }

  #give({ mbps, resources }: Taking, as: 'used' | 'unused'): void {
    for (const resource of resources) {
      const booked = this.on(resource);
      booked.count -= 1;
      // Sums of fractions drift; nothing booked is exactly nothing.
      booked.mbps = booked.count === 0 ? 0 : booked.mbps - mbps;
      if (as === 'unused') continue;
      booked.arrivedMbps += mbps;
      booked.leasedMbps -= mbps;
      this.#onArrived(resource, mbps);
    }
  }
}
