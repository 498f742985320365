// Who is alive: a pure rule over times of one clock, the cluster state's own, that every reader of a snapshot applies alike.

/** Time between two beats of a server. */
export const BEAT_MS = 1_000;
/** A server that has missed this many is dead. */
export const MISSED_BEATS = 3;
/** When nobody at all said a word for this many, it was the state that could not be reached. */
export const PAUSE_BEATS = 2;
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

/** The state's time, and since when it hears. Nobody can miss a beat while the state itself could not be reached. */
export interface Hearing {
  readonly nowMs: number;
  /** Since when it was never without a word from anybody for PAUSE_BEATS. */
  readonly sinceMs: number;
  /** When it heard the last word before that; 0 of a state that began anew then. */
  readonly pausedAtMs: number;
}

/**
 * Whether whoever beat at `beatAtMs` is alive: it missed fewer than three beats, or had missed fewer when the state fell silent
 * and had no time yet to say so again. So nobody is taken for dead because Redis was away, or its clock was set.
 */
export function isAlive(beatAtMs: number, hearing: Hearing, limits: Limits = LIMITS): boolean {
  const isHeard = isWithin(beatAtMs, hearing.nowMs, silenceMs(limits));
  return (
    isHeard || (!isSettled(hearing, limits) && isWithin(beatAtMs, hearing.pausedAtMs, silenceMs(limits)))
  );
}

/** Whether every living server had the time to beat since the state hears: before that it may not know of all of them. */
export function isSettled({ sinceMs, nowMs }: Hearing, limits: Limits = LIMITS): boolean {
  return !isWithin(sinceMs, nowMs, silenceMs(limits));
}

/** What a state keeps of when it heard the last word of a server or of an usher who leads or would. */
export interface LastHeard {
  readonly heardAtMs: number;
  readonly sinceMs: number;
  readonly pausedAtMs: number;
}

/** How it hears at `nowMs`; undefined: it never heard a word. */
export function hearingAt(nowMs: number, last: LastHeard | undefined, limits: Limits = LIMITS): Hearing {
  if (!last) return { nowMs, sinceMs: nowMs, pausedAtMs: 0 };
  const { heardAtMs, sinceMs, pausedAtMs } = last;
  if (!isWithin(heardAtMs, nowMs, pauseMs(limits))) return { nowMs, sinceMs: nowMs, pausedAtMs: heardAtMs };
  return { nowMs, sinceMs, pausedAtMs };
}

/** How long a server may be silent before it is dead. */
export function silenceMs(limits: Limits): number {
  return limits.beatMs * limits.missedBeats;
}

/** How long nobody may say a word before the state was away. */
export function pauseMs(limits: Limits): number {
  return limits.beatMs * PAUSE_BEATS;
}

/**
 * Whether two times are less than `withinMs` apart. The state's clock is a wall clock: when it is set back by an hour, a time
 * that is an hour ahead must not count as recent for that hour.
 */
export function isWithin(atMs: number, nowMs: number, withinMs: number): boolean {
  return Math.abs(nowMs - atMs) < withinMs;
}
