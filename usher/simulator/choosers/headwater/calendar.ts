// The wall clock of the simulated cluster: a scenario begins at midnight (UTC) in the middle of a month. Pure.

const MIDNIGHT_MS = Date.UTC(2026, 5, 10);

/** Of a time since the beginning. */
export function wallMs(sinceBeginningMs: number): number {
  return MIDNIGHT_MS + sinceBeginningMs;
}
