// Links between sites as placement sees them: what copies of streams use of them, and what one more would cost. Pure.

import { type Link, linkBetween, type Topology } from '../../../network/map/topology.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import { type Load, linkResource } from './loads.ts';
import type { LoadMaker } from './plant.ts';
import { findStream } from './streams.ts';

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
  const siteOf = new Map(snapshot.servers.map(({ id, site }) => [id, site]));
  const directed = new Map<string, number>();
  for (const { id, site } of snapshot.servers) {
    if (!Object.hasOwn(snapshot.plan, id)) continue;
    for (const { stream, rendition, parents } of snapshot.plan[id]!.follows) {
      const from = siteOf.get(parents[0]?.id ?? '');
      if (from === undefined || from === site) continue;
      const direction = `${from}\n${site}`;
      const mbps = (directed.get(direction) ?? 0) + bitrateMbps(snapshot, stream, rendition);
      directed.set(direction, mbps);
      const resource = linkResource(from, site);
      used.set(resource, Math.max(used.get(resource) ?? 0, mbps));
    }
  }
  return used;
}

function bitrateMbps(snapshot: Snapshot, stream: string, rendition: string): number {
  const record = findStream(snapshot, stream)?.renditions.find(({ name }) => name === rendition);
  return (record?.averageBps ?? 0) / 1e6;
}
