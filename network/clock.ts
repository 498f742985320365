// The door to time: wall clock, monotonic clock and timers. Everything else is passed one of these.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall clock, ms since the Unix epoch. It may be set back; use it only for what people and other machines read. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary beginning. */
  monotonic(): number;
  /** Runs once, after at least `delayMs`. A pending timer keeps no process alive. */
  after(delayMs: number, run: () => void): Timer;
  /** Runs again and again until cancelled. */
  every(periodMs: number, run: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs).unref();
    return { cancel: () => clearInterval(timer) };
  },
};

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
