// Links between sites as placement sees them: what copies of streams use of them, and what one more would cost. Pure.

import { type Link, linkBetween, type Topology } from '../../../network/map/topology.ts';
import { type Load, linkResource } from './loads.ts';
import type { LoadMaker } from './plant.ts';

export interface SceneLink {
  readonly link: Link;
  readonly load: Load;
}

interface LinksOptions {
  /** Mbps by resource. */
  readonly used: ReadonlyMap<string, number>;
  readonly topology: Topology;
  readonly sites: readonly { readonly name: string }[];
  readonly load: LoadMaker;
}

export class Links {
  /** By the numbers of the two sites. */
  readonly #table: readonly (readonly (SceneLink | undefined)[])[];

  constructor({ used, topology, sites, load }: LinksOptions) {
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
