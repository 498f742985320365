// The tree of a rendition: who follows whom, and whom when that one fails. Pure.

import type { Copy, Spread } from '../cluster.ts';
import { FANOUT } from '../copies/balance.ts';
import type { Ways } from '../ground.ts';
import type { Branch } from './branch.ts';
import { type Parents, Planting } from './planting.ts';

/** Who has a rendition and is to have it. Both are without the origin. */
export interface Holders {
  readonly holders: readonly Copy[];
  /** Servers that are being emptied, as long as they have viewers of it: they follow, and nobody follows them. */
  readonly leaving: readonly Copy[];
}

/** A server keeps its parent up to this many levels below where a full tree of as many servers would end. */
const SLACK_LEVELS = 2;
/** Who was put too deep comes up once a place above is free, which takes a few passes over trees that are far from right. */
const MAX_PASSES = 10;

/**
 * Holders keep the parents that they have as long as these are sound. Those for whom no server has egress left stay out, but
 * for those who have viewers: one more child costs less than its viewers. Gives the origin's branch.
 */
export function growTree(spread: Spread, holders: Holders, ways: Ways): Branch {
  let parents: Parents = new Map(spread.copies.map((copy) => [copy, copy.parent]));
  const maxDepth = deepestLevel(holders.holders.length + holders.leaving.length);
  for (let pass = 1; ; pass++) {
    const planting = new Planting({ spread, ways, maxDepth, parents, ...holders });
    const root = planting.grow();
    if (!planting.isUnfinished || pass === MAX_PASSES) return root;
    const grown = planting.parents();
    if (isSame(grown, parents)) return root;
    parents = grown;
  }
}

/** Whom a server follows when its parent fails: its grandparent, else another child of the origin. Neither is below it. */
export function secondParent({ copy, parent }: Branch): Copy | undefined {
  if (!parent) return undefined;
  return (
    parent.parent?.copy ??
    nextSibling(
      copy,
      parent.children.map((child) => child.copy),
    )
  );
}

/**
 * The next in order of ids after it, around the end, of its own site before another's: so each is asked by few. Nobody falls
 * back on a server that is being emptied.
 */
export function nextSibling(copy: Copy, siblings: readonly Copy[]): Copy | undefined {
  const { index, site } = copy.on;
  let best: Copy | undefined;
  const rank = ({ on }: Copy): number =>
    (on.site === site ? 0 : 2 * FAR) + (on.index > index ? 0 : FAR) + on.index;
  for (const sibling of siblings)
    if (sibling !== copy && sibling.on.mayHold && !(best && rank(best) < rank(sibling))) best = sibling;
  return best;
}

/** More servers than there are. */
const FAR = 2 ** 30;

/** How deep a server may stand, of so many, before it is moved up. */
export function deepestLevel(holders: number): number {
  return fullDepth(holders + 1) + SLACK_LEVELS;
}

function isSame(grown: Parents, parents: Parents): boolean {
  return [...grown].every(([copy, parent]) => parents.get(copy) === parent);
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
