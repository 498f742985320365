// A snapshot read for placing: what every server, host, uplink and link has left, and who has which stream.

import type { Position } from '../../../network/map/position.ts';
import type { Cdn, Topology } from '../../../network/map/topology.ts';
import { NO_TOPOLOGY, type Site, siteOf, UNLIMITED_MBPS } from '../../../network/map/topology.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { FREE, tariffOf } from '../price/billing.ts';
import { DEFAULT_POLICIES, type Policies } from '../price/policy.ts';
import { Quality } from '../price/quality.ts';
import { Promises } from '../promises/promises.ts';
import { hashOf } from '../rendezvous.ts';
import { Holders } from './holders.ts';
import { Links } from './links.ts';
import { hostResource, type Load, roomMbps, serverResource, uplinkResource } from './loads.ts';
import type { SceneUplink } from './uplinks.ts';

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

export interface SceneSite {
  readonly name: string;
  /** Its place in the list of sites. */
  readonly index: number;
  readonly position: Position | undefined;
  readonly uplinks: readonly SceneUplink[];
  /** Who may serve viewers, those with the most room first. */
  readonly open: readonly SceneServer[];
}

export interface SceneServer {
  readonly server: KnownServer;
  readonly site: SceneSite;
  readonly load: Load;
  /** Undefined where the host's card can carry what its servers may send. */
  readonly host: Load | undefined;
  readonly hash: number;
  /** Why no viewer is sent there. */
  readonly closed: Closed | undefined;
}

export type Closed = 'dead' | 'drain' | 'role';

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
  const builder = new Builder(snapshot, options, promised);
  const servers: SceneServer[] = [];
  for (const server of snapshot.servers) servers[holders.slotOf(server.id)!] = builder.server(server);
  const sites = builder.sites();
  const topology = options.topology ?? NO_TOPOLOGY;
  return {
    snapshot,
    policies: options.policies ?? DEFAULT_POLICIES,
    quality: options.quality ?? new Quality(),
    promised,
    holders,
    sites,
    servers,
    links: new Links({
      snapshot,
      topology,
      sites,
      load: (resource, limit, used) => builder.load(resource, limit, used),
    }),
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

/** A site while its servers are being counted. */
interface Draft {
  readonly site: Site;
  readonly scene: SceneSite & { readonly open: SceneServer[]; readonly uplinks: SceneUplink[] };
  readonly hosts: Map<string, Load>;
}

class Builder {
  readonly #snapshot: Snapshot;
  readonly #options: SceneOptions;
  readonly #promised: Promises;
  readonly #drafts = new Map<string, Draft>();

  constructor(snapshot: Snapshot, options: SceneOptions, promised: Promises) {
    this.#snapshot = snapshot;
    this.#options = options;
    this.#promised = promised;
  }

  load(resource: string, limitMbps: number, usedMbps = 0): Load {
    const isLimited = limitMbps < UNLIMITED_MBPS;
    const grantMbps = (isLimited ? this.#options.granted?.(resource) : undefined) ?? Number.POSITIVE_INFINITY;
    return { resource, limitMbps, usedMbps, grantMbps, booked: this.#promised.on(resource) };
  }

  server(server: KnownServer): SceneServer {
    const draft = this.#drafts.getOrInsertComputed(server.site, (name) => this.#draft(name));
    const closed = closedBy(server, this.#snapshot);
    const usedMbps = Math.max(server.sentMbps, server.committedMbps);
    const host = this.#host(draft, server.host);
    const entry: SceneServer = {
      server,
      site: draft.scene,
      load: this.load(serverResource(server.id), server.egressMbps, usedMbps),
      host,
      hash: hashOf(server.id),
      closed,
    };
    if (closed === 'dead') return entry;
    if (host) host.usedMbps += usedMbps;
    countUplinks(draft.scene.uplinks, server, usedMbps);
    if (!closed) draft.scene.open.push(entry);
    return entry;
  }

  sites(): SceneSite[] {
    for (const { scene } of this.#drafts.values()) sortByRoom(scene.open);
    return [...this.#drafts.values()].map(({ scene }) => scene);
  }

  #draft(name: string): Draft {
    const site = siteOf(this.#options.topology ?? NO_TOPOLOGY, name);
    const uplinks = site.uplinks.map((uplink): SceneUplink => {
      const account = this.#snapshot.accounts[`${name}/${uplink.name}`];
      const load = this.load(uplinkResource(name, uplink.name), uplink.capacityMbps);
      const tariff = uplink.kind === 'peering' ? FREE : tariffOf(uplink, account, this.#snapshot.nowMs);
      return { uplink, load, tariff };
    });
    const scene = { name, index: this.#drafts.size, position: site.position, uplinks, open: [] };
    return { site, scene, hosts: new Map() };
  }

  #host({ site, scene, hosts }: Draft, name: string): Load | undefined {
    const limitMbps = Object.hasOwn(site.hosts, name) ? site.hosts[name] : undefined;
    if (limitMbps === undefined) return undefined;
    return hosts.getOrInsertComputed(name, () => this.load(hostResource(scene.name, name), limitMbps));
  }
}

function closedBy({ id, beatAtMs, drain, roles }: KnownServer, snapshot: Snapshot): Closed | undefined {
  if (!isAlive(beatAtMs, snapshot)) return 'dead';
  if (drain || Object.hasOwn(snapshot.drains, id)) return 'drain';
  return roles.includes('edge') ? undefined : 'role';
}

/** A server may send more than its sessions committed it to: that is on its uplinks too. Viewers of no known uplink use transit. */
function countUplinks(uplinks: readonly SceneUplink[], server: KnownServer, usedMbps: number): void {
  const scale = server.committedMbps > 0 ? usedMbps / server.committedMbps : 1;
  for (const [name, mbps] of Object.entries(server.uplinks)) {
    const known = uplinks.find(({ uplink }) => uplink.name === name);
    const uplink = known ?? uplinks.find(({ uplink }) => uplink.kind === 'transit') ?? uplinks[0];
    if (uplink) uplink.load.usedMbps += mbps * scale;
  }
}

function sortByRoom(servers: SceneServer[]): void {
  servers.sort(
    (one, other) => serverRoomMbps(other) - serverRoomMbps(one) || (one.server.id < other.server.id ? -1 : 1),
  );
}

/** What a server may still be promised: its own room, or less where its host has less. */
export function serverRoomMbps({ load, host }: SceneServer): number {
  return host ? Math.min(roomMbps(load), roomMbps(host)) : roomMbps(load);
}

function isSpent({ spentMicroUsd }: Snapshot, { name, capMicroUsdPerMonth }: Cdn): boolean {
  return (spentMicroUsd[name] ?? 0) >= capMicroUsdPerMonth;
}
