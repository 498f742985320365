// How many players ask in a second.

const SECOND_MS = 1_000;

export class Polls {
  #second = 0;
  #count = 0;
  #perS = 0;

  /** Counts one, by a monotonic clock, and says how many there were in the second before this. */
  count(nowMs: number): number {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) {
      this.#perS = second === this.#second + 1 ? this.#count : 0;
      this.#second = second;
      this.#count = 0;
    }
    this.#count += 1;
    return this.#perS;
  }
}
