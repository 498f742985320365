// Simulated time: what is to happen, in the order in which it happens. The door to tinyqueue.

import TinyQueue from 'tinyqueue';

interface Event {
  readonly atMs: number;
  /** Events of one moment happen in the order in which they were made. */
  readonly order: number;
  readonly happen: () => void;
}

export class Events {
  readonly #queue = new TinyQueue<Event>(
    [],
    (one, other) => one.atMs - other.atMs || one.order - other.order,
  );
  #made = 0;
  #nowMs = 0;

  /** Since the beginning, ms. */
  get nowMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, happen: () => void): void {
    this.#queue.push({ atMs: Math.max(atMs, this.#nowMs), order: this.#made++, happen });
  }

  after(delayMs: number, happen: () => void): void {
    this.at(this.#nowMs + delayMs, happen);
  }

  /** The first time after `firstMs`. */
  every(periodMs: number, happen: () => void, firstMs = periodMs): void {
    this.after(firstMs, () => {
      this.every(periodMs, happen);
      happen();
    });
  }

  /** Lets everything happen that happens before then. */
  runUntil(endMs: number): void {
    for (let event = this.#queue.peek(); event && event.atMs < endMs; event = this.#queue.peek()) {
      this.#queue.pop();
      this.#nowMs = event.atMs;
      event.happen();
    }
    this.#nowMs = endMs;
  }
}
