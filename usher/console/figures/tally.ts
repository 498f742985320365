// What a snapshot comes to when it is added up: by stream, server and site, and between sites. Pure.

import { linkBetween, type Topology } from '../../../network/map/topology.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { Holding, KnownServer, Snapshot, StreamRecord } from '../../../network/state/state.ts';
import { GB_PER_MBPS_HOUR } from '../../placement/price/billing.ts';
import { type Plant, plantOf } from '../../placement/scene/plant.ts';

/** A sum of holdings. */
export interface Sum {
  viewers: number;
  arrivalsPerS: number;
  /** What the viewers are sent. */
  servedMbps: number;
  /** What the copies cost on links, micro-dollars per hour. */
  linksMicroUsd: number;
}

export interface StreamSum extends Sum {
  /** Servers that hold it. */
  copies: number;
  /** By site, what its viewers are sent. */
  readonly servedMbpsAt: Map<string, number>;
}

export interface ServerSum extends Sum {
  /** Streams that it holds. */
  copies: number;
  /** Feeds that others take of it. */
  children: number;
  /** Streams that it is origin of. */
  broadcasts: number;
}

export interface SiteSum extends Sum {
  servers: number;
  sentMbps: number;
  egressMbps: number;
}

export interface Tally {
  readonly streams: ReadonlyMap<string, StreamSum>;
  readonly servers: ReadonlyMap<string, ServerSum>;
  readonly sites: ReadonlyMap<string, SiteSum>;
  /** Mbps of copies by `<site>/<site>`, from the first to the second. */
  readonly flows: ReadonlyMap<string, number>;
  readonly plant: Plant;
}

/** Servers that are dead count for nothing. */
export function tallyOf(snapshot: Snapshot, topology: Topology): Tally {
  const adding = new Adding(snapshot, topology);
  for (const server of snapshot.servers)
    if (isAlive(server.beatAtMs, snapshot)) adding.server(server);
    else adding.servers.getOrInsertComputed(server.id, newServerSum);
  for (const { origin } of snapshot.streams)
    adding.servers.getOrInsertComputed(origin, newServerSum).broadcasts += 1;
  return { ...adding.sums(), plant: plantOf(snapshot, topology) };
}

class Adding {
  readonly #streams = new Map<string, StreamSum>();
  readonly servers = new Map<string, ServerSum>();
  readonly #sites = new Map<string, SiteSum>();
  readonly #flows = new Map<string, number>();
  readonly #records: ReadonlyMap<string, StreamRecord>;
  readonly #siteOf: ReadonlyMap<string, string>;
  /** Micro-dollars per Mbps and hour between two sites. */
  readonly #linkPrices = new Map<string, number>();
  readonly #topology: Topology;

  constructor({ streams, servers }: Snapshot, topology: Topology) {
    this.#records = new Map(streams.map((stream) => [stream.name, stream]));
    this.#siteOf = new Map(servers.map(({ id, site }) => [id, site]));
    this.#topology = topology;
  }

  sums(): Omit<Tally, 'plant'> {
    return { streams: this.#streams, servers: this.servers, sites: this.#sites, flows: this.#flows };
  }

  server(server: KnownServer): void {
    const own = this.servers.getOrInsertComputed(server.id, newServerSum);
    const site = this.#sites.getOrInsertComputed(server.site, newSiteSum);
    site.servers += 1;
    site.sentMbps += server.sentMbps;
    site.egressMbps += server.egressMbps;
    const held = new Set<string>();
    for (const holding of server.holdings) {
      const stream = this.#streams.getOrInsertComputed(holding.stream, newStreamSum);
      if (!held.has(holding.stream)) stream.copies += 1;
      held.add(holding.stream);
      this.#holding(holding, server.site, own, site, stream);
    }
    own.copies = held.size;
  }

  #holding(holding: Holding, siteName: string, server: ServerSum, site: SiteSum, stream: StreamSum): void {
    const { viewers, arrivalsPerS, parent } = holding;
    const mbps = bitrateMbps(this.#records.get(holding.stream), holding.rendition);
    const from = parent === null ? undefined : this.#siteOf.get(parent);
    const isCrossing = from !== undefined && from !== siteName;
    const linksMicroUsd = isCrossing ? mbps * this.#linkPrice(from, siteName) : 0;
    for (const sum of [server, site, stream]) {
      sum.viewers += viewers;
      sum.arrivalsPerS += arrivalsPerS;
      sum.servedMbps += viewers * mbps;
      sum.linksMicroUsd += linksMicroUsd;
    }
    if (viewers > 0) addTo(stream.servedMbpsAt, siteName, viewers * mbps);
    if (isCrossing) addTo(this.#flows, `${from}/${siteName}`, mbps);
    if (parent !== null) this.servers.getOrInsertComputed(parent, newServerSum).children += 1;
  }

  #linkPrice(from: string, to: string): number {
    return this.#linkPrices.getOrInsertComputed(`${from}/${to}`, () => {
      const link = linkBetween(this.#topology, from, to);
      return (link?.microUsdPerGb ?? 0) * GB_PER_MBPS_HOUR;
    });
  }
}

function bitrateMbps(stream: StreamRecord | undefined, rendition: string): number {
  return (stream?.renditions.find(({ name }) => name === rendition)?.averageBps ?? 0) / 1e6;
}

function addTo(sums: Map<string, number>, key: string, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}

function newSum(): Sum {
  return { viewers: 0, arrivalsPerS: 0, servedMbps: 0, linksMicroUsd: 0 };
}

function newStreamSum(): StreamSum {
  return { ...newSum(), copies: 0, servedMbpsAt: new Map() };
}

function newServerSum(): ServerSum {
  return { ...newSum(), copies: 0, children: 0, broadcasts: 0 };
}

function newSiteSum(): SiteSum {
  return { ...newSum(), servers: 0, sentMbps: 0, egressMbps: 0 };
}
