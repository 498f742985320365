// The best few of many candidates: the second of another site than the first where that is no worse than it may be, all of different
// hosts where possible. Pure.

import type { SceneServer, SceneSite } from './scene/plant.ts';

export interface Candidate {
  readonly at: SceneServer;
  readonly microUsdPerHour: number;
  /** Between those of one price the highest wins. */
  readonly rank: number;
}

export interface ShortlistOptions {
  readonly size: number;
  /** By so much the second may be dearer than the first, so that a site can be lost and its viewers go on at once. */
  readonly awayMicroUsd: number;
}

export class Shortlist<Entry extends Candidate> {
  readonly #size: number;
  readonly #awayMicroUsd: number;
  /** Best first, each of another host. */
  readonly #best: Entry[] = [];
  /** Of hosts that have a better one. */
  readonly #second: Entry[] = [];
  /** The best of those that are not of the site of the very best. */
  #away: Entry | undefined;

  constructor({ size, awayMicroUsd }: ShortlistOptions) {
    this.#size = size;
    this.#awayMicroUsd = awayMicroUsd;
  }

  /** Whether there are as many as wanted, each of another host. */
  get isFull(): boolean {
    return this.#best.length === this.#size;
  }

  /** Whether somebody of another site than the first stands on it. */
  get hasAway(): boolean {
    return this.#away !== undefined && this.#away.microUsdPerHour <= this.#awayLimit();
  }

  /** The price above which nobody comes on it. */
  limit(): number {
    const last = this.#best[this.#size - 1];
    return last ? Math.max(last.microUsdPerHour, this.#awayLimit()) : Number.POSITIVE_INFINITY;
  }

  /** The price above which nobody of a site comes to its head, or, with `orAway`, to be the one of another site. */
  headLimit(site: SceneSite, orAway: boolean): number {
    const [first] = this.#best;
    if (!first) return Number.POSITIVE_INFINITY;
    return orAway && site !== first.at.site ? this.#awayLimit() : first.microUsdPerHour;
  }

  add(entry: Entry): void {
    this.#note(entry);
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
    const [first, ...others] = [...this.#best, ...this.#second];
    if (!first) return [];
    const away = this.hasAway ? [this.#away!] : [];
    return [first, ...away, ...others.filter((entry) => !away.includes(entry))].slice(0, this.#size);
  }

  #note(entry: Entry): void {
    const [first] = this.#best;
    if (!first) return;
    // Whoever was the very best is better than all of the other sites.
    const [head, other] = isBetter(entry, first) ? [entry, first] : [first, entry];
    if (other.at.site === head.at.site) return;
    if (!this.#away || this.#away.at.site === head.at.site || isBetter(other, this.#away)) this.#away = other;
  }

  #awayLimit(): number {
    const [first] = this.#best;
    const most = first ? first.microUsdPerHour + this.#awayMicroUsd : Number.POSITIVE_INFINITY;
    return Math.min(most, this.#away?.microUsdPerHour ?? Number.POSITIVE_INFINITY);
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
