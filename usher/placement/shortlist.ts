// The best few of many candidates, of different hosts where possible. Pure.

import type { SceneServer } from './scene/plant.ts';

export interface Candidate {
  readonly at: SceneServer;
  readonly microUsdPerHour: number;
  /** Between those of one price the highest wins. */
  readonly rank: number;
}

export class Shortlist<Entry extends Candidate> {
  readonly #size: number;
  /** Best first, each of another host. */
  readonly #best: Entry[] = [];
  /** Of hosts that have a better one. */
  readonly #second: Entry[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** How many hosts are on it. */
  get hosts(): number {
    return this.#best.length;
  }

  /** The price above which nobody comes on it, or, with `first`, to its head. */
  limit(first = false): number {
    const last = first ? this.#best[0] : this.#best[this.#size - 1];
    return last?.microUsdPerHour ?? Number.POSITIVE_INFINITY;
  }

  add(entry: Entry): void {
    const same = this.#best.findIndex(
      ({ at }) => at.site === entry.at.site && at.server.host === entry.at.server.host,
    );
    if (same === -1) this.#insert(this.#best, entry);
    else if (isBetter(entry, this.#best[same]!)) {
      this.#insert(this.#second, this.#best.splice(same, 1)[0]!);
      this.#insert(this.#best, entry);
    } else this.#insert(this.#second, entry);
  }

  list(): Entry[] {
    return [...this.#best, ...this.#second].slice(0, this.#size);
  }

  #insert(list: Entry[], entry: Entry): void {
    const at = list.findIndex((other) => isBetter(entry, other));
    if (at !== -1) list.splice(at, 0, entry);
    else if (list.length < this.#size) list.push(entry);
    if (list.length > this.#size) list.pop();
  }
}

/** Total: candidates can be added in any order. */
function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.microUsdPerHour !== other.microUsdPerHour) return one.microUsdPerHour < other.microUsdPerHour;
  return one.rank === other.rank ? one.at.server.id < other.at.server.id : one.rank > other.rank;
}
