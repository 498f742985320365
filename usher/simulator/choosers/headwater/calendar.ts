// The wall clock of the simulated cluster: what counts begins at midnight (UTC) after the days of this month that were before. Pure.

import type { Scenario } from '../../scenario.ts';

const MONTH_MS = Date.UTC(2026, 5);
const DAY_MS = 86_400_000;

export class Calendar {
  readonly #beginningMs: number;
  readonly #daysBefore: number;

  constructor({ warmupMinutes, daysBefore }: Scenario) {
    this.#daysBefore = daysBefore;
    this.#beginningMs = MONTH_MS + daysBefore * DAY_MS - warmupMinutes * 60_000;
  }

  /** The days before what counts. */
  get before(): { readonly fromMs: number; readonly toMs: number } {
    return { fromMs: MONTH_MS, toMs: MONTH_MS + this.#daysBefore * DAY_MS };
  }

  /** Of a time since the beginning. */
  wallMs(sinceBeginningMs: number): number {
    return this.#beginningMs + sinceBeginningMs;
  }
}
