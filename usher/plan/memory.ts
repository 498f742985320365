// What planning remembers from one turn to the next: copies that were too many, and who came in the last minutes. Pure.

import { PLAN_MS } from './demand.ts';

/** Who came so long ago counts a third. */
const LASTING_MS = 300_000;
/** Past so many, those who came longest ago are forgotten. */
const MAX_RATES = 50_000;
/** What is seen in one turn says nothing of a longer time before it. */
const MOST_TURN_MS = 10_000;

interface Rate {
  perS: number;
  atMs: number;
}

/** Times are of the state's clock. */
export class PlanMemory {
  #sparesBefore: ReadonlyMap<string, number> = new Map();
  #spares = new Map<string, number>();
  readonly #rates = new Map<string, Rate>();
  #beganAtMs = Number.NEGATIVE_INFINITY;
  /** Since the turn before. */
  #turnMs = PLAN_MS;

  /** A turn begins: renditions that had a copy too many, and are not asked for in it, have none any more. */
  begin(nowMs: number): void {
    const passedMs = nowMs - this.#beganAtMs;
    this.#turnMs = passedMs > 0 && passedMs <= MOST_TURN_MS ? passedMs : PLAN_MS;
    this.#beganAtMs = nowMs;
    this.#sparesBefore = this.#spares;
    this.#spares = new Map();
  }

  /** Whether a copy of a rendition goes now, which has one too many. For the next one time begins anew. */
  isDue(rendition: string, nowMs: number, lingerMs: number): boolean {
    const sinceMs = this.#sparesBefore.get(rendition) ?? nowMs;
    const isDue = nowMs - sinceMs >= lingerMs;
    this.#spares.set(rendition, isDue ? nowMs : sinceMs);
    return isDue;
  }

  /** Viewers per second over the last minutes, of those who come to a stream and would be served best at a site. */
  lastingPerS(stream: string, site: string, nowMs: number, nowPerS: number): number {
    const name = `${stream}/${site}`;
    const rate = this.#rates.get(name) ?? { perS: 0, atMs: nowMs - this.#turnMs };
    const passedMs = Math.max(0, nowMs - rate.atMs);
    const share = 1 - Math.exp(-Math.min(passedMs, this.#turnMs) / LASTING_MS);
    rate.perS = rate.perS * Math.exp(-passedMs / LASTING_MS) + nowPerS * share;
    rate.atMs = nowMs;
    this.#rates.delete(name);
    this.#rates.set(name, rate);
    if (this.#rates.size > MAX_RATES) this.#rates.delete(this.#rates.keys().next().value!);
    return rate.perS;
  }
}
