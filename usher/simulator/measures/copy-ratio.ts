// How many servers have streams, against the fewest that could carry the viewers whom the own network serves. Two ways to count:
// anywhere, as if it were no matter how far viewers are, a stream needs one server until its viewers fill it; at their sites, it
// needs one at each site that serves viewers of it. The second is what copies are to be measured by: which sites serve a viewer is
// bought with copies at their price and shows as cost beside latency; what can be wasted are copies beyond that.

import type { PlantSite, Server } from '../world/plant.ts';
import type { Stream } from '../world/stream.ts';

export class CopyRatio {
  readonly #strongestKbps: number;
  #had = 0;
  #needed = 0;
  #neededAtSites = 0;

  constructor(servers: readonly Server[]) {
    this.#strongestKbps = Math.max(...servers.map(({ card }) => card.capacityKbps));
  }

  look(streams: readonly Stream[]): void {
    for (const stream of streams) {
      if (!stream.origin) continue;
      this.#had += stream.copies.size;
      this.#needed += this.#fewest(stream, stream.viewers);
      this.#neededAtSites += this.#fewestAtSites(stream, stream.origin.site);
    }
  }

  /** 1 at best. */
  get anywhere(): number {
    return this.#needed > 0 ? this.#had / this.#needed : 1;
  }

  get atTheirSites(): number {
    return this.#neededAtSites > 0 ? this.#had / this.#neededAtSites : 1;
  }

  /** Of empty servers that send nothing else, each but the first fed by another; at least the origin. */
  #fewest({ kbps }: Stream, viewers: number): number {
    return Math.max(1, Math.ceil(((viewers - 1) * kbps) / (this.#strongestKbps - kbps)));
  }

  /** The origin's site has its copy, whether or not somebody watches there. */
  #fewestAtSites(stream: Stream, home: PlantSite): number {
    const viewers = new Map<PlantSite, number>([[home, 0]]);
    for (const copy of stream.copies)
      viewers.set(copy.server.site, (viewers.get(copy.server.site) ?? 0) + copy.viewers);
    let fewest = 0;
    for (const [site, count] of viewers)
      if (count > 0 || site === home) fewest += this.#fewest(stream, count);
    return fewest;
  }
}
