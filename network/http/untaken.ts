// Answers that their peers have not taken whole yet, how much room they have, and the least rate at which they are to be taken: who drips one in would have this server keep it for ever.

import type { Clock, Timer } from '../clock.ts';

export interface Answer {
  /** Bytes that were written. */
  readonly bodyBytes: number;
  /** As Node's. */
  readonly response: {
    /** Of what was written, what the peer has not taken; less by each write that it has taken whole. */
    readonly writableLength: number;
    /** Null as long as another answer on the connection stands before this one. */
    readonly socket: unknown;
  };
}

export interface UntakenOptions<Of extends Answer> {
  readonly clock: Clock;
  readonly limits: TakingLimits;
  readonly onLate: (answer: Of) => void;
}

export interface TakingLimits {
  /** Of answers that were made for one request each, and lie in memory until they are taken: for all together. */
  readonly untakenBytes: number;
  /** How long a peer may take nothing of an answer that there is. */
  readonly stalledMs: number;
  /** At which a peer takes an answer on average, beyond that time. */
  readonly leastBytesPerS: number;
}

interface Course {
  readonly bodyBytes: number;
  /** When what it was sent is to be taken. */
  readonly dueMs: number;
}

const LOOKS = 4;

/** What is taken as it is written is never looked at. */
export class Untaken<Of extends Answer> implements Disposable {
  readonly #options: UntakenOptions<Of>;
  readonly #courses = new Map<Of, Course | undefined>();
  /** In the order in which they came. */
  readonly #held = new Map<Of, number>();
  #heldBytes = 0;
  readonly #looks: Timer;

  constructor(options: UntakenOptions<Of>) {
    this.#options = options;
    this.#looks = options.clock.every(options.limits.stalledMs / LOOKS, () => this.#look());
  }

  /** Until it is forgotten; to be called when there is something of it that was not taken at once. */
  watch(answer: Of): void {
    if (!this.#courses.has(answer)) this.#courses.set(answer, undefined);
  }

  /** As `watch`, for one of which nobody else has the bytes: those who have left theirs here for longest make room for it. */
  hold(answer: Of, bytes: number): void {
    const { limits, onLate } = this.#options;
    this.watch(answer);
    this.#held.set(answer, bytes);
    this.#heldBytes += bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#heldBytes <= limits.untakenBytes || oldest === answer) return;
      this.forget(oldest);
      onLate(oldest);
    }
  }

  forget(answer: Of): void {
    this.#courses.delete(answer);
    this.#heldBytes -= this.#held.get(answer) ?? 0;
    this.#held.delete(answer);
  }

  [Symbol.dispose](): void {
    this.#looks.cancel();
  }

  #look(): void {
    const { clock, limits, onLate } = this.#options;
    const nowMs = clock.monotonic();
    for (const [answer, before] of this.#courses) {
      const course = follow(answer, before, nowMs, limits);
      this.#courses.set(answer, course);
      if (nowMs < course.dueMs) continue;
      this.forget(answer);
      onLate(answer);
    }
  }
}

/** What is written because something was taken gives time, but nobody has more of it than what lies here is worth. */
function follow(
  { bodyBytes, response }: Answer,
  before: Course | undefined,
  nowMs: number,
  { stalledMs, leastBytesPerS }: TakingLimits,
): Course {
  const worthMs = (bytes: number): number => (bytes / leastBytesPerS) * 1000;
  const { writableLength, socket } = response;
  const latestMs = nowMs + stalledMs + worthMs(writableLength);
  if (!before || writableLength === 0 || socket === null) return { bodyBytes, dueMs: latestMs };
  return { bodyBytes, dueMs: Math.min(before.dueMs + worthMs(bodyBytes - before.bodyBytes), latestMs) };
}
