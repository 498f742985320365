// What this usher wants to have leased: slices sized by recent use, handed back when idle; and whether what it hands out is within them.

import { type Demand, MAX_WANTS } from '../../../network/state/lease.ts';
import type { Lessee, ResourceSight, Sight } from '../../../network/state/lessee.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import type { Booked, Load } from '../scene/loads.ts';
import type { Scene } from '../scene/scene.ts';
import type { Booking, Promises } from './promises.ts';
import type { Taking } from './taking.ts';

interface Slice {
  /** What was last asked for, all in all, and how much had ever arrived then. */
  wantMbps: number;
  arrivedMbps: number;
  /** How fast it is promised of late, and what had ever been promised by the last report. */
  mbpsPerS: number;
  takenMbps: number;
  /** For how many seconds of reports it has been granted in full. */
  plentyS: number;
}

/** A slice is what is promised in so long: it lasts when a few reports are late. */
const AHEAD_S = 1.5;
/** How fast something is promised falls by half in so long when it is promised no more. */
const HALF_LIFE_S = 1;
/** Promised more slowly, it is handed back. */
const IDLE_MBPS_PER_S = 0.1;
/** Smaller slices are none: a viewer would fit in none of them, and yet in what they are together. */
const LEAST_SLICE_MBPS = 20;
/** After it got less than it wanted, an usher wants of a resource only what somebody waits for, for so long. */
const SCARCE_S = 2;
/** Leases are counted in whole kbps. */
const ROUNDING_MBPS = 0.001;

export class Leases {
  readonly #lessee: Lessee;
  readonly #promised: Promises;
  readonly #slices = new Map<string, Slice>();
  /** What could not be booked since the last report. */
  readonly #asks = new Map<string, number>();
  /** Of what others have some that this usher wants. */
  readonly #short = new Set<string>();
  #isAway = false;

  constructor(lessee: Lessee, promised: Promises) {
    this.#lessee = lessee;
    this.#promised = promised;
  }

  /** Whether a booking is within what is leased. What it lacks is asked for with the next report. */
  covers(scene: Scene, booking: Booking): boolean {
    const { stream, server, copy } = booking;
    const isNewCopy = copy && !this.#promised.isComing(stream, server);
    const lacking = (isNewCopy ? [booking, copy] : [booking]).flatMap((taking) =>
      this.#lacking(scene, taking),
    );
    for (const [resource, mbps] of lacking) this.#asks.set(resource, (this.#asks.get(resource) ?? 0) + mbps);
    return lacking.length === 0;
  }

  /** What to report, `passedS` after the last time that all of it was. */
  sight(scene: Scene, passedS: number, demand: Demand): Sight {
    const resources = new Set([...this.#asks.keys(), ...this.#promised.resources(), ...this.#slices.keys()]);
    return this.#sightOf(scene, resources, passedS, demand);
  }

  /** What somebody waits for, and nothing else: the rest stays as it was reported last. */
  urgentSight(scene: Scene, demand: Demand): Sight {
    return this.#sightOf(scene, [...this.#asks.keys()], 0, demand);
  }

  /** Goes by what was granted of all that a report named. Where that is less than was wanted others have the rest. */
  granted({ wants }: Sight): void {
    this.#isAway = false;
    for (const resource of Object.keys(wants)) {
      const slice = this.#slices.get(resource);
      if (slice) this.#take(resource, slice);
    }
    this.#promised.isShort = this.#short.size > 0;
  }

  /** The state does not answer. */
  lost(): void {
    this.#isAway = true;
    this.#promised.isShort = false;
    this.#short.clear();
    for (const resource of this.#slices.keys())
      this.#promised.on(resource).leasedMbps = Number.POSITIVE_INFINITY;
  }

  /** There is no more room than what is leased, where that is all there is to be had. */
  #take(resource: string, slice: Slice): void {
    const grantedMbps = this.#lessee.grantedMbps(resource);
    const booked = this.#promised.on(resource);
    const arrivedMbps = booked.arrivedMbps - slice.arrivedMbps;
    const isShort = !this.#isOnItsOwn && grantedMbps < slice.wantMbps - arrivedMbps - ROUNDING_MBPS;
    booked.leasedMbps = isShort ? grantedMbps : Number.POSITIVE_INFINITY;
    if (isShort) {
      this.#short.add(resource);
      slice.plentyS = 0;
    } else this.#short.delete(resource);
  }

  #sightOf(scene: Scene, resources: Iterable<string>, passedS: number, demand: Demand): Sight {
    const wants: Record<string, ResourceSight> = {};
    let left = MAX_WANTS;
    for (const resource of resources) {
      const load = left > 0 ? scene.loads.get(resource) : undefined;
      const want = load && this.#want(scene.snapshot, load, passedS);
      if (want) wants[resource] = want;
      else this.#forget(resource);
      if (want) left -= 1;
    }
    this.#asks.clear();
    return { asOfMs: scene.snapshot.nowMs, wants, demand };
  }

  #lacking(scene: Scene, { mbps, resources }: Taking): (readonly [resource: string, mbps: number])[] {
    return resources
      .filter((resource) => this.#leftMbps(scene, resource) < mbps - ROUNDING_MBPS)
      .map((resource) => [resource, mbps]);
  }

  #leftMbps({ loads, snapshot }: Scene, resource: string): number {
    const load = loads.get(resource);
    if (!load) return Number.POSITIVE_INFINITY;
    const { limitMbps, usedMbps, booked } = load;
    const mayMbps = this.#isOnItsOwn
      ? (limitMbps - usedMbps) / ushersIn(snapshot)
      : this.#lessee.grantedMbps(resource);
    return mayMbps - booked.mbps;
  }

  /**
   * Nobody grants anything: the state is away, or is waiting for what others hold because it was lost. All ushers have the same
   * last snapshot, and each goes by an equal part of what was free in it.
   */
  get #isOnItsOwn(): boolean {
    return this.#isAway || this.#lessee.isUnsettled;
  }

  /** Undefined: it is idle, and has been handed back. */
  #want(snapshot: Snapshot, load: Load, passedS: number): ResourceSight | undefined {
    const { resource, limitMbps, usedMbps, booked } = load;
    const known = this.#slices.get(resource);
    const slice = known ?? newSlice(booked);
    slice.mbpsPerS = recentMbpsPerS(slice, booked, passedS);
    if (passedS > 0) slice.takenMbps = booked.takenMbps;
    slice.plentyS += passedS;
    const spareMbps = this.#spareMbps(snapshot, load, slice);
    const wasIdle = slice.wantMbps === 0;
    slice.wantMbps = booked.mbps + spareMbps;
    slice.arrivedMbps = booked.arrivedMbps;
    if (wasIdle && slice.wantMbps === 0) return undefined;
    this.#slices.set(resource, slice);
    return { limitMbps, usedMbps, promisedMbps: booked.mbps, spareMbps };
  }

  /** Beyond what somebody waits for, no usher keeps more at hand than an equal part of what is left, and nothing of little. */
  #spareMbps(snapshot: Snapshot, { resource, limitMbps, usedMbps, booked }: Load, slice: Slice): number {
    const askedMbps = this.#asks.get(resource) ?? 0;
    const freeMbps = Math.max(0, limitMbps - usedMbps - booked.mbps);
    const evenMbps = freeMbps / ushersIn(snapshot);
    const recentMbps = slice.mbpsPerS < IDLE_MBPS_PER_S ? 0 : slice.mbpsPerS * AHEAD_S;
    const isScarce = evenMbps < LEAST_SLICE_MBPS || slice.plentyS < SCARCE_S;
    const sliceMbps = isScarce ? 0 : Math.max(recentMbps, 2 * askedMbps);
    return Math.max(askedMbps, Math.min(evenMbps, sliceMbps));
  }

  #forget(resource: string): void {
    this.#slices.delete(resource);
    this.#short.delete(resource);
    this.#promised.on(resource).leasedMbps = Number.POSITIVE_INFINITY;
  }
}

function newSlice({ takenMbps, arrivedMbps }: Booked): Slice {
  return { wantMbps: 0, arrivedMbps, mbpsPerS: 0, takenMbps, plentyS: SCARCE_S };
}

function ushersIn({ ushers }: Snapshot): number {
  return Math.max(1, ushers.length);
}

/** Rises at once, and falls slowly. */
function recentMbpsPerS({ mbpsPerS, takenMbps }: Slice, booked: Booked, passedS: number): number {
  if (passedS <= 0) return mbpsPerS;
  return Math.max((booked.takenMbps - takenMbps) / passedS, mbpsPerS * 0.5 ** (passedS / HALF_LIFE_S));
}
