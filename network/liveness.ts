// Who is alive: a pure rule over times of one clock, the cluster state's own, that every reader of a snapshot applies alike.

/** Time between two beats of a server. */
export const BEAT_MS = 1_000;
/** A server that has missed this many is dead. */
export const MISSED_BEATS = 3;
/** An usher leads for this long without saying so again: with a look each second another takes over within 5 s. */
export const LEASE_MS = 3_000;
/** What nobody has spoken of for this long is forgotten: dead servers with what was wanted of them, streams that ended. */
export const FORGET_MS = 300_000;

export interface Limits {
  readonly beatMs: number;
  readonly missedBeats: number;
  readonly leaseMs: number;
  readonly forgetMs: number;
}

export const LIMITS: Limits = {
  beatMs: BEAT_MS,
  missedBeats: MISSED_BEATS,
  leaseMs: LEASE_MS,
  forgetMs: FORGET_MS,
};

/** Whether whoever beat at `beatAtMs` is alive at `nowMs`, both of the state's clock. */
export function isAlive(beatAtMs: number, nowMs: number, limits: Limits = LIMITS): boolean {
  return isWithin(beatAtMs, nowMs, silenceMs(limits));
}

/** How long a server may be silent before it is dead. */
export function silenceMs(limits: Limits): number {
  return limits.beatMs * limits.missedBeats;
}

/**
 * Whether two times are less than `withinMs` apart. The state's clock is a wall clock: when it is set back by an hour, a time
 * that is an hour ahead must not count as recent for that hour. The next beat says when the server was really last heard of.
 */
export function isWithin(atMs: number, nowMs: number, withinMs: number): boolean {
  return Math.abs(nowMs - atMs) < withinMs;
}
