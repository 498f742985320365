// The figures of the last while, and where most of them lie. Pure.

interface Figure {
  readonly atMs: number;
  readonly value: number;
}

/** 60 figures a second over 30 s, and some more. */
const MAX_FIGURES = 2048;

export class Percentiles {
  readonly #windowMs: number;
  readonly #figures: Figure[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(nowMs: number, value: number): void {
    this.#figures.push({ atMs: nowMs, value });
    this.#drop(nowMs);
  }

  /** The value below which `share` (0 to 1) of the figures of the last `withinMs` lie, or undefined without any. */
  at(share: number, nowMs: number, withinMs = this.#windowMs): number | undefined {
    this.#drop(nowMs);
    const recent = this.#figures.filter((figure) => figure.atMs >= nowMs - withinMs);
    const values = recent.map((figure) => figure.value).sort((one, other) => one - other);
    return values[Math.min(Math.floor(share * values.length), values.length - 1)];
  }

  clear(): void {
    this.#figures.length = 0;
  }

  #drop(nowMs: number): void {
    let old = Math.max(0, this.#figures.length - MAX_FIGURES);
    while (old < this.#figures.length && this.#figures[old]!.atMs < nowMs - this.#windowMs) old++;
    this.#figures.splice(0, old);
  }
}
