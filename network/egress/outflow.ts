// What a server sends at this moment, and whose turn it is to be sent what can wait: a bucket of bytes that its egress fills.

import type { Clock, Timer } from '../clock.ts';

export interface OutflowOptions {
  readonly egressMbps: number;
  readonly clock: Clock;
}

/** Resolves when so many bytes may be sent; undefined: now. */
export type Turn = (bytes: number) => Promise<void> | undefined;

interface Waiting {
  readonly bytes: number;
  readonly untilMs: number;
  readonly go: () => void;
}

/** The rest is what HTTP, TCP and IP put around the bytes. */
const USED = 0.92;
/** So much may go out at once. What is counted as sent beyond it is made up for, up to DEBT_MS of it. */
const DEPTH_MS = 50;
const DEBT_MS = 1_000;
/** Whoever was let in and has waited for so long goes on: its commitment says that there is room on the whole. */
const MOST_WAIT_MS = 2_000;

/**
 * What plays is sent at once and counted. What somebody needs to begin, which is more than what plays takes, is sent as the rest
 * of the egress allows: else a crowd would take more than the server has in the second in which it comes.
 */
export class Outflow {
  readonly #clock: Clock;
  readonly #bytesPerMs: number;
  /** In order of their coming; each response waits once at a time, so connections bound it. */
  readonly #waiting: Waiting[] = [];
  #levelBytes: number;
  #atMs: number;
  #timer: Timer | undefined;

  constructor({ egressMbps, clock }: OutflowOptions) {
    this.#clock = clock;
    this.#bytesPerMs = (egressMbps * USED * 1000) / 8;
    this.#levelBytes = this.#bytesPerMs * DEPTH_MS;
    this.#atMs = clock.monotonic();
  }

  /** Responses whose turn has not come. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Counts what is sent without a turn. */
  spend(bytes: number): void {
    this.#fill();
    this.#take(bytes);
  }

  /** For one response, whose pieces wait no longer than MOST_WAIT_MS in all. */
  begin(): Turn {
    const untilMs = this.#clock.monotonic() + MOST_WAIT_MS;
    return (bytes) => this.#turn(bytes, untilMs);
  }

  /** Waits for the turn of what is counted as it is written. */
  async until(bytes: number): Promise<void> {
    const wait = this.begin()(bytes);
    if (wait) await wait;
    this.#take(-bytes);
  }

  #turn(bytes: number, untilMs: number): Promise<void> | undefined {
    const nowMs = this.#fill();
    if (nowMs >= untilMs || (this.#waiting.length === 0 && this.#levelBytes > 0)) {
      this.#take(bytes);
      return undefined;
    }
    return new Promise((go) => {
      this.#waiting.push({ bytes, untilMs, go });
      this.#wait(nowMs);
    });
  }

  #fill(): number {
    const nowMs = this.#clock.monotonic();
    if (nowMs > this.#atMs) {
      const filled = this.#levelBytes + (nowMs - this.#atMs) * this.#bytesPerMs;
      this.#levelBytes = Math.min(filled, this.#bytesPerMs * DEPTH_MS);
      this.#atMs = nowMs;
    }
    return nowMs;
  }

  #take(bytes: number): void {
    this.#levelBytes = Math.max(this.#levelBytes - bytes, -this.#bytesPerMs * DEBT_MS);
  }

  #wait(nowMs: number): void {
    const [first] = this.#waiting;
    if (!first || this.#timer) return;
    const filledMs = -this.#levelBytes / this.#bytesPerMs;
    const delayMs = Math.max(1, Math.min(Math.ceil(filledMs) + 1, first.untilMs - nowMs));
    this.#timer = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#serve();
    });
  }

  #serve(): void {
    const nowMs = this.#fill();
    let served = 0;
    for (const { bytes, untilMs, go } of this.#waiting) {
      if (this.#levelBytes <= 0 && nowMs < untilMs) break;
      this.#take(bytes);
      served += 1;
      go();
    }
    this.#waiting.splice(0, served);
    this.#wait(nowMs);
  }
}
