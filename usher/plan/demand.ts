// Demand: what viewers want of a rendition now, and will want by the time that one more copy could be there. Pure.

import { BEAT_MS } from '../../network/state/liveness.ts';
import type { RenditionRecord, Snapshot } from '../../network/state/state.ts';

/** How often the plan is made. */
export const PLAN_MS = 500;
/** A plan reaches its servers after this: the state tells them at once. */
const TOLD_MS = 100;
/** A crowd may come twice as fast while a copy is made as it comes now: one that doubles every 2 s is met by copies of 1 s. */
const RAMP = 2;

/** Who comes stays for about so long: whether a copy near them pays depends on how many there will be. */
export const STAY_S = 600;

/** Ushers count who asks them over about so long. */
const ASKED_S = 1.5;

/** What a rendition is taken for until its first segment has closed. */
const ASSUMED_BPS = 4_000_000;

export function bitrateMbps({ averageBps }: RenditionRecord): number {
  return (averageBps > 0 ? averageBps : ASSUMED_BPS) / 1e6;
}

/**
 * How many viewers will have come for each that comes per second now: a viewer shows in the next beat, that beat in the next
 * plan, the plan reaches its server, and the copy is made. With a copy of 1 s: 2 x (1 + 0.5 + 0.1 + 1) = 5.2.
 */
export function comingPerArrival(copyMs: number): number {
  return (RAMP * (BEAT_MS + PLAN_MS + TOLD_MS + copyMs)) / 1000;
}

/** Viewers per second who would be served best at one site. */
export interface Arrivals {
  /** Of late: within seconds. */
  readonly perS: number;
  /** Over the last minutes. */
  readonly lastingPerS: number;
}

/**
 * How many there will be who watch, as far as can be said. What came in so short a time is by chance as much as twice its standard
 * deviation more than comes usually: two viewers in one second are no stream of viewers yet.
 */
export function audience({ perS, lastingPerS }: Arrivals): number {
  return STAY_S * Math.max(lastingPerS, perS - 2 * Math.sqrt(perS / ASKED_S));
}

/** Viewers per second by stream and the site that would serve them best, as all ushers together are asked. */
export function readDemand({
  ushers,
}: Pick<Snapshot, 'ushers'>): ReadonlyMap<string, ReadonlyMap<string, number>> {
  const demand = new Map<string, Map<string, number>>();
  for (const usher of ushers)
    for (const [stream, sites] of Object.entries(usher.demand)) {
      const known = demand.getOrInsertComputed(stream, () => new Map());
      for (const [site, perS] of Object.entries(sites)) known.set(site, (known.get(site) ?? 0) + perS);
    }
  return demand;
}
