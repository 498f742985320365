// How fast the archive may send: up to a limit, and less the more of the server's egress viewers take.

import type { Pace } from '../../../network/archive/storage.ts';
import { type Clock, sleep } from '../../../network/clock.ts';

export interface PaceOptions {
  readonly clock: Clock;
  /** Mbps, with nobody watching. */
  readonly limitMbps: number;
  /** The share of its egress that the server sends now, 0 to 1. */
  readonly load: () => number;
}

/** A full server still gets its archive away, slowly: otherwise a busy week would fill its disks. */
const LEAST_SHARE = 0.05;

export function createPace({ clock, limitMbps, load }: PaceOptions): Pace {
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return async (bytes) => {
    const share = Math.max(LEAST_SHARE, 1 - load());
    const nowMs = clock.monotonic();
    const startMs = Math.max(nowMs, freeAtMs);
    freeAtMs = startMs + (bytes * 8) / (limitMbps * share * 1000);
    if (startMs > nowMs) await sleep(clock, startMs - nowMs);
  };
}
