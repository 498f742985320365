// What an usher says of itself, and what it is lent: slices of what servers, hosts, uplinks and links may still carry.

/** By stream and by the site that would serve them best: viewers who ask an usher for it, per second. */
export type Demand = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** What an usher wants of one resource. */
export interface Want {
  /** What the resource may carry, and what it carries by the snapshot of the report. */
  readonly limitMbps: number;
  readonly usedMbps: number;
  /** What the usher may have handed out by its last grant or has, beyond what it saw used: kept for it when the state was lost. */
  readonly heldMbps: number;
  /** What it would have, all in all, beyond what it saw used. */
  readonly wantMbps: number;
}

/** An usher's beat. Resources are called `server/<id>`, `host/<site>/<host>`, `uplink/<site>/<name>`, `link/<site>/<site>` with the sites sorted. */
export interface UsherReport {
  /** Made anew by each process. */
  readonly id: string;
  /** Grows with each report: one that comes late is not taken for a newer. */
  readonly sequence: number;
  /** `nowMs` of the snapshot in which it saw what is used: the newest that any usher has seen counts. */
  readonly asOfMs: number;
  readonly wants: Readonly<Record<string, Want>>;
  readonly demand: Demand;
  /** What it has sent to CDNs since its last report that was answered, by the CDN's name. */
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
  /** Mbps by resource. */
  readonly granted: Readonly<Record<string, number>>;
  readonly month: MonthSpend;
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
