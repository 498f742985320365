// How fast viewers come to a copy, as a server counts it: what was two seconds ago weighs 1/e. Pure.

const MEMORY_MS = 2_000;

export class Speed {
  #perS = 0;
  #atMs = 0;

  count(nowMs: number): void {
    this.#perS = this.perS(nowMs) + 1_000 / MEMORY_MS;
    this.#atMs = nowMs;
  }

  perS(nowMs: number): number {
    return this.#perS * Math.exp((this.#atMs - nowMs) / MEMORY_MS);
  }
}
