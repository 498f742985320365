// The tree of a rendition: every holder below the origin, few levels, few children each, one way into every site. Pure.

import type { ServerLoad } from './cluster.ts';
import { FILL, roomForChildren, type Spread } from './spread.ts';

/** Most children of one server. */
export const FANOUT = 4;
/** Of these at most so many are of other sites, so that there is always a place for one of its own. */
const FOREIGN = FANOUT - 1;
/** A server keeps its parent up to this many levels below where a full tree of as many servers would end. */
const SLACK_LEVELS = 2;
/** Who was put too deep comes up once a place above is free, which takes a few passes over trees that are far from right. */
const MAX_PASSES = 10;

/** A server in the tree, the origin at its root. */
export interface Branch {
  readonly load: ServerLoad;
  readonly parent: Branch | undefined;
  readonly depth: number;
  readonly children: Branch[];
}

/**
 * Holders keep the parents that they have as long as these are sound. Those for whom no server has egress left stay out, but
 * for those who have viewers: one more child costs less than its viewers. Gives the origin's branch.
 */
export function growTree(spread: Spread, holders: readonly ServerLoad[]): Branch {
  let parents = parentsNow(spread);
  for (let pass = 1; ; pass++) {
    const growth = new Growth(spread, holders, parents);
    const root = growth.grow();
    if (growth.isShallow || pass === MAX_PASSES) return root;
    const grown = parentsIn(root);
    if (isSame(grown, parents)) return root;
    parents = grown;
  }
}

/** Whom a server follows when its parent fails: its grandparent, else another child of the origin. Neither is below it. */
export function secondParent(branch: Branch): Branch | undefined {
  if (!branch.parent) return undefined;
  return branch.parent.parent ?? nextSibling(branch, branch.parent);
}

/** How deep a server may stand, of so many, before it is moved up. */
export function deepestLevel(holders: number): number {
  return fullDepth(holders + 1) + SLACK_LEVELS;
}

export function* branchesOf(root: Branch): Generator<Branch> {
  yield root;
  for (const child of root.children) yield* branchesOf(child);
}

type Parents = ReadonlyMap<string, string | undefined>;

function parentsNow({ copies }: Spread): Parents {
  return new Map([...copies].map(([id, { follow }]) => [id, follow?.parents[0]?.id]));
}

function parentsIn(root: Branch): Parents {
  return new Map([...branchesOf(root)].map(({ load, parent }) => [idOf(load), parent && idOf(parent.load)]));
}

function isSame(grown: Parents, parents: Parents): boolean {
  return [...grown].every(([id, parent]) => parents.get(id) === parent);
}

/** The next in order of ids after it, around the end, of its own site before another's: so each is asked by few. */
function nextSibling(branch: Branch, parent: Branch): Branch | undefined {
  const others = parent.children.filter((sibling) => sibling !== branch);
  const near = others.filter(({ load }) => siteOf(load) === siteOf(branch.load));
  const sorted = (near.length > 0 ? near : others).sort((one, other) =>
    idOf(one.load) < idOf(other.load) ? -1 : 1,
  );
  return sorted.find(({ load }) => idOf(load) > idOf(branch.load)) ?? sorted[0];
}

/** What a server has room for: children that it has, and new ones. A child stays where a new one would not come. */
interface Room {
  readonly kept: number;
  readonly fresh: number;
}

class Growth {
  readonly #spread: Spread;
  readonly #parents: Parents;
  /** Holders that have no place yet. */
  readonly #waiting: Map<string, ServerLoad>;
  /** Holders by the parent that each has. */
  readonly #childrenNow = new Map<string, ServerLoad[]>();
  readonly #placed = new Map<string, Branch>();
  /** Sites that the stream has come to. */
  readonly #entered: Set<string>;
  readonly #rooms = new Map<ServerLoad, Room>();
  readonly #maxDepth: number;
  #depth = 0;

  constructor(spread: Spread, holders: readonly ServerLoad[], parents: Parents) {
    this.#spread = spread;
    this.#parents = parents;
    this.#waiting = new Map(holders.map((load) => [idOf(load), load]));
    for (const load of holders) {
      const parent = this.#parentNow(load);
      if (parent === undefined) continue;
      const siblings = this.#childrenNow.get(parent);
      if (siblings) siblings.push(load);
      else this.#childrenNow.set(parent, [load]);
    }
    this.#entered = new Set([siteOf(spread.root)]);
    this.#maxDepth = deepestLevel(holders.length);
  }

  /** Nobody in it stands too deep. */
  get isShallow(): boolean {
    return this.#depth <= this.#maxDepth;
  }

  grow(): Branch {
    const root = this.#put(this.#spread.root, undefined);
    this.#keepBelow(root);
    for (const load of this.#inOrder())
      while (this.#waiting.has(idOf(load))) this.#attach(this.#topmost(load));
    return root;
  }

  /** Places those who have a sound way to this branch as they are. */
  #keepBelow(branch: Branch): void {
    const reached = [branch];
    for (const parent of reached)
      for (const child of this.#childrenNow.get(idOf(parent.load)) ?? [])
        if (this.#maySettle(parent, child)) reached.push(this.#put(child, parent));
  }

  #maySettle(parent: Branch, child: ServerLoad): boolean {
    return (
      this.#waiting.has(idOf(child)) &&
      parent.depth < this.#maxDepth &&
      parent.children.length < this.#roomAt(parent.load).kept &&
      this.#isWayIn(parent, child)
    );
  }

  /** A stream crosses into a site once: whoever comes first is its gateway, the others of the site are below. */
  #isWayIn(parent: Branch, child: ServerLoad): boolean {
    const site = siteOf(parent.load);
    if (siteOf(child) === site) return true;
    const foreign = parent.children.filter(({ load }) => siteOf(load) !== site);
    return !this.#entered.has(siteOf(child)) && foreign.length < FOREIGN;
  }

  /** With what is below it; or leaves it out, with nobody below it any more. */
  #attach(load: ServerLoad): void {
    const parent =
      this.#parentWithRoom(load) ?? (this.#hasViewers(load) ? this.#parentAnyway(load) : undefined);
    if (parent) this.#keepBelow(this.#put(load, parent));
    else this.#waiting.delete(idOf(load));
  }

  #parentWithRoom(load: ServerLoad): Branch | undefined {
    return this.#shallowest(load, (parent) => this.#roomAt(parent.load).fresh);
  }

  /** Some leaf of its site, or of any where its site has none yet, always has a place. */
  #parentAnyway(load: ServerLoad): Branch | undefined {
    const now = this.#placed.get(this.#parentNow(load) ?? '');
    if (now && now.children.length < FANOUT && this.#isWayIn(now, load)) return now;
    return this.#shallowest(load, () => FANOUT);
  }

  #shallowest(load: ServerLoad, roomAt: (parent: Branch) => number): Branch | undefined {
    const now = this.#parentNow(load);
    let best: Branch | undefined;
    let bestSpare = 0;
    for (const parent of this.#placed.values()) {
      if (best && parent.depth > best.depth) continue;
      const spare =
        idOf(parent.load) === now ? Number.POSITIVE_INFINITY : roomAt(parent) - parent.children.length;
      const hasRoom = parent.children.length < roomAt(parent);
      if (!hasRoom || !this.#isWayIn(parent, load)) continue;
      if (best && parent.depth === best.depth && !isPreferred(parent, spare, best, bestSpare)) continue;
      best = parent;
      bestSpare = spare;
    }
    return best;
  }

  #put(load: ServerLoad, parent: Branch | undefined): Branch {
    const branch: Branch = { load, parent, depth: parent ? parent.depth + 1 : 0, children: [] };
    parent?.children.push(branch);
    this.#depth = Math.max(this.#depth, branch.depth);
    this.#placed.set(idOf(load), branch);
    this.#entered.add(siteOf(load));
    this.#waiting.delete(idOf(load));
    return branch;
  }

  /** Gateways first, for their sites are waiting behind them; then those with viewers; then the strong, to stand high. */
  #inOrder(): ServerLoad[] {
    const ranks = [...this.#waiting.values()].map((load) => ({
      load,
      rank: [
        this.#isGateway(load) ? 0 : 1,
        this.#hasViewers(load) ? 0 : 1,
        -this.#roomAt(load).fresh,
      ] as const,
    }));
    ranks.sort(({ rank: one, load }, { rank: other, load: otherLoad }) => {
      const difference = one[0] - other[0] || one[1] - other[1] || one[2] - other[2];
      return difference || (idOf(load) < idOf(otherLoad) ? -1 : 1);
    });
    return ranks.map(({ load }) => load);
  }

  /** The waiting server that it is below, by the parents that they have; itself if that is nobody. */
  #topmost(load: ServerLoad): ServerLoad {
    const seen = new Set<ServerLoad>();
    let top = load;
    for (let above: ServerLoad | undefined = load; above && !seen.has(above); ) {
      seen.add(above);
      top = above;
      above = this.#waiting.get(this.#parentNow(above) ?? '');
    }
    return top;
  }

  #isGateway(load: ServerLoad): boolean {
    const parent = this.#spread.copies.get(this.#parentNow(load) ?? '');
    return parent !== undefined && siteOf(parent.load) !== siteOf(load);
  }

  #hasViewers(load: ServerLoad): boolean {
    return (this.#spread.copies.get(idOf(load))?.viewers ?? 0) > 0;
  }

  #parentNow(load: ServerLoad): string | undefined {
    return this.#parents.get(idOf(load));
  }

  /** The origin has room for one in any case: a stream that never leaves it is of no use. */
  #roomAt(load: ServerLoad): Room {
    let room = this.#rooms.get(load);
    if (room) return room;
    const least = load === this.#spread.root ? 1 : 0;
    const within = (share: number): number =>
      Math.max(least, Math.min(FANOUT, roomForChildren(this.#spread, load, share)));
    room = { kept: within(1), fresh: within(FILL) };
    this.#rooms.set(load, room);
    return room;
  }
}

function isPreferred(parent: Branch, spare: number, best: Branch, bestSpare: number): boolean {
  if (spare !== bestSpare) return spare > bestSpare;
  return idOf(parent.load) < idOf(best.load);
}

/** Levels below the root of a tree of `count` servers whose servers all have FANOUT children. */
function fullDepth(count: number): number {
  let depth = 0;
  for (let level = 1, carried = 1; carried < count; depth++) {
    level *= FANOUT;
    carried += level;
  }
  return depth;
}

function idOf(load: ServerLoad): string {
  return load.server.id;
}

function siteOf(load: ServerLoad): string {
  return load.server.site;
}
