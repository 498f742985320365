// Who comes for what and from where, as the planner is told it: arrivals by stream and by the site that would serve them best. Pure.

import { type Demand as DemandReport, MAX_DEMAND } from '../../../network/state/lease.ts';
import { type Ask, NO_ROOM_MBPS, siteTerms } from '../price/cost.ts';
import { rungsMbps } from '../scene/streams.ts';

/** Arrivals of so long are counted: long enough for a rate, short enough to see a crowd come. */
const WINDOW_S = 1.5;
/** What is counted in less is counted together. */
const STEP_S = 0.25;
/** Streams that are counted in one step. */
const MAX_COUNTED = 20_000;

/** So many come to a stream before it is worth a word that there are twice as many as the last report said. */
const CROWD = 10;
/** Reports are made about so often. */
const REPORT_S = 0.3;

/** By stream, then by site. */
type Counts = Map<string, Map<string, number>>;

interface Step {
  readonly counts: Counts;
  lastS: number;
}

export class Demand {
  /** The newest, which is being counted, last. */
  readonly #steps: Step[] = [{ counts: new Map(), lastS: 0 }];
  #reported: DemandReport = {};
  /** By stream, since the last report. */
  #unreported = new Map<string, number>();

  /** Whether those who have come since the last report are a crowd that it did not foretell; says so once for each. */
  count(stream: string, site: string): boolean {
    const { counts } = this.#steps.at(-1)!;
    if (!counts.has(stream) && counts.size >= MAX_COUNTED) return false;
    add(counts, stream, site, 1);
    const came = (this.#unreported.get(stream) ?? 0) + 1;
    this.#unreported.set(stream, came);
    const sites = Object.hasOwn(this.#reported, stream) ? Object.values(this.#reported[stream]!) : [];
    const foretold = sites.reduce((sum, perS) => sum + perS, 0) * REPORT_S;
    return came === Math.max(CROWD, Math.ceil(2 * foretold));
  }

  /** Arrivals per second of late. `passedS`: since this was asked last. */
  report(passedS: number): DemandReport {
    const newest = this.#steps.at(-1)!;
    newest.lastS += passedS;
    while (this.#lastS - this.#steps[0]!.lastS >= WINDOW_S) this.#steps.shift();
    const lastS = this.#lastS;
    const rates = lastS > 0 ? ratesOf(sumOf(this.#steps), lastS) : {};
    if (newest.lastS >= STEP_S) this.#steps.push({ counts: new Map(), lastS: 0 });
    this.#reported = rates;
    this.#unreported = new Map();
    return rates;
  }

  get #lastS(): number {
    return this.#steps.reduce((sum, { lastS }) => sum + lastS, 0);
  }
}

/** Where a viewer would best be served if there were room everywhere; undefined: there is no server that may. */
export function idealSite(ask: Ask): string | undefined {
  const [mbps = 0] = rungsMbps(ask.stream);
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const site of ask.scene.sites) {
    const terms = site.open.length > 0 ? siteTerms(ask, site, mbps, NO_ROOM_MBPS) : undefined;
    if (!terms || terms.sum >= least) continue;
    best = site.name;
    least = terms.sum;
  }
  return best;
}

function add(counts: Counts, stream: string, site: string, count: number): void {
  const sites = counts.getOrInsertComputed(stream, () => new Map());
  sites.set(site, (sites.get(site) ?? 0) + count);
}

function sumOf(steps: readonly Step[]): Counts {
  const sum: Counts = new Map();
  for (const { counts } of steps)
    for (const [stream, sites] of counts) for (const [site, count] of sites) add(sum, stream, site, count);
  return sum;
}

function ratesOf(counts: Counts, lastS: number): DemandReport {
  const streams = [...counts].map(([stream, sites]) => ({ stream, sites, count: countOf(sites) }));
  if (streams.length > MAX_DEMAND) streams.sort((one, other) => other.count - one.count);
  const rates = streams.slice(0, MAX_DEMAND).map(({ stream, sites }) => {
    const bySite = [...sites].map(([site, count]) => [site, count / lastS]);
    return [stream, Object.fromEntries(bySite)];
  });
  return Object.fromEntries(rates);
}

function countOf(sites: ReadonlyMap<string, number>): number {
  return sites.values().reduce((sum, count) => sum + count, 0);
}
