// How many there are of something, and for how long that was so. Pure.

export class Level {
  count = 0;
  most = 0;
  #sum = 0;
  #atMs = 0;

  add(change: number, nowMs: number): void {
    this.#settle(nowMs);
    this.count += change;
    this.most = Math.max(this.most, this.count);
  }

  /** Hours of all of them together, since `forget`. */
  hours(nowMs: number): number {
    this.#settle(nowMs);
    return this.#sum / 3_600_000;
  }

  forget(nowMs: number): void {
    this.#settle(nowMs);
    this.#sum = 0;
    this.most = this.count;
  }

  #settle(nowMs: number): void {
    this.#sum += this.count * (nowMs - this.#atMs);
    this.#atMs = nowMs;
  }
}
