// What ushers were lent, what they see and what they spent, in memory.

import {
  inKbps,
  type KnownUsher,
  type LeaseAnswer,
  type MonthSpend,
  monthStartMs,
  slice,
  type UsherReport,
  type Want,
} from './lease.ts';
import { isWithin } from './liveness.ts';
import { inOrder, renew } from './state-rules.ts';

interface Share {
  readonly reportedAtMs: number;
  /** What the newest snapshot said that any usher has seen. */
  readonly asOfMs: number;
  readonly usedKbps: number;
  /** By usher. */
  readonly slices: ReadonlyMap<string, { readonly kbps: number; readonly atMs: number }>;
}

interface Turn {
  readonly nowMs: number;
  /** Until whoever may hold something has had the time to say so. */
  readonly unsettledMs: number;
}

type Seen = Pick<Share, 'asOfMs' | 'usedKbps'>;

export class Ledger {
  readonly #leaseMs: number;
  /** Both in the order of their last reports. */
  readonly #ushers = new Map<string, KnownUsher & { readonly sequence: number }>();
  readonly #shares = new Map<string, Share>();
  #monthStartMs = 0;
  #spentMicroUsd = new Map<string, number>();

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  report(report: UsherReport, turn: Turn): LeaseAnswer {
    const { id, sequence, demand } = report;
    this.#forget(turn.nowMs);
    this.#turnMonth(turn.nowMs);
    const last = this.#ushers.get(id);
    if (last && last.sequence >= sequence && this.#isFresh(last.heardAtMs, turn.nowMs))
      return { granted: {}, month: this.#month, unsettledMs: turn.unsettledMs };
    renew(this.#ushers, id, { id, sequence, demand, heardAtMs: turn.nowMs });
    this.#spend(report);
    const wants = Object.entries(report.wants);
    const granted = wants.map(([resource, want]) => [resource, this.#grant(report, resource, want, turn)]);
    return { granted: Object.fromEntries(granted), month: this.#month, unsettledMs: turn.unsettledMs };
  }

  /** Those that are alive, in order of their ids. */
  ushers(nowMs: number): KnownUsher[] {
    const living = [...this.#ushers.values()].filter(({ heardAtMs }) => this.#isFresh(heardAtMs, nowMs));
    return inOrder(living, ({ id }) => id).map(({ id, heardAtMs, demand }) => ({ id, heardAtMs, demand }));
  }

  spentMicroUsd(nowMs: number): Readonly<Record<string, number>> {
    return this.#monthStartMs === monthStartMs(nowMs) ? this.#month.spentMicroUsd : {};
  }

  /** Mbps. */
  #grant(report: UsherReport, resource: string, want: Want, { nowMs, unsettledMs }: Turn): number {
    const known = this.#shares.get(resource);
    const share = known && this.#isFresh(known.reportedAtMs, nowMs) ? known : undefined;
    const kbps = inKbps(want);
    const seen = { asOfMs: report.asOfMs, usedKbps: kbps.used };
    const { asOfMs, usedKbps } =
      share && this.#isFresh(share.asOfMs, nowMs) && isNewer(share, seen) ? share : seen;
    const others = [...(share?.slices ?? [])].filter(
      ([usher, { atMs }]) => usher !== report.id && this.#isFresh(atMs, nowMs),
    );
    const othersKbps = others.reduce((sum, [, each]) => sum + each.kbps, 0);
    const { grantedKbps, keptKbps } = slice({ ...kbps, used: usedKbps }, { othersKbps, unsettledMs });
    const slices = new Map([...others, [report.id, { kbps: keptKbps, atMs: nowMs }]]);
    renew(this.#shares, resource, { reportedAtMs: nowMs, asOfMs, usedKbps, slices });
    return grantedKbps / 1000;
  }

  #spend({ spentMicroUsd, month }: UsherReport): void {
    const known = month?.startMs === this.#monthStartMs ? month.spentMicroUsd : {};
    for (const [cdn, spent] of Object.entries(known))
      this.#spentMicroUsd.set(cdn, Math.max(this.#spentMicroUsd.get(cdn) ?? 0, Math.round(spent)));
    for (const [cdn, spent] of Object.entries(spentMicroUsd))
      this.#spentMicroUsd.set(cdn, (this.#spentMicroUsd.get(cdn) ?? 0) + Math.round(spent));
  }

  get #month(): MonthSpend {
    return { startMs: this.#monthStartMs, spentMicroUsd: Object.fromEntries(this.#spentMicroUsd) };
  }

  #turnMonth(nowMs: number): void {
    const startMs = monthStartMs(nowMs);
    if (startMs === this.#monthStartMs) return;
    this.#monthStartMs = startMs;
    this.#spentMicroUsd = new Map();
  }

  #forget(nowMs: number): void {
    for (const [id, { heardAtMs }] of this.#ushers) {
      if (this.#isFresh(heardAtMs, nowMs)) break;
      this.#ushers.delete(id);
    }
    for (const [resource, { reportedAtMs }] of this.#shares) {
      if (this.#isFresh(reportedAtMs, nowMs)) break;
      this.#shares.delete(resource);
    }
  }

  #isFresh(atMs: number, nowMs: number): boolean {
    return isWithin(atMs, nowMs, this.#leaseMs);
  }
}

/** Of two of the same instant the one that saw more. */
function isNewer(one: Seen, other: Seen): boolean {
  const ageMs = other.asOfMs - one.asOfMs;
  return ageMs < 0 || (ageMs === 0 && one.usedKbps > other.usedKbps);
}
