// Those who know servers only as up or down: DNS round robin, the nearest site, any server.

import type { Chooser } from '../chooser.ts';
import { Dice } from '../dice.ts';
import type { Ground } from '../world/ground.ts';
import type { Server } from '../world/plant.ts';
import type { Pathway, Viewer } from '../world/viewer.ts';
import { Star, to } from './star.ts';

/** Of a health check; a drained server is taken out by hand at once. */
const CHECK_MS = 5_000;
/** For what resolvers keep there is no check. */
const DNS_MS = 60_000;

/** Servers that answered the last check. */
export class Pool {
  #healthy: readonly Server[];

  constructor({ events, plant }: Ground, checkMs = CHECK_MS) {
    this.#healthy = plant.servers;
    events.every(checkMs, () => {
      this.#healthy = plant.servers.filter(({ isUp }) => isUp);
    });
  }

  get servers(): readonly Server[] {
    return this.#healthy.filter(({ drain }) => !drain);
  }
}

/** As MediaMTX and OvenMediaEngine are spread. */
export class RoundRobin extends Star implements Chooser {
  readonly name = 'dns-round-robin';
  readonly lingerMs = 60_000;
  readonly #pool: Pool;
  #turn = 0;

  constructor(ground: Ground) {
    super();
    this.#pool = new Pool(ground, DNS_MS);
  }

  choose(): readonly Pathway[] {
    const { servers } = this.#pool;
    return to(servers[this.#turn++ % Math.max(1, servers.length)]);
  }
}

export class Random extends Star implements Chooser {
  readonly name = 'random';
  readonly lingerMs = 10_000;
  readonly #pool: Pool;
  readonly #dice: Dice;

  constructor(ground: Ground) {
    super();
    this.#pool = new Pool(ground);
    this.#dice = new Dice(ground.seed, this.name);
  }

  choose(): readonly Pathway[] {
    const { servers } = this.#pool;
    return servers.length > 0 ? to(this.#dice.pick(servers)) : [];
  }
}

/** The servers of the nearest site, in turn. */
export class Nearest extends Star implements Chooser {
  readonly name: string = 'nearest';
  readonly lingerMs: number = 10_000;
  readonly #pool: Pool;
  #turn = 0;

  constructor(ground: Ground) {
    super();
    this.#pool = new Pool(ground);
  }

  choose({ group }: Viewer): readonly Pathway[] {
    const { servers } = this.#pool;
    for (const site of group.nearest) {
      const near = servers.filter((server) => server.site.index === site);
      if (near.length > 0) return to(near[this.#turn++ % near.length]);
    }
    return [];
  }
}
