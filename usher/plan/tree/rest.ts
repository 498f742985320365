// Whether the tree of a rendition may stay as it is: most do, and to see it is cheaper than to grow the same tree again. Pure.

import type { Parent } from '../../../network/state/state.ts';
import type { Copy, Spread } from '../cluster.ts';
import { FANOUT } from '../copies/balance.ts';
import { FOREIGN, roomForChildren } from './planting.ts';
import { deepestLevel, type Holders, nextSibling } from './tree.ts';

/** True: everybody follows whom the plan says, and nothing about that is to be changed. */
export function isAtRest(spread: Spread, { holders, leaving }: Holders): boolean {
  const { copies, root } = spread;
  const count = holders.length + leaving.length;
  const maxDepth = deepestLevel(count);
  let followers = 0;
  for (const copy of copies) {
    if (copy.children > 0 && !mayFeed(spread, copy)) return false;
    if (!copy.follow) continue;
    followers += 1;
    if (copy === root || !isSound(spread, copy, maxDepth)) return false;
  }
  return (
    followers === count && holders.every(({ follow }) => follow) && leaving.every(({ follow }) => follow)
  );
}

function mayFeed(spread: Spread, copy: Copy): boolean {
  if (copy !== spread.root && !(copy.on.mayHold && copy.follow)) return false;
  const least = copy === spread.root ? 1 : 0;
  return copy.children <= Math.max(least, Math.min(FANOUT, roomForChildren(spread, copy, 1)));
}

function isSound(spread: Spread, copy: Copy, maxDepth: number): boolean {
  const { parent } = copy;
  if (!parent || !isWithin(spread, copy, maxDepth)) return false;
  if (parent.on.site !== copy.on.site && !isGateway(spread, copy, parent)) return false;
  return hasParents(copy, parent, secondParent(spread, copy, parent));
}

/** Follows the ways up to the origin. */
function isWithin({ root }: Spread, copy: Copy, maxDepth: number): boolean {
  let above: Copy | undefined = copy;
  for (let depth = 0; depth <= maxDepth && above; depth++) {
    if (above === root) return true;
    above = above.parent;
  }
  return false;
}

/** The stream comes in there and nowhere else, from one that has not too many such children. */
function isGateway(spread: Spread, copy: Copy, parent: Copy): boolean {
  const { site } = copy.on;
  let foreign = 0;
  for (const other of spread.copies) {
    if (other.parent === parent && other.on.site !== parent.on.site) foreign += 1;
    if (other !== copy && other.on.site === site && isInTheWay(spread, copy, other)) return false;
  }
  return foreign <= FOREIGN;
}

/** Whether another of its site is to be the gateway instead: those being emptied are only where nobody else has it. */
function isInTheWay({ root }: Spread, copy: Copy, other: Copy): boolean {
  if (other === root) return true;
  if (!other.follow || !other.on.mayHold) return false;
  return !copy.on.mayHold || other.parent?.on.site !== other.on.site;
}

/** Whom it would be given now. */
function secondParent(spread: Spread, copy: Copy, parent: Copy): Copy | undefined {
  if (parent.parent) return parent.parent;
  return nextSibling(
    copy,
    spread.copies.filter((other) => other.parent === parent),
  );
}

function hasParents({ follow }: Copy, first: Copy, second: Copy | undefined): boolean {
  const parents = follow!.parents;
  if (parents.length !== (second ? 2 : 1) || !isParent(parents[0]!, first)) return false;
  return !second || isParent(parents[1]!, second);
}

function isParent({ id, relayUrl }: Parent, { on: { server } }: Copy): boolean {
  return id === server.id && relayUrl === server.relayUrl;
}
