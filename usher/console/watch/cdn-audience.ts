// Which viewers watch by which CDN, as far as this usher has steered them there. Pure.

import type { CdnViewers } from '../figures/look.ts';

interface Watching {
  readonly stream: string;
  readonly cdn: string;
  /** When the player asks again how to go on, by a monotonic clock. */
  readonly untilMs: number;
}

/** Past so many whoever was heard of least recently is forgotten. */
const MAX_SESSIONS = 200_000;
/** A player that is late to ask again has not gone. */
const LATE_MS = 5_000;

export class CdnAudience {
  /** By session, who was heard of least recently first. */
  readonly #sessions = new Map<string, Watching>();
  readonly #viewers = new Map<string, Map<string, number>>();

  watch(session: string, watching: Watching): void {
    this.leave(session);
    this.#sessions.set(session, watching);
    this.#add(watching, 1);
    if (this.#sessions.size > MAX_SESSIONS) this.leave(this.#sessions.keys().next().value!);
  }

  /** It watches elsewhere, or no more. */
  leave(session: string): void {
    const known = this.#sessions.get(session);
    if (!known) return;
    this.#sessions.delete(session);
    this.#add(known, -1);
  }

  /** All of them, by CDN. */
  byCdn(nowMs: number): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const counts of this.viewers(nowMs).values())
      for (const [cdn, count] of counts) sums[cdn] = (sums[cdn] ?? 0) + count;
    return sums;
  }

  /** By stream and CDN, after letting go of those who did not ask again: of many who are early, some go later. */
  viewers(nowMs: number): CdnViewers {
    for (const [session, { untilMs }] of this.#sessions) {
      if (untilMs + LATE_MS > nowMs) break;
      this.leave(session);
    }
    return new Map([...this.#viewers].map(([stream, counts]) => [stream, new Map(counts)]));
  }

  #add({ stream, cdn }: Watching, change: number): void {
    const counts = this.#viewers.getOrInsertComputed(stream, () => new Map());
    const count = (counts.get(cdn) ?? 0) + change;
    if (count > 0) counts.set(cdn, count);
    else counts.delete(cdn);
    if (counts.size === 0) this.#viewers.delete(stream);
  }
}
