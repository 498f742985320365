// What copies of streams use of the links between sites, by the plan. Kept from one snapshot to the next, as it is long to add up.

import type { Assignment, KnownServer, Snapshot } from '../../../network/state/state.ts';
import { linkResource } from './loads.ts';
import { findStream } from './streams.ts';

interface Known {
  site: string;
  assignment: Assignment | undefined;
  /** Mbps that the server takes of other sites, by their names. */
  from: ReadonlyMap<string, number>;
}

/** What a server takes is added up anew when its plan changes, and in every so many snapshots: bitrates change, and parents move. */
const REFRESH = 50;
const NOTHING: ReadonlyMap<string, number> = new Map();

export class Crossings {
  readonly #known = new Map<string, Known>();
  #count = 0;

  /** Mbps by resource: of each link, those of its fuller direction. */
  read(snapshot: Snapshot): Map<string, number> {
    const { servers, plan } = snapshot;
    const siteOf = new Map(servers.map(({ id, site }) => [id, site]));
    const directed = new Map<string, Map<string, number>>();
    this.#count += 1;
    for (const [at, server] of servers.entries()) {
      const known = this.#known.getOrInsertComputed(server.id, () => unknown(server));
      const assignment = Object.hasOwn(plan, server.id) ? plan[server.id] : undefined;
      const isDue = (at + this.#count) % REFRESH === 0;
      if (isDue || known.assignment !== assignment || known.site !== server.site) {
        known.site = server.site;
        known.assignment = assignment;
        known.from = takenFrom(snapshot, server, assignment, siteOf);
      }
      if (known.from.size > 0) addTo(directed, server.site, known.from);
    }
    if (this.#known.size > servers.length)
      for (const id of this.#known.keys()) if (!siteOf.has(id)) this.#known.delete(id);
    return fullerOf(directed);
  }
}

function unknown({ site }: KnownServer): Known {
  return { site, assignment: undefined, from: NOTHING };
}

function takenFrom(
  snapshot: Snapshot,
  server: KnownServer,
  assignment: Assignment | undefined,
  siteOf: ReadonlyMap<string, string>,
): ReadonlyMap<string, number> {
  const from = new Map<string, number>();
  for (const { stream, rendition, parents } of assignment?.follows ?? []) {
    const site = siteOf.get(parents[0]?.id ?? '');
    if (site === undefined || site === server.site) continue;
    from.set(site, (from.get(site) ?? 0) + bitrateMbps(snapshot, stream, rendition));
  }
  return from.size > 0 ? from : NOTHING;
}

function bitrateMbps(snapshot: Snapshot, stream: string, rendition: string): number {
  const record = findStream(snapshot, stream)?.renditions.find(({ name }) => name === rendition);
  return (record?.averageBps ?? 0) / 1e6;
}

function addTo(
  directed: Map<string, Map<string, number>>,
  site: string,
  from: ReadonlyMap<string, number>,
): void {
  const sums = directed.getOrInsertComputed(site, () => new Map());
  for (const [other, mbps] of from) sums.set(other, (sums.get(other) ?? 0) + mbps);
}

function fullerOf(directed: ReadonlyMap<string, ReadonlyMap<string, number>>): Map<string, number> {
  const used = new Map<string, number>();
  for (const [site, from] of directed)
    for (const [other, mbps] of from) {
      const resource = linkResource(other, site);
      used.set(resource, Math.max(used.get(resource) ?? 0, mbps));
    }
  return used;
}
