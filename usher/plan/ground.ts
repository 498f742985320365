// What a plan is made on: the living servers, their sites and the ways between them, with what each has left and costs. Pure.

import { estimatedRttMs } from '../../network/map/position.ts';
import { linkBetween, type Topology, UNLIMITED_MBPS } from '../../network/map/topology.ts';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { GB_PER_MBPS_HOUR, microUsdPerHour } from '../placement/price/billing.ts';
import { USUAL_COPY_MS } from '../placement/price/cost.ts';
import type { Load } from '../placement/scene/loads.ts';
import { plantOf, type SceneServer, type SceneSite } from '../placement/scene/plant.ts';

/** What can carry so much and no more: the plan adds to it what it will have servers send. */
export type Pipe = Pick<Load, 'limitMbps' | 'usedMbps'>;

export interface PlanServer {
  /** Its place in order of the ids of the living. */
  readonly index: number;
  readonly server: KnownServer;
  readonly site: PlanSite;
  readonly load: Load;
  /** The card of its host, where that is less than its servers may send. */
  readonly host: Load | undefined;
  /** Whether viewers and other servers may be sent to it: an edge that is not being emptied. */
  readonly mayHold: boolean;
  readonly isDraining: boolean;
}

export interface PlanSite {
  readonly index: number;
  readonly scene: SceneSite;
  readonly servers: PlanServer[];
  /** All its uplinks together: viewers alone use them. Undefined without a limit. */
  readonly uplinks: Pipe | undefined;
  /** What one Mbps more to viewers costs for an hour on the cheapest transit. */
  readonly transitMicroUsd: number;
  /** How long a copy takes here of late. */
  copyMs: number;
}

export interface Ground {
  /** By id. */
  readonly servers: ReadonlyMap<string, PlanServer>;
  /** By name. */
  readonly sites: ReadonlyMap<string, PlanSite>;
  readonly ways: Ways;
}

export function readGround(snapshot: Snapshot, topology: Topology): Ground {
  const plant = plantOf(snapshot, topology);
  const sites = plant.sites.map(siteFrom);
  const servers = new Map<string, PlanServer>();
  for (const each of plant.servers) {
    if (each.closed === 'dead') continue;
    const server = serverFrom(each, sites[each.site.index]!, servers.size);
    server.site.servers.push(server);
    servers.set(server.server.id, server);
  }
  for (const site of sites) site.copyMs = usualCopyMs(site.servers);
  return {
    servers,
    sites: new Map(sites.map((site) => [site.scene.name, site])),
    ways: new Ways(topology, sites.length),
  };
}

/** What is left of a server for viewers or children; less than nothing when it is over. */
export function leftMbps({ load, host }: PlanServer): number {
  const own = load.limitMbps - load.usedMbps;
  return host ? Math.min(own, host.limitMbps - host.usedMbps) : own;
}

export function send({ load, host }: PlanServer, mbps: number): void {
  load.usedMbps += mbps;
  if (host) host.usedMbps += mbps;
}

function serverFrom({ server, load, host, closed }: SceneServer, site: PlanSite, index: number): PlanServer {
  return { index, server, site, load, host, mayHold: closed === undefined, isDraining: closed === 'drain' };
}

function siteFrom(scene: SceneSite): PlanSite {
  const { index, uplinks } = scene;
  const limitMbps = uplinks.reduce((sum, { load }) => sum + load.limitMbps, 0);
  const usedMbps = uplinks.reduce((sum, { load }) => sum + load.usedMbps, 0);
  const all = limitMbps < UNLIMITED_MBPS ? { limitMbps, usedMbps } : undefined;
  return { index, scene, servers: [], uplinks: all, transitMicroUsd: transitMicroUsd(scene), copyMs: 0 };
}

function transitMicroUsd({ uplinks }: SceneSite): number {
  const prices = uplinks
    .filter(({ uplink }) => uplink.kind === 'transit')
    .map(({ tariff, load }) => microUsdPerHour(tariff, load.usedMbps, 1));
  return prices.length > 0 ? Math.min(...prices) : 0;
}

/** The median: one slow server is no reason to make copies early everywhere. */
function usualCopyMs(servers: readonly PlanServer[]): number {
  const measured = servers.map(({ server }) => server.copyMs).filter((ms) => ms > 0);
  return measured.sort((one, other) => one - other)[measured.length >> 1] ?? USUAL_COPY_MS;
}

/** From one site to another. */
export interface Way {
  /** What copies go over: undefined inside of a site, and where nothing joins the two. */
  readonly link: Pipe | undefined;
  readonly isJoined: boolean;
  readonly rttMs: number;
  /** Of copies. */
  readonly microUsdPerMbpsHour: number;
}

const AT_HOME: Way = { link: undefined, isJoined: true, rttMs: 0, microUsdPerMbpsHour: 0 };

/** Made as they are asked for: most sites have little to do with each other. */
export class Ways {
  readonly #topology: Topology;
  readonly #count: number;
  readonly #made: Way[] = [];

  constructor(topology: Topology, sites: number) {
    this.#topology = topology;
    this.#count = sites;
  }

  between(from: PlanSite, to: PlanSite): Way {
    if (from === to) return AT_HOME;
    const at = from.index * this.#count + to.index;
    this.#made[at] ??= this.#make(from, to);
    return this.#made[at];
  }

  /** Who has followed across a gap, or must, does it over transit. */
  #make(from: PlanSite, to: PlanSite): Way {
    const link = linkBetween(this.#topology, from.scene.name, to.scene.name);
    const rttMs = link?.rttMs ?? estimatedRttMs(from.scene.position, to.scene.position);
    if (!link) return { link: undefined, isJoined: false, rttMs, microUsdPerMbpsHour: from.transitMicroUsd };
    const pipe = { limitMbps: link.capacityMbps, usedMbps: 0 };
    return { link: pipe, isJoined: true, rttMs, microUsdPerMbpsHour: link.microUsdPerGb * GB_PER_MBPS_HOUR };
  }
}
