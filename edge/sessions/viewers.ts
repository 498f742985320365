// How many watch each rendition at this moment, how fast they come, and who has come of late.

import type { Clock } from '../../network/clock.ts';
import { readSession } from '../../network/session.ts';
import { ARRIVED_MS, MAX_ARRIVED } from '../../network/state/state.ts';
import { Arrivals } from './arrivals.ts';
import { isShared, type Watcher } from './session.ts';

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

  /** Ids of the sessions that began here of late. Of too many the oldest are left out: they were in the beat before. */
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
