// One turn of planning: renditions that may stay as they are keep what they need, then the others get what is left. Pure.

import type { Follow, Parent, Snapshot, Successor } from '../../network/state/state.ts';
import { bookComing, bookTree } from './bookings.ts';
import type { Cluster, Copy, Spread, SpreadStream } from './cluster.ts';
import { Balances, FILL } from './copies/balance.ts';
import { grow, lackMbps } from './copies/growth.ts';
import { Shelves } from './copies/shelves.ts';
import { spareOf } from './copies/shrink.ts';
import type { PlanServer } from './ground.ts';
import type { PlanMemory } from './memory.ts';
import { successorOf } from './successors.ts';
import { type Branch, branchesOf } from './tree/branch.ts';
import { isAtRest } from './tree/rest.ts';
import { growTree, type Holders, secondParent } from './tree/tree.ts';

interface Restless extends Holders {
  readonly spread: Spread;
  readonly of: SpreadStream;
}

export class Planning {
  readonly #snapshot: Snapshot;
  readonly #cluster: Cluster;
  readonly #memory: PlanMemory;
  readonly #shelves = new Shelves();
  /** Who follows what, of renditions that do not stay as they are. */
  readonly #grown = new Map<Spread, ReadonlyMap<PlanServer, Follow>>();
  readonly #successors = new Map<PlanServer, Map<string, Successor>>();

  constructor(snapshot: Snapshot, cluster: Cluster, memory: PlanMemory) {
    this.#snapshot = snapshot;
    this.#cluster = cluster;
    this.#memory = memory;
    const restless: Restless[] = [];
    for (const of of cluster.streams)
      for (const spread of of.spreads) {
        // Without its origin viewers live from the window, and the tree waits for the next origin as it is.
        const holders = spread.root && this.#rest(spread);
        if (holders) restless.push({ ...holders, spread, of });
      }
    for (const each of restless) this.#replan(each);
  }

  /** By the servers' places, in order of streams and renditions. */
  follows(): readonly (readonly Follow[])[] {
    const { ground, streams } = this.#cluster;
    const follows = Array.from({ length: ground.servers.size }, (): Follow[] => []);
    for (const { spreads } of streams)
      for (const spread of spreads) {
        const grown = this.#grown.get(spread);
        if (grown) for (const [{ index }, follow] of grown) follows[index]!.push(follow);
        else for (const { on, follow } of spread.copies) if (follow) follows[on.index]!.push(follow);
      }
    return follows;
  }

  /** By server that is being emptied and stream. */
  successors(server: PlanServer): Readonly<Record<string, Successor>> {
    return Object.fromEntries(this.#successors.get(server) ?? []);
  }

  /** Undefined: it stays as it is. */
  #rest(spread: Spread): Holders | undefined {
    const holders = holdersOf(spread);
    const leaving = leavingOf(spread);
    const balances = this.#balances(spread, holders);
    const isLacking = balances.all.some((balance) => lackMbps(balances, balance) > 0);
    const spare = isLacking ? undefined : this.#spare(spread, holders, balances);
    if (isLacking || spare || !isAtRest(spread, { holders, leaving }))
      return { holders: holders.filter((copy) => copy !== spare), leaving };
    this.#promise(spread, holders, balances);
    return undefined;
  }

  /** A copy that is to go now. */
  #spare(spread: Spread, holders: readonly Copy[], balances: Balances): Copy | undefined {
    const spare = spareOf(spread, holders, balances, this.#cluster.ground.ways);
    if (!spare) return undefined;
    const rendition = `${spread.stream.name}/${spread.rendition}`;
    return this.#memory.isDue(rendition, this.#snapshot.nowMs, spare.lingerMs) ? spare.copy : undefined;
  }

  #replan({ spread, of, holders, leaving }: Restless): void {
    const { ground } = this.#cluster;
    const siblings = new Set(of.spreads.flatMap((other) => (other === spread ? [] : this.#holdersOf(other))));
    const grown = grow(spread, holders, { ground, shelves: this.#shelves, siblings });
    const root = growTree(spread, { holders: grown, leaving }, ground.ways);
    const branches = [...branchesOf(root)];
    const follows = branches.flatMap((branch) => {
      const follow = followOf(spread, branch);
      return follow ? [[branch.copy.on, follow] as const] : [];
    });
    this.#grown.set(spread, new Map(follows));
    bookTree(spread, root, ground.ways);
    const planted = branches
      .map(({ copy }) => copy)
      .filter((copy) => copy !== spread.root && copy.on.mayHold);
    this.#promise(spread, planted, this.#balances(spread, planted));
  }

  /** Who comes, and who is to move: where to is said before what they need is booked, as if it were another's. */
  #promise(spread: Spread, holders: readonly Copy[], balances: Balances): void {
    for (const { on, viewers } of spread.copies)
      if (viewers > 0 && on.isDraining) this.#move(spread, holders, on);
    bookComing(spread, holders, balances);
  }

  #move(spread: Spread, holders: readonly Copy[], from: PlanServer): void {
    const successors = this.#successors.getOrInsertComputed(from, () => new Map());
    const { name } = spread.stream;
    if (successors.has(name)) return;
    const { ways } = this.#cluster.ground;
    const to = successorOf(spread, holders, from, { plan: this.#snapshot.plan, ways });
    if (to) successors.set(name, { id: to.server.id, mediaUrl: to.server.mediaUrl });
  }

  #holdersOf(spread: Spread): PlanServer[] {
    const grown = this.#grown.get(spread);
    if (grown) return [...grown.keys()].filter(({ mayHold }) => mayHold);
    return holdersOf(spread).map(({ on }) => on);
  }

  #balances(spread: Spread, holders: readonly Copy[]): Balances {
    return new Balances(spread, holders, this.#cluster.ground.sites, FILL);
  }
}

function holdersOf({ root, copies }: Spread): Copy[] {
  return copies.filter(
    (copy) => copy.on.mayHold && copy !== root && (copy.viewers > 0 || copy.follow !== undefined),
  );
}

/** Who is being emptied, or is no edge any more, and has viewers yet. */
function leavingOf({ root, copies }: Spread): readonly Copy[] {
  const isLeaving = (copy: Copy): boolean => !copy.on.mayHold && copy !== root && copy.viewers > 0;
  return copies.some(isLeaving) ? copies.filter(isLeaving) : NOBODY;
}

const NOBODY: readonly Copy[] = [];

function followOf({ stream, rendition }: Spread, branch: Branch): Follow | undefined {
  if (!branch.parent) return undefined;
  const second = secondParent(branch);
  const parents = [branch.parent.copy, ...(second ? [second] : [])].map(({ on }) => parentFrom(on));
  return { stream: stream.name, rendition, parents };
}

function parentFrom({ server: { id, relayUrl } }: PlanServer): Parent {
  return { id, relayUrl };
}
