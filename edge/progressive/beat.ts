// The beat of progressive delivery: how long chunks are gathered before they are written to all viewers at once.

import type { Clock, Timer } from '../../network/clock.ts';
import { inTurns } from '../../network/process/turns.ts';

/**
 * Milliseconds from one write to a viewer to the next; 0 means that every chunk goes out as it comes. A write costs about
 * the same whatever is in it and a stream is some 77 chunks a second, so latency is bought with processor time. Of one
 * core a viewer takes 0.054 % without a beat, 0.024 % at 33 ms and 0.013 % at 100 ms: each step comes at a twentieth to a
 * quarter of a core.
 */
export function beatMsFor(viewers: number): number {
  if (viewers <= 100) return 0;
  return viewers <= 1000 ? 33 : 100;
}

/**
 * Writing to a slot of the viewers at a time spreads the work over the beat. A slot per 20 ms: at 10 ms, the wake-ups cost a
 * tenth of the writes.
 */
export function slotsOf(beatMs: number): number {
  return Math.max(1, Math.round(beatMs / 20));
}

export interface BeatOptions {
  readonly clock: Clock;
  /** Overrides what the number of viewers would make of it. */
  readonly beatMs?: number | undefined;
  /** Writes what has come to the viewers of one slot, and yields between some of them and the next. */
  readonly flush: (slot: number, slots: number) => Iterator<void>;
}

export class Beat {
  readonly #options: BeatOptions;
  #viewers = 0;
  #ms = 0;
  #slot = 0;
  /** When the viewers of the slot are to be written to. */
  #dueMs = 0;
  #timer: Timer | undefined;

  constructor(options: BeatOptions) {
    this.#options = options;
  }

  /** 0 while chunks are to be written as they come. */
  get ms(): number {
    return this.#ms;
  }

  /** Takes the number of viewers. A beat under way is completed first, however fast viewers come and go. */
  adjust(viewers: number): void {
    this.#viewers = viewers;
    if (!this.#timer) this.#restart();
  }

  #wantedMs(): number {
    return this.#viewers === 0 ? 0 : (this.#options.beatMs ?? beatMsFor(this.#viewers));
  }

  #restart(): void {
    this.#timer = undefined;
    this.#ms = this.#wantedMs();
    this.#dueMs = this.#options.clock.monotonic();
    if (this.#ms > 0) this.#await();
  }

  /** When writing took longer than there is time for, the beat becomes longer: what was missed is not made up for. */
  #await(): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    this.#dueMs = Math.max(nowMs, this.#dueMs + this.#ms / slotsOf(this.#ms));
    this.#timer = clock.after(this.#dueMs - nowMs, () => this.#write());
  }

  #write(): void {
    const { clock, flush } = this.#options;
    inTurns(clock, flush(this.#slot, slotsOf(this.#ms)), () => this.#written());
  }

  #written(): void {
    const { clock, flush } = this.#options;
    this.#slot = (this.#slot + 1) % slotsOf(this.#ms);
    if (this.#slot > 0 || this.#wantedMs() === this.#ms) this.#await();
    // Whoever waits for a later slot must not wait for a beat that is no more.
    else inTurns(clock, flush(0, 1), () => this.#restart());
  }
}
