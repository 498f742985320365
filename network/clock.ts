// The door to time: wall clock, monotonic clock and timers. Everything else is passed one of these.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, ms since the Unix epoch. It may be set back; use it only for what people and other machines read. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary beginning. */
  monotonic(): number;
  /**
   * Runs once, after at least `delayMs`; with 0, in the next turn of the event loop, behind what has come from outside
   * meanwhile. A pending timer keeps no process alive.
   */
  after(delayMs: number, run: () => void): Timer;
  /** Runs again and again until cancelled. */
  every(periodMs: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    if (delayMs === 0) return nextTurn(run);
    const timer = setTimeout(run, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs).unref();
    return { cancel: () => clearInterval(timer) };
  },
};

/** A timer would wait for a millisecond at least, whatever there is to do. */
function nextTurn(run: () => void): Timer {
  const immediate = setImmediate(run);
  return { cancel: () => clearImmediate(immediate) };
}

/** Keeps the process alive until it is cancelled, whatever it waits for. */
export function keepAlive(): Timer {
  const timer = setInterval(() => {}, LONGEST_DELAY_MS);
  return { cancel: () => clearInterval(timer) };
}

/** What fits into 31 bits. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Resolves after `delayMs`. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}
