// What an usher says of itself, and what it is lent: slices of what servers, hosts, uplinks and links may still carry. Pure.

import { CodedError } from '../errors.ts';
import { quoted } from '../names.ts';

/** By stream and by the site that would serve them best: viewers who ask an usher for it, per second. */
export type Demand = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What an usher wants of one resource. All that it hands out counts until it sees it in `usedMbps`. */
export interface Want {
  /** What the resource may carry, and what it carries by the snapshot of the report. */
  readonly limitMbps: number;
  readonly usedMbps: number;
  /** What it goes by until it is answered: what it was granted last, and no less than what it has handed out. */
  readonly heldMbps: number;
  /** What it would have from now on. If that is less than it held, it already goes by that as it asks. */
  readonly wantMbps: number;
}

/** An usher's beat. */
export interface UsherReport {
  /** Made anew by each process. */
  readonly id: string;
  /** Grows with each report: one that comes late is not taken for a newer. */
  readonly sequence: number;
  /** `nowMs` of the snapshot in which it saw what is used: the newest that any usher has seen counts. */
  readonly asOfMs: number;
  /** By resource: `server/<id>`, `host/<site>/<host>`, `uplink/<site>/<name>`, `link/<site>/<site>` with the sites sorted. */
  readonly wants: Readonly<Record<string, Want>>;
  readonly demand: Demand;
  /** What it has sent to CDNs since its last report that was answered, by the CDN's name. Whole micro-dollars. */
  readonly spentMicroUsd: Readonly<Record<string, number>>;
  /** What the last answer said, so that a state that was lost knows it again. */
  readonly month: MonthSpend | undefined;
}

/** What all ushers together have sent to CDNs in a calendar month (UTC, of the state's clock), by the CDN's name. */
export interface MonthSpend {
  readonly startMs: number;
  readonly spentMicroUsd: Readonly<Record<string, number>>;
}

export interface LeaseAnswer {
  /** Mbps by resource; nothing of a report that came late. */
  readonly granted: Readonly<Record<string, number>>;
  readonly month: MonthSpend;
  /** For so long nobody gets more than it held: others may hold what a state that was lost does not know of. 0: all have said so. */
  readonly unsettledMs: number;
}

/** An usher that was heard within LEASE_MS. */
export interface KnownUsher {
  readonly id: string;
  readonly heardAtMs: number;
  readonly demand: Demand;
}

/** What a transit uplink has carried in a calendar month, as it will be billed. Kept by who leads. */
export interface UplinkAccount {
  readonly monthStartMs: number;
  /** Finished intervals of five minutes. */
  readonly intervals: number;
  /** The interval that is running: since when, and Mbit carried in it. */
  readonly intervalStartMs: number;
  readonly intervalMbitSum: number;
  /** Mbps of the highest finished intervals, descending: as many as the percentile leaves out of a month, and one. */
  readonly top: readonly number[];
  readonly gigabytes: number;
}

/** The most that one report may name: every resource of a cluster of some thousand servers, and the streams most asked for. */
export const MAX_WANTS = 5_000;
export const MAX_DEMAND = 500;
export const MAX_DEMAND_SITES = 256;
export const MAX_CDNS = 64;
const NAME = /^[^\s\p{Cc}]{1,200}$/u;

/** Throws `bad_report`. */
export function checkReport({
  id,
  sequence,
  asOfMs,
  wants,
  demand,
  spentMicroUsd,
  month,
}: UsherReport): void {
  checkSize('id', { [id]: id }, 1);
  checkNumbers('report', { sequence, asOfMs });
  checkSize('wants', wants, MAX_WANTS);
  checkSize('demand', demand, MAX_DEMAND);
  for (const [resource, want] of Object.entries(wants)) checkNumbers(`wants of ${resource}`, want);
  for (const [stream, sites] of Object.entries(demand)) {
    checkSize(`demand of ${stream}`, sites, MAX_DEMAND_SITES);
    checkNumbers(`demand of ${stream}`, sites);
  }
  for (const spent of [spentMicroUsd, month?.spentMicroUsd ?? {}]) {
    checkSize('spentMicroUsd', spent, MAX_CDNS);
    checkNumbers('spentMicroUsd', spent);
  }
}

function checkSize(what: string, fields: object, most: number): void {
  const names = Object.keys(fields);
  if (names.length > most) throw badReport(`${what}: ${names.length} of at most ${most}`);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) throw badReport(`${what}: ${quoted(wrong)} is no name`);
}

function checkNumbers(what: string, fields: object): void {
  for (const [name, value] of Object.entries(fields))
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER / 1000))
      throw badReport(`${what}: ${name} is ${quoted(value)}, which is no amount`);
}

function badReport(words: string): CodedError {
  return new CodedError('bad_report', `an usher's report makes no sense: ${words}`);
}

/** A want in kbps: what is lent is counted in whole numbers, the same in every implementation. */
export interface WantKbps {
  readonly limit: number;
  readonly used: number;
  readonly held: number;
  readonly want: number;
}

export function inKbps({ limitMbps, usedMbps, heldMbps, wantMbps }: Want): WantKbps {
  const [limit, used, held, want] = [limitMbps, usedMbps, heldMbps, wantMbps].map((mbps) =>
    Math.round(mbps * 1000),
  ) as [number, number, number, number];
  return { limit, used, held, want };
}

/**
 * What an usher is granted of a resource of which others hold `othersKbps`, and what is kept for it: it goes by what it held
 * until it hears the answer, which may get lost. As long as others may hold what this state does not know of, because it was
 * lost, nobody gets more than it held.
 */
export function slice(
  { limit, used, held, want }: WantKbps,
  { othersKbps, unsettledMs }: { readonly othersKbps: number; readonly unsettledMs: number },
): { readonly grantedKbps: number; readonly keptKbps: number } {
  const most = unsettledMs === 0 ? want : Math.min(want, held);
  const grantedKbps = Math.max(0, Math.min(most, limit - used - othersKbps));
  return { grantedKbps, keptKbps: Math.max(grantedKbps, Math.min(want, held)) };
}

/** First instant of a time's calendar month, UTC. */
export function monthStartMs(nowMs: number): number {
  const date = new Date(nowMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}
