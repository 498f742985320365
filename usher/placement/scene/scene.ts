// A snapshot read for placing: what every server, host, uplink and link has left, and who has which stream.

import type { Cdn, Topology } from '../../../network/map/topology.ts';
import { NO_TOPOLOGY, UNLIMITED_MBPS } from '../../../network/map/topology.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import { DEFAULT_POLICIES, type Policies } from '../price/policy.ts';
import { Quality } from '../price/quality.ts';
import { Promises } from '../promises/promises.ts';
import type { Holders } from './holders.ts';
import { Kept } from './kept.ts';
import { Links } from './links.ts';
import type { Load } from './loads.ts';
import { type LoadMaker, plantOf, type SceneServer, type SceneSite } from './plant.ts';

export interface SceneOptions {
  readonly topology?: Topology;
  readonly policies?: Policies;
  readonly quality?: Quality;
  readonly promised?: Promises;
  /** With it a scene is of no use any more once there is the next. */
  readonly kept?: Kept;
}

export interface Scene {
  readonly snapshot: Snapshot;
  readonly policies: Policies;
  readonly quality: Quality;
  readonly promised: Promises;
  readonly holders: Holders;
  readonly sites: readonly SceneSite[];
  readonly links: Links;
  readonly cdns: readonly SceneCdn[];
  /** By the numbers that `holders` gives them. */
  readonly servers: readonly SceneServer[];
  /** What servers keep for streams that no CDN pulls yet, once somebody has asked. */
  readonly keptMbps: Map<SceneServer, number>;
  /** What has a limit, by resource. */
  readonly loads: ReadonlyMap<string, Load>;
}

export interface SceneCdn {
  readonly cdn: Cdn;
  /** This month's money for it is spent. */
  readonly isSpent: boolean;
}

/** Lets go of the promises that the snapshot shows as arrived, and of those that are too old. */
export function sceneOf(snapshot: Snapshot, options: SceneOptions = {}): Scene {
  const promised = options.promised ?? new Promises();
  const { holders, crossings } = options.kept ?? new Kept();
  promised.settle(snapshot);
  holders.read(snapshot);
  const topology = options.topology ?? NO_TOPOLOGY;
  const loads = new Map<string, Load>();
  const load: LoadMaker = (resource, limitMbps, usedMbps) => {
    const made = { resource, limitMbps, usedMbps, booked: promised.on(resource) };
    if (limitMbps < UNLIMITED_MBPS) loads.set(resource, made);
    return made;
  };
  const plant = plantOf(snapshot, topology, load);
  // Without listed links nothing between sites has a limit.
  const used = topology.links.length > 0 ? crossings.read(snapshot) : new Map<string, number>();
  const links = new Links({ used, topology, sites: plant.sites, load });
  promised.prune(loads);
  const servers: SceneServer[] = [];
  for (const server of plant.servers) servers[holders.slotOf(server.server.id)!] = server;
  return {
    snapshot,
    policies: options.policies ?? DEFAULT_POLICIES,
    quality: options.quality ?? new Quality(),
    promised,
    holders,
    sites: plant.sites,
    servers,
    keptMbps: new Map(),
    loads,
    links,
    cdns: topology.cdns.map((cdn) => ({ cdn, isSpent: isSpent(snapshot, cdn) })),
  };
}

export function sceneServer({ holders, servers }: Scene, id: string): SceneServer | undefined {
  const slot = holders.slotOf(id);
  return slot === undefined ? undefined : servers[slot];
}

export function sceneSite({ sites }: Scene, name: string | undefined): SceneSite | undefined {
  return name === undefined ? undefined : sites.find((site) => site.name === name);
}

function isSpent({ spentMicroUsd }: Snapshot, { name, capMicroUsdPerMonth }: Cdn): boolean {
  return (spentMicroUsd[name] ?? 0) >= capMicroUsdPerMonth;
}
