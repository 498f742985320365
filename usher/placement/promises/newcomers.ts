// How many new viewers one address may bring: enough for the crowd behind a carrier's NAT, too few to keep usher busy alone. Pure.

/** The limit is of so long, all at once or one after another. */
const WHILE_MS = 10_000;
/** Past so many addresses whoever came least recently is forgotten: it has its whole allowance again. */
const MAX_NETWORKS = 100_000;

interface Allowance {
  left: number;
  atMs: number;
}

export class Newcomers {
  readonly #limit: number;
  /** By address or /64, who came least recently first. */
  readonly #networks = new Map<string, Allowance>();

  /** `limit`: of one address in ten seconds. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts somebody who comes: 0, or ms to wait before coming again. An empty network has no limit. Times are of a monotonic clock. */
  waitMs(network: string, nowMs: number): number {
    if (network === '') return 0;
    const known = this.#networks.get(network);
    const regained = known ? ((nowMs - known.atMs) * this.#limit) / WHILE_MS : 0;
    const left = known ? Math.min(this.#limit, known.left + regained) : this.#limit;
    this.#networks.delete(network);
    this.#networks.set(network, { left: left < 1 ? left : left - 1, atMs: nowMs });
    if (this.#networks.size > MAX_NETWORKS) this.#networks.delete(this.#networks.keys().next().value!);
    return left < 1 ? ((1 - left) * WHILE_MS) / this.#limit : 0;
  }
}
