// A snapshot read for placing: what every server, host, uplink and link has left, and who has which stream.

import type { Cdn, Topology } from '../../../network/map/topology.ts';
import { NO_TOPOLOGY, UNLIMITED_MBPS } from '../../../network/map/topology.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import { DEFAULT_POLICIES, type Policies } from '../price/policy.ts';
import { Quality } from '../price/quality.ts';
import { Promises } from '../promises/promises.ts';
import { Holders } from './holders.ts';
import { Links } from './links.ts';
import { type LoadMaker, plantOf, type SceneServer, type SceneSite } from './plant.ts';

export interface SceneOptions {
  readonly topology?: Topology;
  readonly policies?: Policies;
  readonly quality?: Quality;
  readonly promised?: Promises;
  /** What this usher has leased of a resource, Mbps; without it there is no other usher. */
  readonly granted?: (resource: string) => number;
  /** Kept by the caller from scene to scene, only what changed is read again. A scene is of no use any more once there is the next. */
  readonly holders?: Holders;
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
}

export interface SceneCdn {
  readonly cdn: Cdn;
  /** This month's money for it is spent. */
  readonly isSpent: boolean;
}

/** Lets go of the promises that the snapshot shows as arrived, and of those that are too old. */
export function sceneOf(snapshot: Snapshot, options: SceneOptions = {}): Scene {
  const promised = options.promised ?? new Promises();
  const holders = options.holders ?? new Holders();
  promised.settle(snapshot);
  holders.read(snapshot);
  const topology = options.topology ?? NO_TOPOLOGY;
  const load = loads(promised, options);
  const plant = plantOf(snapshot, topology, load);
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
    links: new Links({ snapshot, topology, sites: plant.sites, load }),
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

/** What is promised counts, and of what several ushers share each may hand out what it has leased. */
function loads(promised: Promises, { granted }: SceneOptions): LoadMaker {
  return (resource, limitMbps, usedMbps) => {
    const isLimited = limitMbps < UNLIMITED_MBPS;
    const grantMbps = (isLimited ? granted?.(resource) : undefined) ?? Number.POSITIVE_INFINITY;
    return { resource, limitMbps, usedMbps, grantMbps, booked: promised.on(resource) };
  };
}

function isSpent({ spentMicroUsd }: Snapshot, { name, capMicroUsdPerMonth }: Cdn): boolean {
  return (spentMicroUsd[name] ?? 0) >= capMicroUsdPerMonth;
}
