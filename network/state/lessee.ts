// An usher's side of its leases: asks the state for slices, and knows at any time what it may hand out of them.

import type { Clock } from '../clock.ts';
import type { Demand, MonthSpend, UsherReport, Want } from './lease.ts';
import type { UsherState } from './state.ts';

/**
 * An usher goes by a grant for this long after it asked. The state keeps it for LEASE_MS: a viewer who was sent to a server at
 * the last moment has the time to arrive, and the server to say so with a beat, before anybody else is granted the same.
 */
export const GRANT_MS = 1_200;

export interface LesseeOptions {
  readonly state: Pick<UsherState, 'lease'>;
  readonly clock: Clock;
  /** Made anew by each process. */
  readonly id: string;
}

/** What it sees and wants at one snapshot. */
export interface Sight {
  readonly asOfMs: number;
  /** By resource. What is not named is held as it is, until it lapses. */
  readonly wants: Readonly<Record<string, ResourceSight>>;
  readonly demand: Demand;
}

export interface ResourceSight extends Pick<Want, 'limitMbps' | 'usedMbps'> {
  /** What it has handed out and does not see used. */
  readonly promisedMbps: number;
  /** What it would have at hand besides. */
  readonly spareMbps: number;
}

interface Right {
  readonly mbps: number;
  readonly untilMs: number;
}

/**
 * With each new snapshot: first `arrive` of what is seen used in it, then `report`. In between, `grantedMbps` less what is
 * promised is what may be handed out.
 */
export class Lessee {
  readonly #options: LesseeOptions;
  readonly #rights = new Map<string, Right>();
  #sequence = 0;
  #asking: Promise<void> | undefined;
  /** What arrived since the report that is on its way was made, in Mbps. */
  #arrivedSince = new Map<string, number>();
  /** What was spent and no answer has confirmed, in micro-dollars. */
  readonly #unconfirmed = new Map<string, number>();
  #month: MonthSpend | undefined;
  #unsettledUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: LesseeOptions) {
    this.#options = options;
  }

  /** Mbps that may be handed out of a resource, all in all, beyond what the usher's snapshot shows to be used. */
  grantedMbps(resource: string): number {
    const right = this.#rights.get(resource);
    return right && right.untilMs > this.#options.clock.monotonic() ? Math.max(0, right.mbps) : 0;
  }

  /** The state was lost, and nobody gets more than it held until all have said what that is. */
  get isUnsettled(): boolean {
    return this.#options.clock.monotonic() < this.#unsettledUntilMs;
  }

  /** What was handed out is from now on seen as used: it is no longer the usher's. */
  arrive(resource: string, mbps: number): void {
    this.#arrivedSince.set(resource, (this.#arrivedSince.get(resource) ?? 0) + mbps);
    const right = this.#rights.get(resource);
    if (right) this.#rights.set(resource, { ...right, mbps: right.mbps - mbps });
  }

  /** That a CDN is paid so much more, in micro-dollars. */
  spend(cdn: string, microUsd: number): void {
    this.#unconfirmed.set(cdn, (this.#unconfirmed.get(cdn) ?? 0) + microUsd);
  }

  /**
   * Reports, and takes what is granted. Rejects as `lease` does: then it goes on with what it has, until that lapses. A report
   * that is still on its way takes the place of a new one.
   */
  report(sight: Sight): Promise<void> {
    this.#asking ??= this.#ask(sight).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #ask(sight: Sight): Promise<void> {
    const { state, clock } = this.#options;
    const report = this.#reportOf(sight);
    const askedAtMs = clock.monotonic();
    const untilMs = askedAtMs + GRANT_MS;
    this.#arrivedSince = new Map();
    for (const [resource, { wantMbps }] of Object.entries(report.wants)) this.#restrict(resource, wantMbps);
    const { granted, month, unsettledMs } = await state.lease(report);
    for (const [resource, mbps] of Object.entries(granted))
      this.#rights.set(resource, { mbps: mbps - (this.#arrivedSince.get(resource) ?? 0), untilMs });
    for (const [cdn, spent] of Object.entries(report.spentMicroUsd)) this.spend(cdn, -spent);
    this.#month = month;
    this.#unsettledUntilMs = askedAtMs + unsettledMs;
  }

  #reportOf({ asOfMs, wants, demand }: Sight): UsherReport {
    this.#forgetLapsed();
    const whole = Object.entries(wants).map(
      ([resource, sight]) => [resource, this.#wantOf(resource, sight)] as const,
    );
    const spent = [...this.#unconfirmed].map(([cdn, microUsd]) => [cdn, Math.round(microUsd)] as const);
    return {
      id: this.#options.id,
      sequence: ++this.#sequence,
      asOfMs,
      demand,
      wants: Object.fromEntries(whole),
      spentMicroUsd: Object.fromEntries(spent.filter(([, microUsd]) => microUsd > 0)),
      month: this.#month,
    };
  }

  #wantOf(resource: string, { limitMbps, usedMbps, promisedMbps, spareMbps }: ResourceSight): Want {
    const heldMbps = Math.max(promisedMbps, this.grantedMbps(resource));
    return { limitMbps, usedMbps, heldMbps, wantMbps: promisedMbps + spareMbps };
  }

  /** The state may lend to others what is no longer wanted as soon as it is asked. */
  #restrict(resource: string, wantMbps: number): void {
    const right = this.#rights.get(resource);
    if (right && right.mbps > wantMbps) this.#rights.set(resource, { ...right, mbps: wantMbps });
  }

  #forgetLapsed(): void {
    const nowMs = this.#options.clock.monotonic();
    for (const [resource, { untilMs }] of this.#rights) if (untilMs <= nowMs) this.#rights.delete(resource);
  }
}
