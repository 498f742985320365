// Time for simulations: it passes as fast as what falls due in it can be run, and always in the same order.

import type { Clock, Timer } from '../../../network/clock.ts';

interface Due {
  readonly atMs: number;
  /** Of what falls due at one time, the first that was asked for runs first. */
  readonly order: number;
  readonly run: () => void;
  isCancelled: boolean;
}

export class SimulatedClock implements Clock {
  #nowMs = 1_800_000_000_000;
  #order = 0;
  /** A binary heap, the next one due at its root. */
  readonly #heap: Due[] = [];

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const due: Due = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      order: this.#order++,
      run,
      isCancelled: false,
    };
    this.#push(due);
    return {
      cancel: () => {
        due.isCancelled = true;
      },
    };
  }

  every(periodMs: number, run: () => void): Timer {
    let timer: Timer;
    let isCancelled = false;
    const next = (): void => {
      timer = this.after(periodMs, () => {
        run();
        if (!isCancelled) next();
      });
    };
    next();
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  /** Lets time pass. Promises that are kept in it go on between two events. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    while (this.#heap.length > 0 && this.#heap[0]!.atMs <= untilMs) {
      const due = this.#pop();
      if (due.isCancelled) continue;
      this.#nowMs = due.atMs;
      due.run();
      await undefined;
    }
    this.#nowMs = untilMs;
  }

  #push(due: Due): void {
    let index = this.#heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (isBefore(this.#heap[parent]!, due)) break;
      this.#heap[index] = this.#heap[parent]!;
      index = parent;
    }
    this.#heap[index] = due;
  }

  #pop(): Due {
    const [root] = this.#heap as [Due];
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    return root;
  }

  #sink(due: Due): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.#heap.length) break;
      const right = this.#heap[child + 1];
      if (right && isBefore(right, this.#heap[child]!)) child++;
      if (isBefore(due, this.#heap[child]!)) break;
      this.#heap[index] = this.#heap[child]!;
      index = child;
    }
    this.#heap[index] = due;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
