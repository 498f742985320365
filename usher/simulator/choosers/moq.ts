// moq-relay (rs/moq-relay, route_order): viewers come to the nearest relay, relays follow the cheapest route. No load, no limit.

import { rendezvous } from '../../placement/rendezvous.ts';
import type { Copy } from '../world/copy.ts';
import type { Server } from '../world/plant.ts';
import type { Stream } from '../world/stream.ts';
import { Nearest } from './plain.ts';

/** What an operator says of the links: one of a site's own, and one between sites. */
const [NEAR_COST, FAR_COST] = [1, 10];

interface Route {
  readonly server: Server;
  readonly cost: number;
  readonly hops: number;
  readonly hash: number;
}

export class Moq extends Nearest {
  override readonly name = 'moq';
  override readonly lingerMs = 5_000;

  /** A relay that carries the stream announces it at cost 0: what counts is the link to it, then hops, then a hash. */
  override parents(stream: Stream, server: Server): readonly Server[] {
    const routes = [...stream.copies]
      .filter((copy) => copy.server !== server && (copy.parent || copy.isOrigin))
      .map((copy) => routeBy(copy, server));
    routes.sort((one, other) => one.cost - other.cost || one.hops - other.hops || one.hash - other.hash);
    return routes.map((route) => route.server);
  }
}

function routeBy(copy: Copy, to: Server): Route {
  const { server, stream } = copy;
  const path: string[] = [];
  for (let above: Copy | undefined = copy; above; above = above.parent) path.push(above.server.id);
  const cost = server.site === to.site ? NEAR_COST : FAR_COST;
  return { server, cost, hops: path.length, hash: rendezvous(stream.name, ...path) };
}
