// Links between sites as placement sees them: what copies of streams use of them, and what one more would cost. Pure.

import { type Link, linkBetween, type Topology } from '../../../network/map/topology.ts';
import type { Snapshot, StreamRecord } from '../../../network/state/state.ts';
import { type Load, linkResource } from './loads.ts';
import type { LoadMaker } from './plant.ts';

export interface SceneLink {
  readonly link: Link;
  readonly load: Load;
}

interface LinksOptions {
  readonly snapshot: Snapshot;
  readonly topology: Topology;
  readonly sites: readonly { readonly name: string }[];
  readonly load: LoadMaker;
}

export class Links {
  /** By the numbers of the two sites. */
  readonly #table: readonly (readonly (SceneLink | undefined)[])[];

  constructor({ snapshot, topology, sites, load }: LinksOptions) {
    const used = usedMbps(snapshot, topology);
    const made = new Map<string, SceneLink | undefined>();
    const linkOf = (one: string, other: string): SceneLink | undefined => {
      if (one === other) return undefined;
      const resource = linkResource(one, other);
      return made.getOrInsertComputed(resource, () => {
        const link = linkBetween(topology, one, other);
        return link && { link, load: load(resource, link.capacityMbps, used.get(resource) ?? 0) };
      });
    };
    this.#table = sites.map((one) => sites.map((other) => linkOf(one.name, other.name)));
  }

  /** Undefined where nothing joins the two sites. */
  between(one: { readonly index: number }, other: { readonly index: number }): SceneLink | undefined {
    return this.#table[one.index]![other.index];
  }
}

/** By the plan, the fuller direction of each link. */
function usedMbps(snapshot: Snapshot, topology: Topology): Map<string, number> {
  const used = new Map<string, number>();
  if (topology.links.length === 0) return used;
  for (const [from, directions] of crossings(snapshot))
    for (const [to, mbps] of directions) {
      const resource = linkResource(from, to);
      used.set(resource, Math.max(used.get(resource) ?? 0, mbps));
    }
  return used;
}

/** What goes from each site to each other, by the plan. It may have more lines than there are servers and streams together. */
function crossings({ servers, streams, plan }: Snapshot): Map<string, Map<string, number>> {
  const siteOf = new Map(servers.map(({ id, site }) => [id, site]));
  const records = new Map(streams.map((stream) => [stream.name, stream]));
  const mbps = new Map<string, Map<string, number>>();
  for (const { id, site } of servers)
    for (const { stream, rendition, parents } of Object.hasOwn(plan, id) ? plan[id]!.follows : []) {
      const from = siteOf.get(parents[0]?.id ?? '');
      if (from === undefined || from === site) continue;
      const directions = mbps.getOrInsertComputed(from, () => new Map());
      directions.set(site, (directions.get(site) ?? 0) + bitrateMbps(records.get(stream), rendition));
    }
  return mbps;
}

function bitrateMbps(stream: StreamRecord | undefined, rendition: string): number {
  const record = stream?.renditions.find(({ name }) => name === rendition);
  return (record?.averageBps ?? 0) / 1e6;
}
