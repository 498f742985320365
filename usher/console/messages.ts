// What the operators' console hears of the cluster: plain values as they travel, for usher and for the browser alike.

/** By name or id. Keys are names of places (`network/names.ts`) or streams; a pair of sites is `<site>/<site>`, sorted. */
export type Table<Row> = Readonly<Record<string, Row>>;

/** All that the overview shows. Mbps have three significant digits. What is not known, or not the case, is absent. */
export interface Cluster {
  /** By the clock of the cluster state, as are all times. */
  readonly nowMs: number;
  readonly totals: Totals;
  readonly lead: Lead;
  readonly sites: Table<SiteFigures>;
  /** Every link that the topology lists, and every pair of sites that a copy goes between. */
  readonly links: Table<LinkFigures>;
  readonly cdns: Table<CdnFigures>;
  readonly servers: Table<ServerFigures>;
  readonly streams: Table<StreamFigures>;
}

export interface Totals {
  readonly viewers: number;
  readonly cdnViewers: number;
  readonly arrivalsPerS: number;
  /** Viewers for whom this usher had no room in the last minute. */
  readonly turnedAway: number;
  /** Those that are alive. */
  readonly servers: number;
  readonly deadServers: number;
  readonly drainingServers: number;
  readonly streams: number;
  readonly sentMbps: number;
  readonly egressMbps: number;
  readonly cost: Cost;
  /** What this calendar month (UTC) has cost so far. */
  readonly month: MonthCost;
}

/** Micro-dollars per hour, as things are now. Transit billed by a percentile counts with the level that is billed so far. */
export interface Cost {
  readonly transitMicroUsd: number;
  readonly linksMicroUsd: number;
  readonly cdnMicroUsd: number;
}

export interface MonthCost {
  readonly transitMicroUsd: number;
  readonly cdnMicroUsd: number;
}

/** Who leads the cluster. */
export interface Lead {
  /** Id of an usher, as far as this one has heard; `isHere`: it is this one. */
  readonly leader?: string;
  readonly isHere: boolean;
  readonly planTerm: number;
  readonly ushers: number;
}

export interface SiteFigures {
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** Degrees; a site that the topology gives no place has none. */
  readonly latitude?: number;
  readonly longitude?: number;
  readonly servers: number;
  readonly viewers: number;
  readonly sentMbps: number;
  readonly egressMbps: number;
  readonly uplinks: Table<UplinkFigures>;
}

export interface UplinkFigures {
  readonly kind: 'peering' | 'transit';
  readonly usedMbps: number;
  /** Absent: no limit is known. */
  readonly capacityMbps?: number;
  /** Of transit: what this month has cost so far. */
  readonly monthMicroUsd?: number;
}

export interface LinkFigures {
  /** From the first site to the second, and back. */
  readonly thereMbps: number;
  readonly backMbps: number;
  /** Of each direction. Absent: no limit is known. */
  readonly capacityMbps?: number;
  readonly microUsdPerGb?: number;
  readonly rttMs?: number;
}

export interface CdnFigures {
  /** Those whom this usher has steered there. */
  readonly viewers: number;
  /** Micro-dollars per hour in the last minute, and in this month so far, by all ushers. */
  readonly microUsdPerHour: number;
  readonly monthMicroUsd: number;
  readonly capMicroUsd: number;
}

export interface ServerFigures {
  readonly site: string;
  readonly host: string;
  readonly roles: readonly string[];
  /** Dead: it has missed its beats; it is shown until it is forgotten. */
  readonly isDead?: true;
  readonly egressMbps: number;
  readonly sentMbps: number;
  /** What its viewers and children may have it send. */
  readonly committedMbps: number;
  readonly viewers: number;
  /** Streams that it holds. */
  readonly copies: number;
  readonly drain?: DrainFigures;
  /** Of a worker: jobs that it has, and that it can keep up with. */
  readonly jobs?: number;
  readonly slots?: number;
}

export interface DrainFigures {
  readonly sinceMs: number;
  /** When broadcasts that are still there are ended; absent: never. */
  readonly deadlineMs?: number;
  /** False: its process was told to end, and usher was not asked. */
  readonly isWished: boolean;
  /** What is left on it. */
  readonly viewers: number;
  readonly children: number;
  readonly broadcasts: number;
}

export interface StreamFigures {
  /** False while it waits for its broadcaster. */
  readonly isLive: boolean;
  /** Id of a server. */
  readonly origin: string;
  readonly startedAtMs: number;
  /** On servers, and by CDNs as far as this usher has steered them there. */
  readonly viewers: number;
  readonly cdnViewers?: number;
  readonly arrivalsPerS: number;
  /** Of its source. */
  readonly kbps: number;
  /** What its viewers are sent. */
  readonly sentMbps: number;
  /** Servers that hold it. */
  readonly copies: number;
  /** Names, the source first. */
  readonly renditions: readonly string[];
}

/** One stream, with its trees. */
export interface StreamDetail extends StreamFigures {
  readonly name: string;
  readonly cost: Cost;
  readonly ladder: Table<RenditionFigures>;
  /** Viewers by CDN. */
  readonly cdns: Table<number>;
  readonly jobs: Table<JobFigures>;
}

export interface RenditionFigures {
  /** RFC 6381, comma separated. */
  readonly codecs: string;
  /** Pixels and frames per second; 0 without video. */
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  readonly kbps: number;
  readonly viewers: number;
  /** Every server that holds it or is to hold it, by id. */
  readonly tree: Table<TreeServer>;
}

/** A server in the tree of a rendition. */
export interface TreeServer {
  readonly site: string;
  /** `root`: its feed is written here. `coming`: the plan wants it here and it is not yet. `going`: it holds it outside the plan. */
  readonly state: 'root' | 'held' | 'coming' | 'going' | 'dead';
  /** Where it comes from now, or is to come from; absent at the root and where nothing is known. */
  readonly parent?: string;
  /** Who is next when that one fails. */
  readonly nextParent?: string;
  readonly viewers: number;
  readonly arrivalsPerS: number;
  /** Chunks that it is behind the root; absent when it is up to date by a second. */
  readonly behind?: number;
}

/** A transcoding job, by the id of its server. */
export interface JobFigures {
  readonly state: string;
  /** What went wrong last. */
  readonly reason?: string;
  readonly renditions: readonly string[];
}

/**
 * What changed in a message, as a JSON Merge Patch (RFC 7396): what is null is there no more. `applyPatch` in `patch.ts` gives
 * the message after it. Streams whose figures changed a little may be told of some seconds late.
 */
export type Patch<Message> = {
  readonly [Key in keyof Message]?: Message[Key] extends object
    ? Patch<Message[Key]> | Message[Key] | null
    : Message[Key] | null;
};

/**
 * What `GET /api/console/live?stream=<name>&...` sends as server-sent events. The event's name is the key, its data the value as JSON:
 * `cluster` first, and again whenever the listener fell behind; `change` at most once a second; `stream` and `stream-change`
 * for the streams that were asked for; `events` with those since the last. A stream that is not known is `null`.
 */
export interface LiveMessages {
  readonly cluster: Cluster;
  readonly change: Patch<Cluster>;
  readonly stream: { readonly name: string; readonly stream: StreamDetail | null };
  readonly 'stream-change': { readonly name: string; readonly patch: Patch<StreamDetail> };
  readonly events: readonly ClusterEvent[];
}

/** Something that happened, newest last in lists. Ids grow; they are this usher's own. */
export interface ClusterEvent {
  readonly id: number;
  readonly atMs: number;
  readonly happening: Happening;
}

export type Happening =
  | { readonly kind: 'server-joined'; readonly server: string; readonly site: string }
  /** `left`: in order. `silent`: it missed its beats. */
  | {
      readonly kind: 'server-gone';
      readonly server: string;
      readonly site: string;
      readonly how: 'left' | 'silent';
    }
  | { readonly kind: 'server-back'; readonly server: string; readonly site: string }
  | {
      readonly kind: 'drain-ordered';
      readonly server: string;
      readonly deadlineMs?: number;
      readonly isWished: boolean;
    }
  | { readonly kind: 'drain-emptied'; readonly server: string }
  | { readonly kind: 'drain-ended'; readonly server: string }
  /** The broadcast goes on at another server. */
  | {
      readonly kind: 'origin-changed';
      readonly stream: string;
      readonly from: string;
      readonly to: string;
    }
  /** Copies that came from a server that died or left come from others now. */
  | {
      readonly kind: 'parents-changed';
      readonly server: string;
      readonly copies: number;
      readonly streams: readonly string[];
    }
  | { readonly kind: 'overflow-began'; readonly cdn: string; readonly streams: readonly string[] }
  | { readonly kind: 'overflow-ended'; readonly cdn: string }
  | { readonly kind: 'job-moved'; readonly stream: string; readonly from: string; readonly to: string }
  | {
      readonly kind: 'job-failed';
      readonly stream: string;
      readonly server: string;
      readonly reason: string;
    }
  | { readonly kind: 'leader-changed'; readonly leader?: string; readonly planTerm: number }
  | { readonly kind: 'cap-reached'; readonly cdn: string; readonly capMicroUsd: number }
  | { readonly kind: 'recording-gap'; readonly stream: string; readonly recording: string }
  /** There was more than is kept of one moment. */
  | { readonly kind: 'more'; readonly count: number };

/** `GET /api/console/events`. */
export interface EventList {
  readonly events: readonly ClusterEvent[];
}

/**
 * `GET /api/console/history/(streams|servers|sites)/<id>`, and `/api/console/history` of the whole: curves of the last hour, each
 * with a value for every step that ended at `endMs` or before. Null: nothing was seen then.
 */
export interface Curves {
  readonly stepMs: number;
  readonly endMs: number;
  readonly viewers: readonly (number | null)[];
  readonly sentMbps: readonly (number | null)[];
  /** Micro-dollars per hour. */
  readonly transitMicroUsd: readonly (number | null)[];
  readonly linksMicroUsd: readonly (number | null)[];
  readonly cdnMicroUsd: readonly (number | null)[];
  /** Stalled part of the time that players report on, 0 to 1; null: none reported. */
  readonly stallRatio: readonly (number | null)[];
}

/** `GET /api/console/streams/<name>`: what a page of a stream shows beside what it hears. */
export interface StreamAnswer {
  readonly stream: StreamDetail;
  /** A picture of it. */
  readonly thumbnail?: string;
  /** To play it with, as `?token=`, where viewers need one. */
  readonly playToken?: string;
}

/** `GET /api/console/servers/<id>`. */
export interface ServerAnswer {
  readonly id: string;
  readonly server: ServerFigures;
  readonly mediaUrl: string;
  /** Those with the most viewers first, and how many there are: at most so many are listed. */
  readonly streams: readonly HeldStream[];
  readonly streamCount: number;
  readonly jobs: readonly (JobFigures & { readonly stream: string })[];
}

/** A stream on a server. */
export interface HeldStream {
  readonly stream: string;
  readonly viewers: number;
  readonly arrivalsPerS: number;
  readonly sentMbps: number;
  readonly isOrigin: boolean;
  /** Whom it takes the source from. */
  readonly parent?: string;
  readonly renditions: readonly string[];
}

/** `GET /api/console/sites/<name>`. */
export interface SiteAnswer {
  readonly name: string;
  readonly site: SiteFigures;
  readonly cost: Cost;
  readonly month: MonthCost;
  /** Ids. */
  readonly servers: readonly string[];
  /** Links by the other site. */
  readonly links: Table<LinkFigures>;
  readonly streams: readonly HeldStream[];
  readonly streamCount: number;
}

/** `GET /api/console/spend`: this calendar month (UTC). */
export interface Spend {
  readonly monthStartMs: number;
  readonly cdns: Table<CdnFigures>;
  /** By `<site>/<uplink>`, transit alone. */
  readonly transit: Table<TransitSpend>;
}

export interface TransitSpend {
  readonly monthMicroUsd: number;
  readonly gigabytes: number;
  /** Billed by a percentile: the level that is billed if the month goes on as it was, and what is paid in any case. */
  readonly billedMbps?: number;
  readonly commitMbps?: number;
  readonly usedMbps: number;
}

/** `GET /api/console/me`: who is signed in. */
export interface Me {
  readonly name: string;
  readonly expiresAtMs: number;
}
