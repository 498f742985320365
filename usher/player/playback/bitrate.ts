// Bits per second of what has come lately.

import type { Clock } from '../../../network/clock.ts';

const WINDOW_MS = 5000;
/** Less than this is too little to tell a rate from. */
const MIN_MS = 1000;
const SLOT_MS = 250;

export class Bitrate {
  readonly #clock: Clock;
  /** Bytes by slots of time, oldest first: WINDOW_MS / SLOT_MS of them at most. */
  readonly #slots: { readonly atMs: number; bytes: number }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(bytes: number): void {
    const nowMs = this.#clock.monotonic();
    const last = this.#slots.at(-1);
    if (last && nowMs - last.atMs < SLOT_MS) last.bytes += bytes;
    else this.#slots.push({ atMs: nowMs, bytes });
    while (nowMs - this.#slots[0]!.atMs > WINDOW_MS) this.#slots.shift();
  }

  /** The newest slot is not full yet and left out. */
  get kbps(): number | undefined {
    const spanMs = (this.#slots.at(-1)?.atMs ?? 0) - (this.#slots[0]?.atMs ?? 0);
    if (spanMs < MIN_MS) return undefined;
    const bytes = this.#slots.slice(0, -1).reduce((sum, slot) => sum + slot.bytes, 0);
    return Math.round((bytes * 8) / spanMs);
  }
}
