// Values with weights: their mean and percentiles, in steps of one. Pure.

/** Of whole numbers; larger ones than `most` count as that. */
export class Weights {
  readonly #weights: Float64Array;
  #sum = 0;
  #total = 0;

  constructor(most: number) {
    this.#weights = new Float64Array(most + 1);
  }

  add(value: number, weight: number): void {
    this.#sum += value * weight;
    this.#total += weight;
    const step = Math.min(this.#weights.length - 1, Math.round(value));
    this.#weights[step]! += weight;
  }

  get mean(): number {
    return this.#total > 0 ? this.#sum / this.#total : 0;
  }

  percentile(percent: number): number {
    let rest = (this.#total * percent) / 100;
    for (let step = 0; step < this.#weights.length; step++) {
      rest -= this.#weights[step]!;
      if (rest <= 0) return step;
    }
    return this.#weights.length - 1;
  }
}
