// How many watch each rendition at this moment, how fast they come, and who has come of late.

import type { Clock } from '../../network/clock.ts';
import { readSession } from '../../network/session.ts';
import { Arrivals } from './arrivals.ts';
import { isShared, type Watcher } from './session.ts';

/** So long usher is told that a session began here: it has then been in two beats. */
const ARRIVED_MS = 2_500;
/** Of more than that in so short a time, the oldest are not told any more: they were, in the beat before. */
const MAX_ARRIVED = 2_000;

export class Viewers {
  readonly #clock: Clock;
  readonly #arrivals: Arrivals;
  readonly #counts = new Map<string, number>();
  #arrived: { readonly id: string; readonly atMs: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#arrivals = new Arrivals(clock);
  }

  of(stream: string, rendition: string): number {
    return this.#counts.get(`${stream}/${rendition}`) ?? 0;
  }

  /** Viewers that begin to watch a rendition, per second, of late. */
  arrivalsOf(stream: string, rendition: string): number {
    return this.#arrivals.perS(`${stream}/${rendition}`);
  }

  /** Ids of the sessions that began here of late. */
  get arrived(): readonly string[] {
    const oldestMs = this.#clock.monotonic() - ARRIVED_MS;
    this.#arrived = this.#arrived.filter(({ atMs }) => atMs > oldestMs);
    return this.#arrived.map(({ id }) => id);
  }

  count({ stream, rendition }: Watcher, change: number): void {
    const key = `${stream}/${rendition}`;
    const viewers = (this.#counts.get(key) ?? 0) + change;
    if (viewers > 0) this.#counts.set(key, viewers);
    else {
      this.#counts.delete(key);
      this.#arrivals.forget(key);
    }
  }

  /** Somebody has begun to watch. */
  arrive({ session, stream, rendition }: Watcher): void {
    this.#arrivals.count(`${stream}/${rendition}`);
    if (isShared(session)) return;
    this.#arrived.push({ id: readSession(session).id, atMs: this.#clock.monotonic() });
    if (this.#arrived.length > MAX_ARRIVED) this.#arrived.shift();
  }
}
