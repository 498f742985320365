// Servers by what they have left, the roomiest of each site first: one for one more copy is found without a walk over all. Pure.

import { leftMbps, type PlanServer, type PlanSite } from '../ground.ts';

interface Shelved {
  readonly server: PlanServer;
  /** As it was when it was put there. */
  leftMbps: number;
}

export class Shelves {
  readonly #shelves = new Map<PlanSite, Shelved[]>();

  /** The roomiest that is not out, if it has more left than that. */
  best(site: PlanSite, overMbps: number, isOut: (server: PlanServer) => boolean): PlanServer | undefined {
    const shelf = this.#shelf(site);
    for (let at = 0; at < shelf.length; ) {
      const first = shelf[at]!;
      if (first.leftMbps <= overMbps) return undefined;
      const left = leftMbps(first.server);
      if (left < first.leftMbps) {
        // It has been given something to send since it was put there.
        shelf.splice(at, 1);
        if (left > 0) insert(shelf, { server: first.server, leftMbps: left });
      } else if (isOut(first.server)) at++;
      else return first.server;
    }
    return undefined;
  }

  #shelf(site: PlanSite): Shelved[] {
    return this.#shelves.getOrInsertComputed(site, () => {
      const open = site.servers.filter(({ mayHold }) => mayHold);
      const shelved = open.map((server) => ({ server, leftMbps: leftMbps(server) }));
      return shelved.filter(({ leftMbps: left }) => left > 0).sort(byRoom);
    });
  }
}

function insert(shelf: Shelved[], shelved: Shelved): void {
  let from = 0;
  let to = shelf.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (byRoom(shelf[middle]!, shelved) < 0) from = middle + 1;
    else to = middle;
  }
  shelf.splice(from, 0, shelved);
}

function byRoom(one: Shelved, other: Shelved): number {
  return other.leftMbps - one.leftMbps || one.server.index - other.server.index;
}
