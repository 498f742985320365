// A clock that stands still until a test moves it.

import type { Clock, Timer } from '../../../network/clock.ts';

interface Pending {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  /** By how much the wall clock was set, besides. */
  #stepMs = 0;
  readonly #timers = new Set<Pending>();

  constructor(nowMs = 1_800_000_000_000) {
    this.#nowMs = nowMs;
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#nowMs + this.#stepMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  /** What is due at once needs no time to pass: it is run in the next turn of the event loop, if no `advance` does it before. */
  after(delayMs: number, run: () => void): Timer {
    const pending = { dueMs: this.#nowMs + delayMs, periodMs: undefined, run };
    if (delayMs === 0) setImmediate(() => this.#timers.delete(pending) && run());
    return this.#add(pending);
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, run });
  }

  /** Lets time pass, and runs what falls due in it in order; what is run may take time in the same way. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let due = this.#nextDue(untilMs); due; due = this.#nextDue(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, due.dueMs);
      if (due.periodMs === undefined) this.#timers.delete(due);
      else due.dueMs += due.periodMs;
      due.run();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Sets the wall clock, as an operator does; no timer falls due by it. */
  set(nowMs: number): void {
    this.#stepMs = nowMs - this.#nowMs;
  }

  #add(pending: Pending): Timer {
    this.#timers.add(pending);
    return { cancel: () => this.#timers.delete(pending) };
  }

  #nextDue(untilMs: number): Pending | undefined {
    const due = [...this.#timers].filter(({ dueMs }) => dueMs <= untilMs);
    return due.sort((one, other) => one.dueMs - other.dueMs)[0];
  }
}
