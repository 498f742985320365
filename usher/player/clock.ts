// The browser's door to time and chance: `network/clock.ts` is Node's.

import type { Clock } from '../../network/clock.ts';

/** Its wall clock is the one of the page's beginning and never steps while the page is open. */
export const browserClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs);
    return { cancel: () => clearInterval(timer) };
  },
};

/** A number in [0, 1), as `Math.random`. */
export type Chance = () => number;

export const browserChance: Chance = () => Math.random();
