// What an uplink has cost this month so far, and what one more Mbps on it costs now. Pure.

import type { Billing, Transit } from '../../../network/map/topology.ts';
import type { UplinkAccount } from '../../../network/state/lease.ts';

type Percentile = Extract<Billing, { readonly kind: 'percentile' }>;

/** What is averaged for a percentile. */
export const INTERVAL_MS = 300_000;
/** 1 Mbps for an hour. */
export const GB_PER_MBPS_HOUR = 0.45;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Days are alike: a level that one hour raises is of use in about this part of the hours to come. */
const PEAK_SHARE = 1 / 4;
/** Part of the intervals that are not billed which is kept for what nobody foresaw: the others are used on purpose. */
const BURST_RESERVE = 0.2;
/** Before a day was seen nobody knows which intervals are the peaks. */
const KNOWN_INTERVALS = DAY_MS / INTERVAL_MS;

/** The account after `mbps` were sent from `fromMs` to `toMs`, times of day in UTC. A new month begins a new account. */
export function addTraffic(
  account: UplinkAccount | undefined,
  traffic: { readonly fromMs: number; readonly toMs: number; readonly mbps: number },
  billing: Billing,
): UplinkAccount {
  let after = account ?? newAccount(traffic.fromMs);
  for (let fromMs = traffic.fromMs; fromMs < traffic.toMs; ) {
    if (monthOf(fromMs) !== after.monthStartMs) after = newAccount(fromMs);
    const intervalStartMs = intervalOf(fromMs);
    if (intervalStartMs !== after.intervalStartMs) after = nextInterval(after, intervalStartMs, billing);
    const untilMs = Math.min(traffic.toMs, intervalStartMs + INTERVAL_MS);
    const mbit = (traffic.mbps * (untilMs - fromMs)) / 1000;
    after = {
      ...after,
      intervalMbitSum: after.intervalMbitSum + mbit,
      gigabytes: after.gigabytes + mbit / 8000,
    };
    fromMs = untilMs;
  }
  return after;
}

/** The level that would be billed if the rest of the month were like what was seen of it. */
export function billedMbps(
  account: UplinkAccount | undefined,
  { percentile, commitMbps }: Percentile,
): number {
  const seen = account?.intervals ?? 0;
  const unbilled = Math.floor((seen * (100 - percentile)) / 100);
  return Math.max(commitMbps, account?.top[unbilled] ?? 0);
}

/** What the month costs if it ended now. */
export function billMicroUsd(account: UplinkAccount | undefined, billing: Billing): number {
  return billing.kind === 'volume'
    ? (account?.gigabytes ?? 0) * billing.microUsdPerGb
    : billedMbps(account, billing) * billing.microUsdPerMbpsMonth;
}

/** What more traffic costs now: nothing below the free level, nothing above it while the interval will not be billed, else the price. */
export interface Tariff {
  readonly freeMbps: number;
  /** Whether an interval that is above the free level already may go on above it: it is one of those that are not billed. */
  readonly isBurstFree: boolean;
  readonly microUsdPerMbpsHour: number;
}

/** A peering port has no price. */
export const FREE: Tariff = { freeMbps: 0, isBurstFree: false, microUsdPerMbpsHour: 0 };

export function tariffOf({ billing }: Transit, account: UplinkAccount | undefined, nowMs: number): Tariff {
  if (billing.kind === 'volume')
    return { ...FREE, microUsdPerMbpsHour: billing.microUsdPerGb * GB_PER_MBPS_HOUR };
  const current = account && account.monthStartMs === monthOf(nowMs) ? account : undefined;
  const endMs = monthAfter(nowMs);
  const hoursLeft = Math.max(1, ((endMs - nowMs) / HOUR_MS) * PEAK_SHARE);
  return {
    freeMbps: billedMbps(current, billing),
    isBurstFree: current !== undefined && hasBurstsLeft(current, billing, endMs),
    microUsdPerMbpsHour: billing.microUsdPerMbpsMonth / hoursLeft,
  };
}

/** For an hour, on an uplink that carries `nowMbps`. */
export function microUsdPerHour(tariff: Tariff, nowMbps: number, mbps: number): number {
  if (tariff.isBurstFree && nowMbps > tariff.freeMbps) return 0;
  const paidMbps = Math.min(mbps, Math.max(0, nowMbps + mbps - tariff.freeMbps));
  return paidMbps * tariff.microUsdPerMbpsHour;
}

function hasBurstsLeft(account: UplinkAccount, billing: Percentile, endMs: number): boolean {
  if (account.intervals < KNOWN_INTERVALS) return false;
  const level = billedMbps(account, billing);
  const used = account.top.findIndex((mbps) => mbps <= level);
  const unbilled = unbilledIntervals(account.monthStartMs, endMs, billing);
  return (used === -1 ? account.top.length : used) < unbilled * (1 - BURST_RESERVE);
}

function unbilledIntervals(monthStartMs: number, endMs: number, { percentile }: Percentile): number {
  return Math.floor(((endMs - monthStartMs) / INTERVAL_MS) * ((100 - percentile) / 100));
}

function newAccount(atMs: number): UplinkAccount {
  return {
    monthStartMs: monthOf(atMs),
    intervals: 0,
    intervalStartMs: intervalOf(atMs),
    intervalMbitSum: 0,
    top: [],
    gigabytes: 0,
  };
}

/** Intervals in which nobody counted (no usher led) are no intervals: they would make the level lower than it is. */
function nextInterval(account: UplinkAccount, intervalStartMs: number, billing: Billing): UplinkAccount {
  const mbps = account.intervalMbitSum / (INTERVAL_MS / 1000);
  return {
    ...account,
    intervals: account.intervals + 1,
    intervalStartMs,
    intervalMbitSum: 0,
    top: billing.kind === 'volume' ? [] : withInterval(account, mbps, billing),
  };
}

/** Descending. One more is kept than a month leaves unbilled: the highest of those that are billed. */
function withInterval({ top, monthStartMs }: UplinkAccount, mbps: number, billing: Percentile): number[] {
  const most = unbilledIntervals(monthStartMs, monthAfter(monthStartMs), billing) + 1;
  const at = top.findIndex((other) => other < mbps);
  const after = at === -1 ? [...top, mbps] : top.toSpliced(at, 0, mbps);
  return after.slice(0, most);
}

function intervalOf(atMs: number): number {
  return atMs - (atMs % INTERVAL_MS);
}

function monthOf(atMs: number): number {
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function monthAfter(atMs: number): number {
  const date = new Date(atMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
}
