// A large network for benchmarks of placement: sites with peering and transit, servers that are half full, streams by Zipf's law.

import type { Site, Topology, Uplink } from '../../network/map/topology.ts';
import type { Whence } from '../../network/map/whence.ts';
import type { Follow, Holding, KnownServer, Snapshot } from '../../network/state/state.ts';
import type { PlaceRequest } from '../../usher/placement/request.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../tools/cluster/clusters.ts';

/** What Headwater is measured at. */
export const SIZES: readonly Size[] = [
  { servers: 200, streams: 2_000 },
  { servers: 2_000, streams: 100_000 },
];
/** Snapshots are taken so often. */
export const SNAPSHOT_MS = 200;

const SITES = 10;
const PEERS = 20;
const VIEWER_MBPS = 4;
/** How full the servers are. */
const FILL = 0.6;
/** A server that would have more viewers of a stream than this shares them with another. */
const VIEWERS_PER_COPY = 150;
const BEAT_MS = 1_000;

export interface Size {
  readonly servers: number;
  readonly streams: number;
}

/** A fifth of the servers beats between two snapshots, and tells who came since it did last; as many left. */
export function nextSnapshot(
  before: Snapshot,
  arriving: Map<string, PlaceRequest[]>,
  round: number,
): Snapshot {
  const nowMs = before.nowMs + SNAPSHOT_MS;
  const parts = BEAT_MS / SNAPSHOT_MS;
  const servers = before.servers.map((each, index): KnownServer => {
    if (index % parts !== round % parts) return each;
    const came = arriving.get(each.id) ?? [];
    arriving.delete(each.id);
    const held = new Map(
      each.holdings.map((holding) => [holding.stream, { ...holding, next: holding.next + 30 }]),
    );
    for (const { stream: name } of came) if (!held.has(name)) held.set(name, holding(name, 1));
    const arrived = came.map(({ viewer }) => viewer);
    return { ...each, beatAtMs: nowMs, arrived, holdings: [...held.values()] };
  });
  return { ...before, nowMs, servers };
}

/** Streams by Zipf's law. */
export class Popularity {
  readonly names: readonly string[];
  readonly #sums: number[] = [];

  constructor(streams: number) {
    this.names = Array.from({ length: streams }, (_, index) => `stream-${String(index).padStart(6, '0')}`);
    let sum = 0;
    for (let rank = 1; rank <= streams; rank++) {
      sum += 1 / rank;
      this.#sums.push(sum);
    }
  }

  share(index: number): number {
    return 1 / (index + 1) / this.#sums.at(-1)!;
  }

  draw(dice: Dice): string {
    const mark = dice.next() * this.#sums.at(-1)!;
    let [from, to] = [0, this.#sums.length - 1];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#sums[middle]! < mark) from = middle + 1;
      else to = middle;
    }
    return this.names[from]!;
  }
}

export function requestOf(popular: Popularity, dice: Dice, viewer: string): PlaceRequest {
  const position = { latitude: dice.next() * 100 - 40, longitude: dice.next() * 360 - 180 };
  const whence: Whence = { country: 'DE', position, asn: 64_500 + Math.floor(dice.next() * PEERS * 2) };
  return { stream: popular.draw(dice), viewer, whence, allowCdn: false };
}

export function topologyOf(): Topology {
  const names = Array.from({ length: SITES }, (_, index) => siteName(index));
  const links = names.flatMap((one, at) =>
    names.slice(at + 1).map((other) => ({
      sites: [one, other] as const,
      capacityMbps: 100_000,
      microUsdPerGb: 500,
      rttMs: 40,
    })),
  );
  return { sites: new Map(names.map((name, index) => [name, siteOf(name, index)])), links, cdns: [] };
}

function siteOf(name: string, index: number): Site {
  const asns = Array.from({ length: PEERS }, (_, peer) => 64_500 + peer).filter(
    (asn) => asn % SITES === index,
  );
  const uplinks: Uplink[] = [
    { kind: 'peering', name: 'ix', capacityMbps: 400_000, asns },
    {
      kind: 'transit',
      name: 'transit',
      capacityMbps: 400_000,
      billing: { kind: 'percentile', percentile: 95, microUsdPerMbpsMonth: 200_000, commitMbps: 10_000 },
    },
  ];
  const position = { latitude: index * 10 - 40, longitude: index * 36 - 180 };
  return { name, position, uplinks, hosts: {} };
}

/** Each stream on as many servers as its viewers need, of sites in turn. */
export function clusterOf({ servers: count }: Size, popular: Popularity): Snapshot {
  const viewers = (count * 1000 * FILL) / VIEWER_MBPS;
  const holdings = Array.from({ length: count }, (): Holding[] => []);
  const follows = Array.from({ length: count }, (): Follow[] => []);
  const streams = popular.names.map((name, index) => {
    const own = viewers * popular.share(index);
    const copies = Math.max(1, Math.min(count, Math.ceil(own / VIEWERS_PER_COPY)));
    for (let copy = 0; copy < copies; copy++) {
      const at = (index * 7 + copy) % count;
      holdings[at]!.push(holding(name, Math.ceil(own / copies)));
      const parents = [{ id: idOf((index * 7) % count), relayUrl: '' }];
      const follow = { stream: name, rendition: 'source', parents };
      if (copy > 0) follows[at]!.push(follow);
    }
    return stream(name, idOf((index * 7) % count));
  });
  const servers = holdings.map((held, index) => {
    const mbps = Math.min(
      850,
      held.reduce((sum, each) => sum + each.viewers * VIEWER_MBPS, 0),
    );
    return server(idOf(index), {
      roles: ['origin', 'edge'],
      site: siteName(index % SITES),
      holdings: held,
      sentMbps: mbps,
      committedMbps: mbps,
      uplinks: { ix: mbps / 4, transit: (mbps * 3) / 4 },
    });
  });
  const plan = Object.fromEntries(
    follows.map((list, index) => [idOf(index), { follows: list, successors: {} }]),
  );
  return { ...snapshot(servers, streams, { plan }), nowMs: NOW_MS };
}

function siteName(index: number): string {
  return `site-${index}`;
}

function idOf(index: number): string {
  return `server-${String(index).padStart(4, '0')}`;
}

/** Mulberry32: the same viewers in each run. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mix = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mix = (mix + Math.imul(mix ^ (mix >>> 7), 61 | mix)) ^ mix;
    return ((mix ^ (mix >>> 14)) >>> 0) / 2 ** 32;
  }
}
