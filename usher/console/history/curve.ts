// The last hour of one subject: a ring of figures, one of each kind for every step. Pure.

import type { Cost, Curves } from '../messages.ts';

export const STEP_MS = 10_000;
export const STEPS = 360;

/** What is kept of one step. */
export interface Point {
  readonly viewers: number;
  readonly sentMbps: number;
  readonly cost: Cost;
  /** 0 to 1; undefined: no player reported. */
  readonly stallRatio: number | undefined;
}

const FIGURES = [
  'viewers',
  'sentMbps',
  'transitMicroUsd',
  'linksMicroUsd',
  'cdnMicroUsd',
  'stallRatio',
] as const;

export class Curve {
  /** By step modulo STEPS, all figures of one kind side by side; NaN: not seen. */
  readonly #figures = new Float32Array(STEPS * FIGURES.length).fill(Number.NaN);
  /** Of the newest point. */
  #step = Number.NEGATIVE_INFINITY;

  get step(): number {
    return this.#step;
  }

  /** Steps grow by one every STEP_MS, the same for all curves. Those in between were not seen. */
  add(step: number, { viewers, sentMbps, cost, stallRatio = Number.NaN }: Point): void {
    const skipped = Math.min(STEPS, step - this.#step);
    for (let at = step - skipped + 1; at < step; at++) this.#put(at, undefined);
    this.#step = step;
    this.#put(step, [
      viewers,
      sentMbps,
      cost.transitMicroUsd,
      cost.linksMicroUsd,
      cost.cdnMicroUsd,
      stallRatio,
    ]);
  }

  /** The hour up to `step`, from the first step that was seen in it. */
  read(step: number, endMs: number): Curves {
    const first = step - STEPS + 1;
    const series = FIGURES.map((_, kind) =>
      Array.from({ length: STEPS }, (_, at) => this.#get(kind, first + at)),
    );
    const seen = series[0]!.findIndex((value) => value !== null);
    const values = series.map((one) => one.slice(seen === -1 ? STEPS : seen));
    const named = Object.fromEntries(FIGURES.map((name, kind) => [name, values[kind]!]));
    return { stepMs: STEP_MS, endMs, ...(named as unknown as Pick<Curves, (typeof FIGURES)[number]>) };
  }

  #get(kind: number, step: number): number | null {
    if (step > this.#step || step <= this.#step - STEPS) return null;
    const value = this.#figures[kind * STEPS + placeOf(step)]!;
    return Number.isNaN(value) ? null : Number(value.toPrecision(4));
  }

  #put(step: number, values: readonly number[] | undefined): void {
    for (const kind of FIGURES.keys())
      this.#figures[kind * STEPS + placeOf(step)] = values?.[kind] ?? Number.NaN;
  }
}

function placeOf(step: number): number {
  return ((step % STEPS) + STEPS) % STEPS;
}
