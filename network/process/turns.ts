// Much work in short turns of the event loop: what comes from outside meanwhile, as a frame that other servers wait for, comes between.

import type { Clock } from '../clock.ts';

/** What comes meanwhile waits for so long: some hundred writes. */
export const TURN_MS = 2;
/** Answers to requests: a millisecond or two. */
export const TASKS_IN_A_TURN = 40;

/** Does a work up to its end, each value that it yields a place where it may rest, and then calls back. */
export function inTurns(clock: Clock, work: Iterator<void>, onDone: () => void): void {
  const untilMs = clock.monotonic() + TURN_MS;
  do {
    if (work.next().done) {
      onDone();
      return;
    }
  } while (clock.monotonic() < untilMs);
  clock.after(0, () => inTurns(clock, work, onDone));
}

/** For tasks that may come by thousands at once: so many are done in a turn, and the others in the next ones, in their order. */
export class Turns {
  readonly #clock: Clock;
  /** Bounded by those whose tasks they are. */
  #waiting: (() => void)[] = [];
  /** Since it was last called back. */
  #done = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does it now, if its turn is. A task throws nothing. */
  take(task: () => void): void {
    if (this.#done === TASKS_IN_A_TURN || this.#waiting.length > 0) {
      this.#waiting.push(task);
      return;
    }
    // Where a turn has ended is asked only when there are many: to be called back costs as much as a short task.
    if (++this.#done === TASKS_IN_A_TURN) this.#clock.after(0, () => this.#turn());
    task();
  }

  #turn(): void {
    const tasks = this.#waiting.splice(0, TASKS_IN_A_TURN);
    this.#done = tasks.length;
    if (tasks.length > 0) this.#clock.after(0, () => this.#turn());
    for (const task of tasks) task();
  }
}
