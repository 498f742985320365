// The simulated network: sites with their uplinks, hosts and servers, and the links between sites. Each carries what goes through it.

import { distanceKm, type Position } from '../../../network/map/position.ts';
import type { Cdn, Link, Site, Topology, Uplink } from '../../../network/map/topology.ts';
import type { Scenario } from '../scenario.ts';
import type { Copy } from './copy.ts';
import { Meter } from './meter.ts';
import type { Stream } from './stream.ts';

export interface PlantSite {
  readonly index: number;
  readonly site: Site;
  readonly uplinks: readonly PlantUplink[];
  readonly servers: Server[];
}

export interface PlantUplink {
  readonly uplink: Uplink;
  readonly meter: Meter;
}

export interface Host {
  readonly name: string;
  readonly meter: Meter;
  /** To less than its servers' cards together. */
  readonly isLimited: boolean;
}

/** One direction of a link. */
export interface PlantLink {
  readonly link: Link;
  readonly meter: Meter;
  isUp: boolean;
}

export interface PlantCdn {
  readonly cdn: Cdn;
  /** All that it serves. */
  readonly meter: Meter;
}

export class Server {
  readonly index: number;
  readonly id: string;
  readonly site: PlantSite;
  readonly card: Meter;
  readonly host: Host;
  readonly copies = new Map<Stream, Copy>();
  /** Those of which anything has changed since somebody looked at them; undefined: nobody does. */
  changed: Set<Copy> | undefined;
  /** What it should send to viewers, kbps by uplink. */
  readonly toViewers = new Map<PlantUplink, number>();
  /** What gets there: of a card that is to send too much, all that it sends lacks the same part. */
  readonly #onUplinks = new Map<PlantUplink, number>();
  /** What it keeps back of its card for servers and caches, where it guards itself. */
  reserveKbps = 0;
  isUp = true;
  drain: { readonly sinceMs: number; readonly deadlineMs: number } | undefined;
  #feedersKbps = 0;

  constructor(index: number, id: string, site: PlantSite, card: Meter, host: Host) {
    this.index = index;
    this.id = id;
    this.site = site;
    this.card = card;
    this.host = host;
  }

  /** New viewers and broadcasts may come to it. */
  get isOpen(): boolean {
    return this.isUp && !this.drain;
  }

  hasRoom(kbps: number): boolean {
    return this.card.hasRoom(kbps) && this.host.meter.hasRoom(kbps);
  }

  /** To viewers, and to servers and caches. */
  get viewersKbps(): number {
    return this.card.loadKbps - this.#feedersKbps;
  }

  get feedersKbps(): number {
    return this.#feedersKbps;
  }

  /** Whether it would take one more, if it guards itself as Headwater's servers do. */
  admits(kbps: number, by: 'viewer' | 'feeder'): boolean {
    const kept = by === 'viewer' ? Math.max(0, this.reserveKbps - this.#feedersKbps) : 0;
    return this.card.hasRoom(kbps + kept);
  }

  sendToViewer(kbps: number, uplink: PlantUplink, nowMs: number): void {
    this.toViewers.set(uplink, (this.toViewers.get(uplink) ?? 0) + kbps);
    this.#send(kbps, nowMs);
  }

  /** To another server, or a cache. */
  feed(kbps: number, nowMs: number): void {
    this.#feedersKbps += kbps;
    this.#send(kbps, nowMs);
  }

  #send(kbps: number, nowMs: number): void {
    this.card.add(kbps, nowMs);
    this.host.meter.add(kbps, nowMs);
    const share = Math.min(1, this.card.capacityKbps / this.card.loadKbps);
    for (const [uplink, wantedKbps] of this.toViewers)
      this.#load(uplink, Math.round(wantedKbps * share), nowMs);
  }

  #load(uplink: PlantUplink, kbps: number, nowMs: number): void {
    const before = this.#onUplinks.get(uplink) ?? 0;
    if (kbps === before) return;
    uplink.meter.add(kbps - before, nowMs);
    this.#onUplinks.set(uplink, kbps);
  }
}

export class Plant {
  readonly topology: Topology;
  readonly sites: readonly PlantSite[];
  readonly servers: readonly Server[];
  /** By the names of the sites from and to. */
  readonly links: ReadonlyMap<string, PlantLink>;
  readonly cdns: readonly PlantCdn[];

  constructor({ topology, servers }: Scenario) {
    this.topology = topology;
    const used = new Set(servers.map(({ site }) => site));
    this.sites = [...topology.sites.values()].filter(({ name }) => used.has(name)).map(plantSite);
    const siteOf = new Map(this.sites.map((each) => [each.site.name, each]));
    const built = new Builder();
    for (const { site, count, egressMbps, perHost } of servers)
      built.add(siteOf.get(site)!, count, egressMbps, perHost);
    this.servers = built.servers;
    const links = topology.links.filter(({ sites }) => sites.every((site) => used.has(site)));
    this.links = new Map(links.flatMap(bothWays));
    this.cdns = topology.cdns.map((cdn) => ({ cdn, meter: new Meter('uplink', cdn.name, CDN_MBPS) }));
  }

  /** All that has a limit. */
  *meters(): Generator<Meter> {
    for (const { card } of this.servers) yield card;
    for (const host of new Set(this.servers.map((server) => server.host)))
      if (host.isLimited) yield host.meter;
    for (const { uplinks } of this.sites) for (const { meter } of uplinks) yield meter;
    for (const { meter } of this.links.values()) yield meter;
  }

  linkFrom(one: Server, other: Server): PlantLink | undefined {
    const link = this.links.get(linkName(one.site.site.name, other.site.site.name));
    return link?.isUp ? link : undefined;
  }
}

/** The way that the site's routers take to a network: a peering with it, else the first transit. */
export function routeTo({ uplinks }: PlantSite, asn: number | undefined): PlantUplink {
  const peering = uplinks.find(
    ({ uplink }) => uplink.kind === 'peering' && asn !== undefined && uplink.asns.includes(asn),
  );
  return peering ?? transitOf(uplinks);
}

export function transitOf(uplinks: readonly PlantUplink[]): PlantUplink {
  return uplinks.find(({ uplink }) => uplink.kind === 'transit')!;
}

export function linkName(from: string, to: string): string {
  return `${from}/${to}`;
}

export function kmTo({ site }: PlantSite, { position }: { readonly position: Position }): number {
  return distanceKm(site.position!, position);
}

/** More than anybody sends. */
const CDN_MBPS = 1e9;

function plantSite(site: Site, index: number): PlantSite {
  const uplinks = site.uplinks.map((uplink) => ({
    uplink,
    meter: new Meter('uplink', `${site.name}/${uplink.name}`, uplink.capacityMbps),
  }));
  return { index, site, uplinks, servers: [] };
}

class Builder {
  readonly servers: Server[] = [];

  add(site: PlantSite, count: number, egressMbps: number, perHost: number): void {
    let host: Host | undefined;
    for (let at = 0; at < count; at++) {
      const number = site.servers.length + 1;
      if (at % perHost === 0 || !host) host = hostOf(site, `host-${number}`, egressMbps * perHost);
      const id = `${site.site.name}-${number}`;
      const server = new Server(this.servers.length, id, site, new Meter('server', id, egressMbps), host);
      this.servers.push(server);
      site.servers.push(server);
    }
  }
}

function hostOf({ site }: PlantSite, name: string, mostMbps: number): Host {
  const limitMbps = site.hosts[name] ?? mostMbps;
  const meter = new Meter('host', `${site.name}/${name}`, limitMbps);
  return { name, meter, isLimited: limitMbps < mostMbps };
}

function bothWays(link: Link): [string, PlantLink][] {
  const [one, other] = link.sites;
  return [linkName(one, other), linkName(other, one)].map((name) => [
    name,
    { link, meter: new Meter('link', name, link.capacityMbps), isUp: true },
  ]);
}
