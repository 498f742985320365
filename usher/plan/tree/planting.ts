// A tree while it grows: each server is put below whom it follows already, or below whom it costs least. Pure.

import type { Copy, Spread } from '../cluster.ts';
import { FANOUT, FILL } from '../copies/balance.ts';
import { leftMbps, type PlanSite, type Ways } from '../ground.ts';
import { hasRoom } from '../prices.ts';
import { type Branch, newBranch, weightOf } from './branch.ts';

/** Whom each follows now. */
export type Parents = ReadonlyMap<Copy, Copy | undefined>;

export interface PlantingOptions {
  readonly spread: Spread;
  readonly ways: Ways;
  readonly maxDepth: number;
  readonly parents: Parents;
  readonly holders: readonly Copy[];
  readonly leaving: readonly Copy[];
}

/** Of a server's children at most so many are of other sites, so that there is always a place for one of its own. */
export const FOREIGN = FANOUT - 1;

/** How many children a server has room for: those that it has, and new ones. A child stays where a new one would not come. */
interface Room {
  readonly kept: number;
  readonly fresh: number;
}

export function roomForChildren({ bitrateMbps }: Spread, copy: Copy, share: number): number {
  // A hundredth of a child forgives what adding and subtracting has rounded.
  return Math.floor((leftMbps(copy.on) / bitrateMbps + copy.children) * share + 0.01);
}

export class Planting {
  readonly #options: PlantingOptions;
  /** As many viewers as a copy has on average: what a ms more costs is counted for them. */
  readonly #audience: number;
  /** Who has no place yet. */
  readonly #waiting: Set<Copy>;
  /** Who is to follow whom, by whom they follow now. */
  readonly #childrenNow = new Map<Copy, Copy[]>();
  readonly #placed = new Map<Copy, Branch>();
  readonly #placedAt = new Map<PlanSite, Branch[]>();
  readonly #placedOn = new Map<PlanSite, Map<string, Branch[]>>();
  /** Sites in which others than those being emptied are to have the rendition, and those of them that it has come to. */
  readonly #homes: ReadonlySet<PlanSite>;
  readonly #entered = new Set<PlanSite>();
  readonly #rooms = new Map<Copy, Room>();
  /** Who is to give its place to whom, and to follow it. */
  readonly #replaced = new Map<Copy, Copy>();
  #depth = 0;

  constructor(options: PlantingOptions) {
    const { spread, holders, leaving, parents } = options;
    const all = [...holders, ...leaving];
    this.#options = options;
    this.#audience = 1 + all.reduce((sum, { viewers }) => sum + viewers, 0) / (all.length || 1);
    this.#waiting = new Set(all);
    this.#homes = new Set([spread.root!, ...holders].map(({ on }) => on.site));
    for (const copy of holders) {
      const parent = parents.get(copy);
      if (parent) this.#childrenNow.getOrInsertComputed(parent, () => []).push(copy);
    }
  }

  /** Whether it can be grown better from what has grown. */
  get isUnfinished(): boolean {
    return this.#depth > this.#options.maxDepth || this.#replaced.size > 0;
  }

  /** Whom each should follow if it is grown once more. */
  parents(): Parents {
    const parents = new Map<Copy, Copy | undefined>();
    for (const [copy, { parent }] of this.#placed) parents.set(copy, parent?.copy);
    for (const [copy, by] of this.#replaced) {
      parents.set(by, parents.get(copy));
      parents.set(copy, by);
    }
    return parents;
  }

  grow(): Branch {
    const root = this.#put(this.#options.spread.root!, undefined);
    this.#keepBelow(root);
    const order = this.#inOrder();
    this.#enterSites(order);
    for (const copy of order) while (this.#waiting.has(copy)) this.#attach(this.#topmost(copy));
    // Those that are being emptied take what is left: others must be able to take their place.
    for (const copy of this.#options.leaving) this.#put(copy, this.#parentWhileLeaving(copy));
    return root;
  }

  /** Places those who have a sound way to this branch as they are. */
  #keepBelow(branch: Branch): void {
    const reached = [branch];
    for (const parent of reached)
      for (const child of this.#childrenNow.get(parent.copy) ?? [])
        if (this.#maySettle(parent, child)) reached.push(this.#put(child, parent));
  }

  #maySettle(parent: Branch, child: Copy): boolean {
    return (
      this.#waiting.has(child) &&
      parent.depth < this.#options.maxDepth &&
      parent.children.length < this.#roomOf(parent.copy).kept &&
      this.#isWayIn(parent, child)
    );
  }

  /**
   * A stream crosses into a site once: whoever comes first is its gateway, the others of the site are below. Those that are
   * being emptied are nobody's gateway, and come in by themselves where nobody else is to have it.
   */
  #isWayIn({ copy, children }: Branch, child: Copy): boolean {
    const { site } = child.on;
    if (copy.on.site === site) return this.#isOfHost(copy, child) || !this.#hasFeederOnHost(child);
    if (child.on.mayHold ? this.#entered.has(site) : this.#homes.has(site)) return false;
    return children.filter((other) => other.copy.on.site !== copy.on.site).length < FOREIGN;
  }

  /** A stream comes into a machine once where one of its servers can feed the others: they share a network card. */
  #hasFeederOnHost(child: Copy): boolean {
    const neighbours = this.#placedOn.get(child.on.site)?.get(child.on.server.host) ?? [];
    return neighbours.some(
      (branch) =>
        this.#mayFeed(branch) &&
        branch.depth < this.#options.maxDepth &&
        branch.children.length < this.#roomOf(branch.copy).fresh,
    );
  }

  #isOfHost(copy: Copy, other: Copy): boolean {
    return copy.on.server.host === other.on.server.host;
  }

  /** The cheapest way into any site that the stream must come to, then from there too, until it is in all of them. */
  #enterSites(order: readonly Copy[]): void {
    for (;;) {
      let best: { readonly copy: Copy; readonly parent: Branch; readonly weight: number } | undefined;
      for (const copy of this.#gateways(order)) {
        const parent = this.#parentWithRoom(copy);
        const weight = parent ? this.#weight(parent, copy) : Number.POSITIVE_INFINITY;
        if (parent && !(best && best.weight <= weight)) best = { copy, parent, weight };
      }
      if (!best) return;
      this.#keepBelow(this.#put(best.copy, best.parent));
    }
  }

  /** Of each site that waits, whoever is to be its gateway; not those who wait for a parent of another site themselves. */
  #gateways(order: readonly Copy[]): Copy[] {
    const gateways = new Map<PlanSite, Copy>();
    for (const copy of order) {
      const { site } = copy.on;
      if (!this.#waiting.has(copy) || this.#entered.has(site) || gateways.has(site)) continue;
      gateways.set(site, copy);
    }
    return [...gateways].flatMap(([site, copy]) => {
      const top = this.#topmost(copy);
      return top.on.site === site ? [top] : [];
    });
  }

  /** With what is below it; or leaves it out, with nobody below it any more. */
  #attach(copy: Copy): void {
    const parent =
      this.#parentWithRoom(copy) ?? (this.#isWatched(copy) ? this.#parentAnyway(copy) : undefined);
    if (parent) this.#keepBelow(this.#put(copy, parent));
    else this.#leaveOut(copy);
  }

  /** Here, or below it by whom they follow: a circle ends where it began. */
  #isWatched(copy: Copy, seen = new Set<Copy>()): boolean {
    if (copy.viewers > 0) return true;
    if (seen.has(copy)) return false;
    seen.add(copy);
    const below = this.#childrenNow.get(copy) ?? [];
    return below.some((child) => this.#waiting.has(child) && this.#isWatched(child, seen));
  }

  /** Nobody of its site can feed one more; but it could feed one of them, and take that one's place. */
  #leaveOut(copy: Copy): void {
    this.#waiting.delete(copy);
    if (this.#roomOf(copy).fresh === 0) return;
    const neighbours = this.#placedAt.get(copy.on.site) ?? [];
    const other = neighbours.find((branch) => this.#isReplaceable(branch));
    if (other) this.#replaced.set(other.copy, copy);
  }

  #isReplaceable({ copy, parent }: Branch): boolean {
    return parent !== undefined && copy.on.mayHold && !this.#replaced.has(copy);
  }

  /** Rather too deep than nowhere: it comes up when there is a place. */
  #parentWithRoom(copy: Copy): Branch | undefined {
    const { spread, ways, maxDepth } = this.#options;
    const hasPlace = (parent: Branch): boolean =>
      parent.children.length < this.#roomOf(parent.copy).fresh &&
      hasRoom(spread, ways.between(parent.copy.on.site, copy.on.site));
    const isHigh = (parent: Branch): boolean => parent.depth < maxDepth && hasPlace(parent);
    const hasKeptPlace = (parent: Branch): boolean => parent.children.length < this.#roomOf(parent.copy).kept;
    return this.#cheapest(copy, isHigh) ?? this.#now(copy, hasKeptPlace) ?? this.#cheapest(copy, hasPlace);
  }

  /** Some leaf of its site, or of any where its site has none yet, always has a place. */
  #parentAnyway(copy: Copy): Branch | undefined {
    const hasPlace = (parent: Branch): boolean => parent.children.length < FANOUT && this.#mayFeed(parent);
    return this.#now(copy, hasPlace) ?? this.#cheapest(copy, hasPlace);
  }

  /** Whom it follows, if that may be. */
  #now(copy: Copy, hasPlace: (parent: Branch) => boolean): Branch | undefined {
    const parent = this.#options.parents.get(copy);
    const now = parent && this.#placed.get(parent);
    return now && hasPlace(now) && this.#isWayIn(now, copy) ? now : undefined;
  }

  /** Whom it follows now if that may be; in need some server has more children than it should: their viewers are about to go. */
  #parentWhileLeaving(copy: Copy): Branch {
    const now = this.#placed.get(this.#options.parents.get(copy) ?? copy);
    if (now && this.#maySettle(now, copy)) return now;
    const { root } = this.#options.spread;
    return (
      this.#parentWithRoom(copy) ??
      this.#parentAnyway(copy) ??
      this.#cheapest(copy, (parent) => this.#mayFeed(parent)) ??
      this.#placed.get(root!)!
    );
  }

  #cheapest(copy: Copy, hasPlace: (parent: Branch) => boolean): Branch | undefined {
    let best: Branch | undefined;
    let least = Number.POSITIVE_INFINITY;
    const { site } = copy.on;
    // A way in from elsewhere is of no use where it has come to already.
    const parents = this.#entered.has(site) ? this.#placedAt.get(site)! : this.#placed.values();
    for (const parent of parents) {
      if (!hasPlace(parent) || !this.#isWayIn(parent, copy)) continue;
      const weight = this.#weight(parent, copy);
      if (best && !(weight < least || (weight === least && this.#isPreferred(parent, best, copy)))) continue;
      best = parent;
      least = weight;
    }
    return best;
  }

  #weight(parent: Branch, copy: Copy): number {
    const { spread, ways } = this.#options;
    return weightOf(parent, copy, { spread, ways, audience: this.#audience });
  }

  /** Of two that cost the same whom it follows now, then who has fewer children, then the first in order of the ids. */
  #isPreferred(parent: Branch, other: Branch, copy: Copy): boolean {
    const now = this.#options.parents.get(copy);
    if (parent.copy === now || other.copy === now) return parent.copy === now;
    const more = parent.children.length - other.children.length;
    return more === 0 ? parent.copy.on.index < other.copy.on.index : more < 0;
  }

  #put(copy: Copy, parent: Branch | undefined): Branch {
    const branch = newBranch(copy, parent, this.#options.ways);
    this.#depth = Math.max(this.#depth, branch.depth);
    this.#placed.set(copy, branch);
    const { site, server } = copy.on;
    this.#placedAt.getOrInsertComputed(site, () => []).push(branch);
    const onHosts = this.#placedOn.getOrInsertComputed(site, () => new Map());
    onHosts.getOrInsertComputed(server.host, () => []).push(branch);
    if (copy.on.mayHold || !parent) this.#entered.add(copy.on.site);
    this.#waiting.delete(copy);
    return branch;
  }

  /** Gateways first, for their sites are waiting behind them; then those with viewers; then the strong, to stand high. */
  #inOrder(): Copy[] {
    const rank = (copy: Copy): number => (this.#isGateway(copy) ? 0 : 2) + (copy.viewers > 0 ? 0 : 1);
    const ranked = this.#options.holders
      .filter((copy) => this.#waiting.has(copy))
      .map((copy) => ({ copy, rank: rank(copy) }));
    ranked.sort(
      (one, other) =>
        one.rank - other.rank ||
        this.#roomOf(other.copy).fresh - this.#roomOf(one.copy).fresh ||
        one.copy.on.index - other.copy.on.index,
    );
    return ranked.map(({ copy }) => copy);
  }

  /** The waiting server that it is below, by the parents that they have; itself if that is nobody. */
  #topmost(copy: Copy): Copy {
    const seen = new Set<Copy>();
    let top = copy;
    for (let above: Copy | undefined = copy; above && !seen.has(above); ) {
      seen.add(above);
      top = above;
      const parent = this.#options.parents.get(above);
      above = parent?.on.mayHold && this.#waiting.has(parent) ? parent : undefined;
    }
    return top;
  }

  #isGateway(copy: Copy): boolean {
    const parent = this.#options.parents.get(copy);
    return parent !== undefined && parent.on.site !== copy.on.site;
  }

  #mayFeed({ copy }: Branch): boolean {
    return copy.on.mayHold || copy === this.#options.spread.root;
  }

  /** An origin has room for one in any case: a stream that never leaves it is of no use. */
  #roomOf(copy: Copy): Room {
    return this.#rooms.getOrInsertComputed(copy, () => {
      const { spread } = this.#options;
      const isRoot = copy === spread.root;
      if (!isRoot && !copy.on.mayHold) return { kept: 0, fresh: 0 };
      const within = (share: number): number =>
        Math.max(isRoot ? 1 : 0, Math.min(FANOUT, roomForChildren(spread, copy, share)));
      // One that is to be emptied goes on with the children that it has, and takes no other.
      return { kept: within(1), fresh: copy.on.isDraining ? 1 : within(FILL) };
    });
  }
}
