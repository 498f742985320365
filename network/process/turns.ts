// Much work in short turns of the event loop: what comes from outside meanwhile, as a frame that other servers wait for, comes between.

import type { Clock } from '../clock.ts';

/** What comes meanwhile waits for so long: some hundred writes. */
export const TURN_MS = 2;
/** Answers to requests: a millisecond. */
export const TASKS_IN_A_TURN = 20;

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

/**
 * For tasks that may come by thousands at once: so many are done in a turn, and the others in the next ones, in the order in which
 * they came. Those of somebody who has several have half of each turn at most, in which each such has one after the other.
 */
export class Turns {
  readonly #clock: Clock;
  /** Bounded by those whose tasks they are. */
  readonly #waiting: Task[] = [];
  /** By whose they are. */
  readonly #several = new Map<unknown, Task[]>();
  /** Since it was last called back. */
  #done = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Does it now, if its turn is; `whose` is somebody who has others. A task throws nothing. */
  take(task: Task, whose?: unknown): void {
    if (this.#done === TASKS_IN_A_TURN || this.#waiting.length > 0 || this.#several.size > 0) {
      this.#wait(task, whose);
      return;
    }
    // Where a turn has ended is asked only when there are many: to be called back costs as much as a short task.
    if (++this.#done === TASKS_IN_A_TURN) this.#clock.after(0, () => this.#turn());
    task();
  }

  #wait(task: Task, whose: unknown): void {
    if (whose === undefined) this.#waiting.push(task);
    else if (this.#several.has(whose)) this.#several.get(whose)!.push(task);
    else this.#several.set(whose, [task]);
  }

  #turn(): void {
    const tasks = this.#next();
    this.#done = tasks.length;
    if (tasks.length > 0) this.#clock.after(0, () => this.#turn());
    for (const task of tasks) task();
  }

  #next(): Task[] {
    const half = TASKS_IN_A_TURN / 2;
    const tasks = this.#waiting.splice(0, this.#several.size > 0 ? half : TASKS_IN_A_TURN);
    for (const [whose, own] of this.#several) {
      if (tasks.length === TASKS_IN_A_TURN) return tasks;
      tasks.push(own.shift()!);
      this.#several.delete(whose);
      // Behind all others, where this loop comes to it again.
      if (own.length > 0) this.#several.set(whose, own);
    }
    return tasks.concat(this.#waiting.splice(0, TASKS_IN_A_TURN - tasks.length));
  }
}

type Task = () => void;
