// A server's place in the tree of a rendition, and what it would cost to put another below it. Pure.

import { hotMicroUsd } from '../../placement/price/cost.ts';
import type { Copy, Spread } from '../cluster.ts';
import type { Ways } from '../ground.ts';
import { crossingMicroUsd } from '../prices.ts';

export interface Branch {
  readonly copy: Copy;
  readonly parent: Branch | undefined;
  readonly depth: number;
  /** From the origin on. */
  readonly latencyMs: number;
  readonly children: Branch[];
}

/** What one level more costs, in ms of latency: a hop takes about one, and what breaks above breaks everything below. */
const LEVEL_MS = 5;

export function newBranch(copy: Copy, parent: Branch | undefined, ways: Ways): Branch {
  const latencyMs = parent ? latencyBelow(parent, copy, ways) : 0;
  const branch = { copy, parent, depth: parent ? parent.depth + 1 : 0, latencyMs, children: [] };
  parent?.children.push(branch);
  return branch;
}

export function* branchesOf(root: Branch): Generator<Branch> {
  yield root;
  for (const child of root.children) yield* branchesOf(child);
}

/** In micro-dollars for an hour: what the way there costs, the latency to as many viewers as a copy has, and the parent's load. */
export function weightOf(
  parent: Branch,
  copy: Copy,
  { spread, ways, audience }: { readonly spread: Spread; readonly ways: Ways; readonly audience: number },
): number {
  const { policy } = spread;
  const crossing = crossingMicroUsd(spread, ways.between(parent.copy.on.site, copy.on.site));
  const latency = latencyBelow(parent, copy, ways) * policy.msHourMicroUsd * audience;
  return crossing + latency + hotMicroUsd({ policy }, parent.copy.on);
}

function latencyBelow(parent: Branch, { on }: Copy, ways: Ways): number {
  return parent.latencyMs + ways.between(parent.copy.on.site, on.site).rttMs / 2 + LEVEL_MS;
}
