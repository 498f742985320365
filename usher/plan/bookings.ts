// What a plan will have servers send, written down so that nothing else is planned into the same room. Pure.

import type { Copy, Spread } from './cluster.ts';
import { type Balances, FILL } from './copies/balance.ts';
import { leftMbps, type PlanSite, send, type Ways } from './ground.ts';
import { type Branch, branchesOf } from './tree/branch.ts';

/** The links of a new tree instead of those that were planned before. */
export function bookTree(spread: Spread, root: Branch, ways: Ways): void {
  const { copies, bitrateMbps } = spread;
  for (const { on, children, parent } of copies) {
    send(on, -children * bitrateMbps);
    if (parent) cross(parent.on.site, on.site, -bitrateMbps, ways);
  }
  for (const { copy, children, parent } of branchesOf(root)) {
    send(copy.on, children.length * bitrateMbps);
    if (parent) cross(parent.copy.on.site, copy.on.site, bitrateMbps, ways);
  }
}

/** Viewers who are yet to come, or to move here: to those who hold it where they are served best, and then to any. */
export function bookComing(spread: Spread, holders: readonly Copy[], balances: Balances): void {
  const root = spread.root!;
  const serving = root.on.mayHold ? [root, ...holders] : holders;
  let restMbps = 0;
  for (const { site, needMbps } of balances.all) {
    const here = serving.filter(({ on }) => on.site === site);
    const presentMbps = here.reduce((sum, { viewers }) => sum + viewers, 0) * spread.bitrateMbps;
    restMbps += bookOn(here, Math.max(0, needMbps - presentMbps));
  }
  bookOn(serving, restMbps);
}

/** Gives what nobody has room for. */
function bookOn(serving: readonly Copy[], mbps: number): number {
  let restMbps = mbps;
  for (const { on } of serving) {
    if (restMbps <= 0) break;
    const takenMbps = Math.min(restMbps, Math.max(0, leftMbps(on) * FILL));
    send(on, takenMbps);
    if (on.site.uplinks) on.site.uplinks.usedMbps += takenMbps;
    restMbps -= takenMbps;
  }
  return restMbps;
}

function cross(from: PlanSite, to: PlanSite, mbps: number, ways: Ways): void {
  const { link } = ways.between(from, to);
  if (link) link.usedMbps += mbps;
}
