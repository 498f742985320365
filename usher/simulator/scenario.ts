// A scenario: the network, the streams, the viewers and what goes wrong, as a file says it.

import type { Position } from '../../network/map/position.ts';
import type { Topology } from '../../network/map/topology.ts';

export interface Scenario {
  readonly name: string;
  /** What it shows, for people. */
  readonly about: string;
  /** What is measured, after a warm-up that is not. */
  readonly minutes: number;
  readonly warmupMinutes: number;
  readonly topology: Topology;
  /** This month, so many days were as the warm-up's end is. */
  readonly daysBefore: number;
  readonly servers: readonly ServersOfSite[];
  readonly streams: StreamsAsked;
  readonly audiences: readonly Audience[];
  readonly arrivals: readonly ArrivalsAsked[];
  readonly events: readonly Happening[];
  readonly times: Times;
}

/** As many equal servers, named `<site>-<number>` from 1 on, so many of them on each host. */
export interface ServersOfSite {
  readonly site: string;
  readonly count: number;
  readonly egressMbps: number;
  readonly perHost: number;
}

/** Streams are named by their rank: `stream-0001` is watched most. */
export interface StreamsAsked {
  readonly count: number;
  /** The stream of rank n draws viewers with weight n^-zipf. */
  readonly zipf: number;
  /** Drawn by share. */
  readonly bitrates: readonly { readonly mbps: number; readonly share: number }[];
  /** This share of a stream's viewers is of its broadcaster's audience, the rest of all. */
  readonly homeShare: number;
}

/** Where viewers are, and in whose networks. */
export interface Audience {
  readonly name: string;
  readonly country: string;
  readonly position: Position;
  readonly share: number;
  readonly networks: readonly { readonly asn: number; readonly share: number }[];
}

/** All who come; `minutes` is for how long a viewer watches on average. Minutes and seconds count from the warm-up's end. */
export type ArrivalsAsked = Steady | Day | Crowd | Trace;

/** So many at any time. */
export interface Steady {
  readonly kind: 'steady';
  readonly viewers: number;
  readonly minutes: number;
}

/** As many on average over 24 hours, most at the peak's hour. */
export interface Day {
  readonly kind: 'day';
  readonly meanViewers: number;
  readonly peakViewers: number;
  readonly peakHour: number;
  readonly minutes: number;
}

/** From one viewer to all of them: each is told by those who are there (`logistic`), or they come evenly (`even`). */
export interface Crowd {
  readonly kind: 'crowd';
  /** Rank of its stream. */
  readonly stream: number;
  readonly atS: number;
  readonly riseS: number;
  readonly viewers: number;
  readonly shape: 'logistic' | 'even';
  readonly minutes: number;
}

export interface Trace {
  readonly kind: 'trace';
  readonly rows: readonly TraceRow[];
}

export interface TraceRow {
  readonly second: number;
  /** Rank of its stream. */
  readonly stream: number;
  readonly audience: string;
  readonly minutes: number;
}

/** What goes wrong, or is done on purpose. Seconds count from the warm-up's end. */
export type Happening =
  | {
      readonly kind: 'server fails';
      readonly server: string;
      readonly atS: number;
      readonly forS: number;
    }
  | { readonly kind: 'site fails'; readonly site: string; readonly atS: number; readonly forS: number }
  | {
      readonly kind: 'link fails';
      readonly sites: readonly [string, string];
      readonly atS: number;
      readonly forS: number;
    }
  | {
      readonly kind: 'drain';
      readonly server: string;
      readonly atS: number;
      readonly deadlineS: number;
      readonly downS: number;
    }
  /** Every server is drained, so many at a time, in order of their numbers; the next ones when the time for these is over. */
  | {
      readonly kind: 'rolling restart';
      readonly atS: number;
      readonly atOnce: number;
      readonly deadlineS: number;
      readonly downS: number;
    };

/** How long things take in the simulated world. */
export interface Times {
  /** From the answer to a viewer until the server has the session. */
  readonly joinMs: number;
  /** From a server's first request of a stream to its first whole segments, drawn evenly between the two. */
  readonly copyMs: readonly [least: number, most: number];
  /** A broadcaster whose origin is gone is back at another server after it. */
  readonly reconnectMs: number;
}
