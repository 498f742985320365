// Long work in short turns of the event loop: what comes from outside meanwhile, as a frame that other servers wait for, comes between.

import type { Clock } from '../../network/clock.ts';

/** What comes meanwhile waits for so long: some hundred writes. */
export const TURN_MS = 2;

/** Does a work up to its end, each value that it yields a place where it may rest, and then calls back. */
export function inTurns(clock: Clock, work: Iterator<void>, onDone: () => void): void {
  const untilMs = clock.monotonic() + TURN_MS;
  do {
    if (work.next().done) {
      onDone();
      return;
    }
  } while (clock.monotonic() < untilMs);
  clock.after(0, () => inTurns(clock, work, onDone));
}
