// What there is, by a snapshot: servers, their hosts' cards, sites and uplinks, and how much of each is in use. Pure.

import type { Position } from '../../../network/map/position.ts';
import { type Site, siteOf, type Topology } from '../../../network/map/topology.ts';
import { isAlive } from '../../../network/state/liveness.ts';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { FREE, tariffOf } from '../price/billing.ts';
import { hashOf } from '../rendezvous.ts';
import { hostResource, type Load, nothingBooked, roomMbps, serverResource, uplinkResource } from './loads.ts';
import type { SceneUplink } from './uplinks.ts';

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

/** Makes what has a limit, of which nothing else is known yet than what is in use. */
export type LoadMaker = (resource: string, limitMbps: number, usedMbps: number) => Load;

/** For who hands nothing out: what others have promised or leased is no matter. */
const unshared: LoadMaker = (resource, limitMbps, usedMbps) => ({
  resource,
  limitMbps,
  usedMbps,
  booked: nothingBooked(),
});

export interface Plant {
  /** In order of their ids, the dead among them. */
  readonly servers: readonly SceneServer[];
  readonly sites: readonly SceneSite[];
}

export function plantOf(snapshot: Snapshot, topology: Topology, load = unshared): Plant {
  const builder = new Builder(snapshot, topology, load);
  const servers = snapshot.servers.map((server) => builder.server(server));
  return { servers, sites: builder.sites() };
}

/** A site while its servers are being counted. */
interface Draft {
  readonly site: Site;
  readonly scene: SceneSite & { readonly open: SceneServer[]; readonly uplinks: SceneUplink[] };
  readonly hosts: Map<string, Load>;
}

class Builder {
  readonly #snapshot: Snapshot;
  readonly #topology: Topology;
  readonly #load: LoadMaker;
  readonly #drafts = new Map<string, Draft>();

  constructor(snapshot: Snapshot, topology: Topology, load: LoadMaker) {
    this.#snapshot = snapshot;
    this.#topology = topology;
    this.#load = load;
  }

  server(server: KnownServer): SceneServer {
    const draft = this.#drafts.getOrInsertComputed(server.site, (name) => this.#draft(name));
    const closed = closedBy(server, this.#snapshot);
    const usedMbps = Math.max(server.sentMbps, server.committedMbps);
    const host = this.#host(draft, server.host);
    const entry: SceneServer = {
      server,
      site: draft.scene,
      load: this.#load(serverResource(server.id), server.egressMbps, usedMbps),
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
    const site = siteOf(this.#topology, name);
    const uplinks = site.uplinks.map((uplink): SceneUplink => {
      const account = this.#snapshot.accounts[`${name}/${uplink.name}`];
      const load = this.#load(uplinkResource(name, uplink.name), uplink.capacityMbps, 0);
      const tariff = uplink.kind === 'peering' ? FREE : tariffOf(uplink, account, this.#snapshot.nowMs);
      return { uplink, load, tariff };
    });
    const scene = { name, index: this.#drafts.size, position: site.position, uplinks, open: [] };
    return { site, scene, hosts: new Map() };
  }

  #host({ site, scene, hosts }: Draft, name: string): Load | undefined {
    const limitMbps = Object.hasOwn(site.hosts, name) ? site.hosts[name] : undefined;
    if (limitMbps === undefined) return undefined;
    return hosts.getOrInsertComputed(name, () => this.#load(hostResource(scene.name, name), limitMbps, 0));
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
export function serverRoomMbps({ load, host }: SceneServer, beyondLease = false): number {
  const ownMbps = roomMbps(load, beyondLease);
  return host ? Math.min(ownMbps, roomMbps(host, beyondLease)) : ownMbps;
}
