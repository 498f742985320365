// Which servers hold a rendition: the fewest that carry its demand, those that have viewers first. Pure.

import type { Copy, ServerLoad } from './cluster.ts';
import { roomMbps, type Spread } from './spread.ts';
import { FANOUT } from './tree.ts';

/** A copy goes only when the others carry this many times the demand, so that it is not made again a moment later. */
export const SHRINK_SLACK = 1.5;

/** In order of their ids, without the origin. */
export function chooseHolders(spread: Spread, candidates: readonly ServerLoad[]): ServerLoad[] {
  const kept = [...spread.copies.values()].filter((copy) => isKept(spread, copy));
  const capacityMbps = capacityOf(spread, kept);
  const holders = kept.map(({ load }) => load);
  if (spread.demandMbps > Math.max(0, capacityMbps)) return grow(spread, holders, candidates, capacityMbps);
  const unused = leastUseful(spread, kept);
  const canGo = unused && suffices(spread, capacityMbps - gain(spread, unused.load));
  return canGo ? holders.filter((load) => load !== unused.load) : holders;
}

function isKept({ root }: Spread, { load, viewers, follow }: Copy): boolean {
  return load.mayHold && load !== root && (viewers > 0 || follow !== undefined);
}

/** What holders carry for viewers: each costs some server one more child. */
function capacityOf(spread: Spread, kept: readonly Copy[]): number {
  let capacity = kept.reduce((sum, { load }) => sum + gain(spread, load), 0);
  const { root, bitrateMbps } = spread;
  const rootMbps = roomMbps(spread, root);
  if (root.mayHold) capacity += rootMbps;
  else capacity += Math.min(rootMbps, Math.min(FANOUT, kept.length) * bitrateMbps);
  return capacity;
}

/** What one more holder adds. */
function gain(spread: Spread, load: ServerLoad): number {
  return roomMbps(spread, load) - spread.bitrateMbps;
}

function suffices({ demandMbps }: Spread, capacityMbps: number): boolean {
  return demandMbps === 0 || capacityMbps >= demandMbps * SHRINK_SLACK;
}

interface Candidate {
  readonly load: ServerLoad;
  readonly gainMbps: number;
  /** Viewers of the rendition at its site. */
  readonly viewers: number;
  readonly isAtRoot: boolean;
}

function grow(
  spread: Spread,
  holders: readonly ServerLoad[],
  servers: readonly ServerLoad[],
  capacityMbps: number,
): ServerLoad[] {
  const candidates = candidatesFor(spread, new Set([...holders, spread.root]), servers);
  const grown = [...holders];
  for (let capacity = capacityMbps; capacity < spread.demandMbps && candidates.length > 0; ) {
    const at = indexOfBest(candidates);
    const best = candidates[at]!;
    const last = candidates.pop()!;
    if (last !== best) candidates[at] = last;
    grown.push(best.load);
    capacity += best.gainMbps;
    // An origin that serves no viewers still feeds its first children.
    if (!spread.root.mayHold && grown.length <= FANOUT) capacity += spread.bitrateMbps;
  }
  return grown.sort((one, other) => (one.server.id < other.server.id ? -1 : 1));
}

function candidatesFor(
  spread: Spread,
  taken: ReadonlySet<ServerLoad>,
  servers: readonly ServerLoad[],
): Candidate[] {
  const viewersAt = new Map<string, number>();
  for (const { load, viewers } of spread.copies.values())
    viewersAt.set(load.server.site, (viewersAt.get(load.server.site) ?? 0) + viewers);
  const candidates: Candidate[] = [];
  for (const load of servers) {
    const gainMbps = gain(spread, load);
    if (gainMbps <= 0 || taken.has(load)) continue;
    const { site } = load.server;
    const isAtRoot = site === spread.root.server.site;
    candidates.push({ load, gainMbps, viewers: viewersAt.get(site) ?? 0, isAtRoot });
  }
  return candidates;
}

/** A walk for each choice: most streams need one or two, and sorting costs more than that. */
function indexOfBest(candidates: readonly Candidate[]): number {
  let best = 0;
  for (let at = 1; at < candidates.length; at++) if (isBetter(candidates[at]!, candidates[best]!)) best = at;
  return best;
}

/** A site where viewers are comes before a server with more room; the origin's own costs no crossing. */
function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.viewers !== other.viewers) return one.viewers > other.viewers;
  if (one.isAtRoot !== other.isAtRoot) return one.isAtRoot;
  if (one.gainMbps !== other.gainMbps) return one.gainMbps > other.gainMbps;
  return one.load.server.id < other.load.server.id;
}

/** Of the copies that nobody watches and nobody has come to: one whose going moves the fewest others. */
function leastUseful(spread: Spread, kept: readonly Copy[]): Copy | undefined {
  const unused = kept.filter(({ viewers, arrivalsPerS }) => viewers === 0 && arrivalsPerS === 0);
  return unused.reduce<Copy | undefined>(
    (least, copy) => (least && !isLessUseful(spread, copy, least) ? least : copy),
    undefined,
  );
}

function isLessUseful(spread: Spread, one: Copy, other: Copy): boolean {
  if (one.children !== other.children) return one.children < other.children;
  const [oneMbps, otherMbps] = [roomMbps(spread, one.load), roomMbps(spread, other.load)];
  if (oneMbps !== otherMbps) return oneMbps < otherMbps;
  return one.load.server.id > other.load.server.id;
}
