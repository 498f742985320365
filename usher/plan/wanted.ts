// Which streams somebody watches, asks for, or did a short while ago: what planning remembers for rungs on demand. Pure.

import type { Snapshot } from '../../network/state/state.ts';

/** A viewer who comes back, or the next one, finds the rungs still there. */
const KEPT_MS = 30_000;

export class Wanted {
  readonly #atMs = new Map<string, number>();

  /** Learns who watches and asks now. */
  look({ nowMs, servers, ushers }: Pick<Snapshot, 'nowMs' | 'servers' | 'ushers'>): void {
    for (const { holdings } of servers)
      for (const { stream, viewers, arrivalsPerS } of holdings)
        if (viewers > 0 || arrivalsPerS > 0) this.#atMs.set(stream, nowMs);
    for (const { demand } of ushers) for (const stream of Object.keys(demand)) this.#atMs.set(stream, nowMs);
    for (const [stream, atMs] of this.#atMs) if (nowMs - atMs > KEPT_MS) this.#atMs.delete(stream);
  }

  has(stream: string): boolean {
    return this.#atMs.has(stream);
  }
}
