// How fast viewers ask an usher for each stream, by the site that would serve them best: what it tells who leads.

import type { Demand } from '../../../../network/state/lease.ts';
import type { Viewer } from '../../world/viewer.ts';
import { Speed } from './speed.ts';

/** An usher tells of so many streams at most, those that are asked for most. */
const MAX_STREAMS = 500;
/** Less than that is nobody. */
const LEAST_PER_S = 0.05;

export class Asked {
  /** By stream, then site. */
  readonly #speeds = new Map<string, Map<string, Speed>>();

  count({ stream, group }: Viewer, nowMs: number): void {
    const site = group.roads[group.nearest[0]!]!.site.site.name;
    const sites = this.#speeds.getOrInsertComputed(stream.name, () => new Map());
    sites.getOrInsertComputed(site, () => new Speed()).count(nowMs);
  }

  demand(nowMs: number): Demand {
    const all = [...this.#speeds].map(([stream, speeds]) => {
      const sites = [...speeds].map(([site, speed]) => [site, speed.perS(nowMs)] as const);
      return { stream, sites, perS: sites.reduce((sum, [, perS]) => sum + perS, 0) };
    });
    for (const { stream, perS } of all) if (perS < LEAST_PER_S) this.#speeds.delete(stream);
    const told = all.filter(({ perS }) => perS >= LEAST_PER_S);
    told.sort((one, other) => other.perS - one.perS);
    const entries = told.slice(0, MAX_STREAMS);
    return Object.fromEntries(entries.map(({ stream, sites }) => [stream, Object.fromEntries(sites)]));
  }
}
