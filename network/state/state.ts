// The cluster state: what every server says of itself and what usher wants of it. The seam between servers and ushers.

import type { Numbering } from '../feed/numbering.ts';
import type { KnownUsher, LeaseAnswer, UplinkAccount, UsherReport } from './lease.ts';
import type { Hearing } from './liveness.ts';

export type Role = 'origin' | 'edge' | 'transcoder';

/** One encoding of a stream, as a multivariant playlist describes it. */
export interface RenditionRecord {
  readonly name: string;
  /** RFC 6381, comma separated. */
  readonly codecs: string;
  /** Pixels; 0 without video. */
  readonly width: number;
  readonly height: number;
  /** Frames per second; 0 without video. */
  readonly frameRate: number;
  /** Bits per second of the largest segment held, and of all of them. */
  readonly peakBps: number;
  readonly averageBps: number;
  /** GOPs are open: what is decoded after a key frame and shown before it needs the GOP before. Browsers fail where they begin. */
  readonly opensGops?: true;
}

/** A stream as its origin announces it. */
export interface StreamRecord {
  readonly name: string;
  /** Id of its origin, and the term of that claim: a later claim has a higher term. */
  readonly origin: string;
  readonly term: number;
  readonly startedAtMs: number;
  /**
   * False while the stream waits for its broadcaster to come back. The state says so too of a stream whose origin left, or
   * stopped beating: whatever the record said, nothing feeds it now.
   */
  readonly live: boolean;
  readonly epoch: number;
  /** Media sequence number of the newest segment; -1 before the first. */
  readonly lastMsn: number;
  /** What the next origin goes on from, if no server has the feed any more. */
  readonly numbering: Numbering;
  /** The origin's own; in a snapshot also those that workers make of it. */
  readonly renditions: readonly RenditionRecord[];
}

/** A rendition that a server holds the feed of, as origin or by following. */
export interface Holding {
  readonly stream: string;
  readonly rendition: string;
  /** Of this rendition alone. */
  readonly viewers: number;
  /** A CDN pulls it from here. */
  readonly isPulled?: boolean;
  /** Viewers that begin to watch it here, per second, of late. */
  readonly arrivalsPerS: number;
  /** Sequence number that its next chunk will have. */
  readonly next: number;
  /** Id of the server that it comes from now; null: this server is its origin, or has lost its parent. */
  readonly parent: string | null;
}

/** Which process speaks: two that were given one id differ in the instance, which each makes anew when it starts. */
export interface ServerIdentity {
  readonly id: string;
  readonly instance: string;
}

/** That a server is to be emptied. Wall-clock times, ms since the Unix epoch, of whoever said so. */
export interface Drain {
  readonly sinceMs: number;
  /** When broadcasts that are still there are ended; null: never. */
  readonly deadlineMs: number | null;
}

/** A drain as the server that is being emptied says it. */
export interface AnnouncedDrain extends Drain {
  /** Usher wants it; else the server's process was told to end. */
  readonly wished: boolean;
}

/** Sessions that began within this much are announced. */
export const ARRIVED_MS = 2_500;
/** The most of them that a server announces. */
export const MAX_ARRIVED = 2_000;

/** One encoding that is made of a stream's source. */
export interface Rung {
  /** Of the rendition: `720p30`, or `audio`. */
  readonly name: string;
  /** `none`: audio alone. */
  readonly codec: 'h264' | 'hevc' | 'av1' | 'none';
  /** Pixels, both even; 0 for audio alone. */
  readonly width: number;
  readonly height: number;
  /** Frames per second at most; fewer where the source has fewer. */
  readonly maxFrameRate: number;
  readonly videoKbps: number;
}

/** A stream that a worker is to make these encodings of. */
export interface Transcode {
  readonly stream: string;
  readonly rungs: readonly Rung[];
}

/** A transcode as its worker has it. */
export interface TranscodeJob {
  readonly stream: string;
  /** `failed`: it was given up here. `behind`: this server is too slow for it. */
  readonly state: 'starting' | 'running' | 'restarting' | 'behind' | 'failed';
  /** What went wrong last, in words; empty when nothing did. */
  readonly reason: string;
  /** Those that are being made. */
  readonly renditions: readonly RenditionRecord[];
}

/** What a server does as a worker. */
export interface Transcoding {
  /** Jobs that it can keep up with. */
  readonly slots: number;
  readonly codecs: readonly string[];
  readonly jobs: readonly TranscodeJob[];
}

/** The whole of what a server announces with each beat; each replaces the one before. */
export interface ServerRecord extends ServerIdentity {
  readonly roles: readonly Role[];
  /** Datacenter and machine: servers of one host share its network card. */
  readonly site: string;
  readonly host: string;
  /** Where players reach its media; a wildcard address means the host on which they reached usher. */
  readonly mediaUrl: string;
  /** Where other servers follow its feeds. */
  readonly relayUrl: string;
  /** What broadcasters push to, without the stream's name. */
  readonly rtmpUrl: string;
  /** What it may send and its core can bear, and what it sends now. */
  readonly egressMbps: number;
  readonly sentMbps: number;
  /** The share of time, of late, in which its process had something to do: 0 to 1. Encoders are processes of their own. */
  readonly cpuLoad?: number;
  /** What the viewers and children that it has admitted may have it send, by their renditions' average bitrates. */
  readonly committedMbps: number;
  /** How much of that is for viewers, by the uplink that usher placed them on; '' where none was named. */
  readonly uplinks: Readonly<Record<string, number>>;
  /** Ids of the sessions that began here within ARRIVED_MS, at most MAX_ARRIVED: their promises are kept. */
  readonly arrived: readonly string[];
  /** How long a copy took here of late, from being told to its first whole segments; 0 when not known. */
  readonly copyMs: number;
  /** Null: nobody wants it emptied. */
  readonly drain: AnnouncedDrain | null;
  readonly holdings: readonly Holding[];
  /** Of recordings. Absent: nobody watches any here. */
  readonly vodViewers?: number;
  /** Streams that it has a picture of. Absent: of none. */
  readonly thumbnails?: readonly string[];
  /** Absent: it is no worker, or has no ffmpeg. */
  readonly transcoding?: Transcoding;
}

/** A server as the state knows it: alive or not by `isAlive(beatAtMs, snapshot)`. */
export interface KnownServer extends ServerRecord {
  readonly beatAtMs: number;
}

export interface Parent {
  readonly id: string;
  readonly relayUrl: string;
}

/** A rendition that a server is to follow, and its parents in order of preference. */
export interface Follow {
  readonly stream: string;
  readonly rendition: string;
  readonly parents: readonly Parent[];
}

/** The server that the viewers of another move to. */
export interface Successor {
  readonly id: string;
  readonly mediaUrl: string;
}

/** What usher wants of one server. */
export interface Assignment {
  readonly follows: readonly Follow[];
  /** Of a server that is being emptied: where the viewers of each stream go. */
  readonly successors: Readonly<Record<string, Successor>>;
  /** Of a worker. The plan is the lease: what is no longer in it another makes. Absent: nothing. */
  readonly transcodes?: readonly Transcode[];
}

/** What the leader changes in the plan: a new assignment by server id, or null to say nothing more of that server. */
export type PlanChanges = Readonly<Record<string, Assignment | null>>;

/** What the leader writes. */
export interface LeadChanges {
  readonly plan?: PlanChanges;
  /** By `<site>/<uplink>`; null forgets one. */
  readonly accounts?: Readonly<Record<string, UplinkAccount | null>>;
  /** The leader ends: another may lead at once. */
  readonly resigns?: boolean;
}

/**
 * The cluster as plain data at one instant of the state's own clock. As long as it is not `isSettled(snapshot)`, servers may
 * be missing from it, because the state was lost and has not yet heard of all: no time to make a new plan.
 */
export interface Snapshot extends Hearing {
  /** Those of the last FORGET_MS, in order of their ids. */
  readonly servers: readonly KnownServer[];
  /** Those that have not ended, in order of their names. */
  readonly streams: readonly StreamRecord[];
  /** Term of the leader who wrote the plan last, 0 before the first, and the plan by server id. */
  readonly planTerm: number;
  readonly plan: Readonly<Record<string, Assignment>>;
  /** What operators want emptied, by server id. */
  readonly drains: Readonly<Record<string, Drain>>;
  /** Those that are alive, in order of their ids. */
  readonly ushers: readonly KnownUsher[];
  /** By `<site>/<uplink>`. */
  readonly accounts: Readonly<Record<string, UplinkAccount>>;
  /** What was sent to CDNs in this calendar month (UTC, of the state's clock), by the CDN's name. */
  readonly spentMicroUsd: Readonly<Record<string, number>>;
}

/** A stream of a server that another has claimed since. */
export interface LostStream {
  readonly name: string;
  readonly origin: string;
  readonly term: number;
}

export interface BeatAnswer {
  /** What time it was by the state's own clock. */
  readonly nowMs: number;
  /** Undefined when the plan says nothing of this server, as after the state was lost: what it follows goes on. */
  readonly assignment: Assignment | undefined;
  /** What an operator wants of it; undefined: nothing. */
  readonly drain: Drain | undefined;
  readonly lost: readonly LostStream[];
}

export interface Whereabouts {
  readonly stream: StreamRecord;
  /** The living servers that hold it: its origin first, the others in order of their ids. */
  readonly holders: readonly KnownServer[];
}

/** What a stream's last origin announced, whichever server that was. */
export interface PastStream extends StreamRecord {
  /** How long it may have gone on since without being heard: 0 when it had nothing to go on with. */
  readonly unheardMs: number;
  /** The broadcast was over: what comes is another, that only its numbers go on. */
  readonly isOver: boolean;
}

export type Claim =
  /** `before` is undefined when nothing is remembered of a last origin. */
  | { readonly kind: 'claimed'; readonly term: number; readonly before: PastStream | undefined }
  | { readonly kind: 'held'; readonly by: string; readonly term: number };

export type Lead =
  | { readonly kind: 'leading'; readonly term: number }
  /** The usher does not lead: nothing was written, or it was its last word. Without a leader the lead is free for who asks without a term. */
  | { readonly kind: 'following'; readonly leader: string | undefined; readonly term: number };

/**
 * Every verb rejects with `state_unavailable` when the state can't be reached, and with `bad_state` when what is stored makes
 * no sense. Terms, of streams and of the lead, are times of the state's clock or one more than the last, whichever is later:
 * so they grow also past a loss of the whole state, and an old claim never outranks a new one.
 */
export interface ClusterState extends ServerState, UsherState, AsyncDisposable {}

/** What servers say to the state. */
export interface ServerState {
  /**
   * Announces a server and the streams it is origin of: those it announced before and does no longer have ended. A stream
   * that the state does not know, or knows by an older claim, is taken as announced, and so is the drain that usher wished of
   * a server that the state does not know: that is how a lost state fills again.
   * Rejects with `id_taken` while another living process has the server's id; nothing is written then.
   */
  beat(server: ServerRecord, streams: readonly StreamRecord[]): Promise<BeatAnswer>;
  /** Forgets a server that ended in order, and what was wished of it. Its streams stay, not live, for another server to claim. */
  leave(server: ServerIdentity): Promise<void>;
  /** Where a stream is, or undefined when it is not known or has ended. */
  find(stream: string): Promise<Whereabouts | undefined>;
  /**
   * Makes a server the origin of a stream if nobody living is, or if it is itself (under a new term), or by takeover. The
   * claim holds as long as beats announce the stream. Rejects with `id_taken` as `beat` does.
   */
  claim(stream: string, server: ServerIdentity, options: { readonly takeover: boolean }): Promise<Claim>;
  /**
   * Calls back when a beat of the server would be told something new: its plan, its drain, a stream that another has taken; or,
   * with the id of an usher that leads, when another wakes it. A call may get lost, as while the state can't be reached: then the
   * next beat, or turn, is told.
   */
  watch(id: string, onChange: () => void): Disposable;
}

/** What ushers say to the state. */
export interface UsherState {
  /**
   * Takes the lead among ushers (without a term) or keeps it (with the term it was given), a lease of LEASE_MS, and writes the
   * changes under it. A deposed leader's changes are refused. `usherId` is made anew by each process.
   */
  lead(usherId: string, term: number | undefined, changes: LeadChanges): Promise<Lead>;
  /**
   * An usher's beat: it says what it sees, and is lent what no other living usher holds. What it was lent it holds until it
   * asks again, and for LEASE_MS at most. Rejects with `bad_report`, naming the value, when the report is too large or has a
   * number that makes no sense. A `Lessee` says all this for an usher.
   */
  lease(report: UsherReport): Promise<LeaseAnswer>;
  /**
   * What an operator wants of a server: that it is emptied, or (null) no more. It stands until the server leaves or is
   * forgotten. Rejects with `unknown_server`.
   */
  drain(serverId: string, drain: Drain | null): Promise<void>;
  /** Says to whoever leads, if it watches, that its next turn is not to be waited for. */
  wake(): Promise<void>;
  snapshot(): Promise<Snapshot>;
}
