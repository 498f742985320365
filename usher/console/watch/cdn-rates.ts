// What is spent on each CDN now, by how the month's sum grew in the last minute: ushers pay for their viewers now and then. Pure.

import type { Snapshot } from '../../../network/state/state.ts';

interface Reading {
  readonly atMs: number;
  readonly spentMicroUsd: Snapshot['spentMicroUsd'];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

export class CdnRates {
  /** Of the last minute, and the one before that. */
  #readings: Reading[] = [];

  /** Micro-dollars per hour by CDN. A new month begins anew. */
  read({ nowMs: atMs, spentMicroUsd }: Snapshot): ReadonlyMap<string, number> {
    const last = this.#readings.at(-1);
    if (last && (atMs < last.atMs || isLess(spentMicroUsd, last.spentMicroUsd))) this.#readings = [];
    if (atMs !== this.#readings.at(-1)?.atMs) this.#readings.push({ atMs, spentMicroUsd });
    while (this.#readings.length > 2 && this.#readings[1]!.atMs <= atMs - MINUTE_MS) this.#readings.shift();
    const first = this.#readings[0]!;
    // The first minute counts as whole: what is paid in its first seconds is paid ahead.
    const spanMs = Math.max(MINUTE_MS, atMs - first.atMs);
    return new Map(
      Object.entries(spentMicroUsd).map(([cdn, spent]) => {
        const grownBy = spent - (first.spentMicroUsd[cdn] ?? 0);
        return [cdn, (grownBy * HOUR_MS) / spanMs] as const;
      }),
    );
  }
}

function isLess(now: Snapshot['spentMicroUsd'], before: Snapshot['spentMicroUsd']): boolean {
  return Object.entries(before).some(([cdn, spent]) => (now[cdn] ?? 0) < spent);
}
