// The last hour of the cluster, its sites and servers and its most watched streams. This usher's own: it begins when the usher does. Pure.

import { rounded } from '../figures/cluster.ts';
import { serverCost, siteCost, streamCost, totalCost, transitBySite } from '../figures/costs.ts';
import type { Look } from '../figures/look.ts';
import type { Tally } from '../figures/tally.ts';
import type { Curves } from '../messages.ts';
import { ALL, type Ratios } from '../watch/stalls.ts';
import { Curve, type Point, STEP_MS, STEPS } from './curve.ts';

export type HistoryKind = 'streams' | 'servers' | 'sites' | 'cluster';

/** A curve takes about 9 kB. */
const MOST: Readonly<Record<HistoryKind, number>> = { streams: 500, servers: 1_000, sites: 200, cluster: 1 };
/** Of the whole. */
const WHOLE = '';

export class History {
  readonly #curves: Readonly<Record<HistoryKind, Map<string, Curve>>> = {
    streams: new Map(),
    servers: new Map(),
    sites: new Map(),
    cluster: new Map(),
  };
  #step = 0;
  #endMs = 0;

  /** To be called every STEP_MS, at a time of a monotonic clock. */
  record(look: Look, tally: Tally, stalls: Ratios, monotonicMs: number): void {
    const { snapshot } = look;
    this.#step = Math.floor(monotonicMs / STEP_MS);
    this.#endMs = snapshot.nowMs;
    this.#add('cluster', new Map([[WHOLE, wholePoint(look, tally, stalls)]]));
    this.#add('sites', sitePoints(look, tally, stalls));
    this.#add('servers', serverPoints(look, tally, stalls));
    this.#add('streams', streamPoints(look, tally, stalls));
  }

  /** Undefined: nothing is kept of it. */
  of(kind: HistoryKind, id = WHOLE): Curves | undefined {
    return this.#curves[kind].get(id)?.read(this.#step, this.#endMs);
  }

  /** Who was not seen for an hour goes, and then whoever has the fewest viewers: points are in order of those. */
  #add(kind: HistoryKind, points: ReadonlyMap<string, Point>): void {
    const curves = this.#curves[kind];
    for (const [id, { step }] of curves) if (step <= this.#step - STEPS) curves.delete(id);
    for (const [id, point] of points) {
      const isNew = !curves.has(id);
      if (isNew && curves.size >= MOST[kind] && !evict(curves, points)) continue;
      curves.getOrInsertComputed(id, () => new Curve()).add(this.#step, point);
    }
  }
}

/** Somebody who is not there any more, or not among those who are to be kept, makes room. */
function evict(curves: Map<string, Curve>, points: ReadonlyMap<string, Point>): boolean {
  for (const id of curves.keys())
    if (!points.has(id)) {
      curves.delete(id);
      return true;
    }
  return false;
}

function wholePoint(look: Look, tally: Tally, stalls: Ratios): Point {
  const sites = [...tally.sites.values()];
  return {
    viewers: sites.reduce((sum, { viewers }) => sum + viewers, 0) + viewersOfCdns(look),
    sentMbps: sites.reduce((sum, { sentMbps }) => sum + sentMbps, 0),
    cost: totalCost(tally, look),
    stallRatio: stalls.all.get(ALL),
  };
}

function viewersOfCdns({ cdnViewers }: Look): number {
  let sum = 0;
  for (const counts of cdnViewers.values()) for (const count of counts.values()) sum += count;
  return sum;
}

function sitePoints(look: Look, tally: Tally, stalls: Ratios): Map<string, Point> {
  const transit = transitBySite(tally, look);
  const points = [...tally.sites].map(([site, { viewers, sentMbps }]): [string, Point] => [
    site,
    {
      viewers,
      sentMbps: rounded(sentMbps),
      cost: siteCost(tally, transit, site),
      stallRatio: stalls.site.get(site),
    },
  ]);
  return new Map(points);
}

function serverPoints(look: Look, tally: Tally, stalls: Ratios): Map<string, Point> {
  const transit = transitBySite(tally, look);
  const points = look.snapshot.servers.map(({ id, site, sentMbps }): [string, Point] => [
    id,
    {
      viewers: tally.servers.get(id)?.viewers ?? 0,
      sentMbps: rounded(sentMbps),
      cost: serverCost(tally, transit, id, site),
      stallRatio: stalls.server.get(id),
    },
  ]);
  return new Map(points);
}

function streamPoints(look: Look, tally: Tally, stalls: Ratios): Map<string, Point> {
  const transit = transitBySite(tally, look);
  const ranked = look.snapshot.streams
    .map((stream) => {
      const sum = tally.streams.get(stream.name);
      return { stream, sum, viewers: (sum?.viewers ?? 0) + cdnCount(look, stream.name) };
    })
    .sort((one, other) => other.viewers - one.viewers)
    .slice(0, MOST.streams);
  return new Map(
    ranked.map(({ stream, sum, viewers }): [string, Point] => [
      stream.name,
      {
        viewers,
        sentMbps: rounded(sum?.servedMbps ?? 0),
        cost: streamCost(tally, transit, look, stream, sum),
        stallRatio: stalls.stream.get(stream.name),
      },
    ]),
  );
}

function cdnCount({ cdnViewers }: Look, stream: string): number {
  let sum = 0;
  for (const count of cdnViewers.get(stream)?.values() ?? []) sum += count;
  return sum;
}
