// What one run came to, as plain data.

import type { MeterKind } from '../world/meter.ts';

export interface Result {
  readonly policy: string;
  readonly viewers: {
    readonly arrived: number;
    readonly ownHours: number;
    readonly cdnHours: number;
    readonly refusedHours: number;
    readonly refused: number;
    readonly refusedWithRoom: number;
    readonly onCdnWithRoom: number;
    /** Answers 503 of servers that guard their limit. */
    readonly turnedAway: number;
    /** From the join to the first whole segments, beyond what a server needs that has them. */
    readonly meanStartMs: number;
    readonly p95StartMs: number;
    /** Of all that was to be watched, what was refused, or lost where there was too much to send. */
    readonly unservedPercent: number;
    readonly movesPerViewer: number;
    readonly interruptedByDrains: number;
    readonly interruptedByFailures: number;
  };
  readonly over: {
    /** Seconds over 100 %, of all servers, hosts, uplinks and links together, by kind too. */
    readonly seconds: number;
    readonly secondsBy: Readonly<Record<MeterKind, number>>;
    readonly worstPercent: number;
    readonly worstAt: string;
    /** Viewer-hours of what should have been sent, and could not: that of an hour without a picture is one. */
    readonly lostHours: number;
  };
  /** Micro-dollars. */
  readonly cost: {
    readonly transit: number;
    readonly links: number;
    readonly cdn: number;
    readonly total: number;
    /** Of those that were served: what was lost does not count. */
    readonly perViewerHour: number;
    /** What the cheapest CDN would take to send what was not served; undefined: there is none. */
    readonly unserved: number | undefined;
    /** With that, and of all that was to be watched: what can be compared between those who serve all and those who don't. */
    readonly perHourOfAll: number | undefined;
  };
  /** Of viewers of the own network, weighted by how long they watched. */
  readonly distance: {
    readonly meanKm: number;
    readonly p95Km: number;
    readonly meanRttMs: number;
    readonly p95RttMs: number;
  };
  readonly copies: {
    /** Beside those of origins. */
    readonly hours: number;
    readonly most: number;
    /** Servers that have a stream, over the fewest that could carry it, on average; */
    readonly overFewest: number;
    /** and over the fewest that could if its viewers were to be served at the same sites. */
    readonly overFewestAtSites: number;
    readonly betweenSitesGb: number;
  };
  /** By flash crowd. */
  readonly enoughCopiesAfterS: readonly number[];
  readonly curves: Curves;
  readonly trees: readonly Tree[];
}

/** All of the same length, but for `trees`. */
export interface Curves {
  readonly seconds: number[];
  readonly ownViewers: number[];
  readonly cdnViewers: number[];
  /** Since the beginning. */
  readonly refused: number[];
  /** Percent, of the fullest. */
  readonly worstServer: number[];
  readonly worstUplink: number[];
  readonly worstLink: number[];
  readonly copies: number[];
  /** Micro-dollars since the beginning. */
  readonly cost: number[];
}

/** The stream that is watched most, at one moment. */
export interface Tree {
  readonly second: number;
  readonly stream: string;
  /** Parents come before their children. */
  readonly copies: readonly TreeCopy[];
}

export interface TreeCopy {
  readonly server: string;
  /** Its place in the list; -1 of an origin's, and of one that waits for a parent. */
  readonly parent: number;
  readonly viewers: number;
  readonly isReady: boolean;
  readonly percent: number;
}
