// Counts the times at which the picture stood still: those that the player admits, and those that only the frames tell. Pure.

/** A frame as the browser reports it when it is put on the screen. */
export interface Frame {
  readonly mediaTimeS: number;
  /** When it is on the screen, in the time of the monotonic clock. */
  readonly displayedAtMs: number;
  /** Frames put on the screen so far. It tells a late report from a late frame. */
  readonly presentedFrames: number;
}

/** The clock may run on while no frame is shown (a decoder that waits for a key frame): a gap so long is a freeze. */
const FREEZE_MS = 250;
/** A source with few frames a second is not frozen between them. */
const FREEZE_FRAMES = 4;
/** The weight of the newest interval in the average. */
const NEWEST = 0.1;

export class Stalls {
  #count = 0;
  #totalMs = 0;
  #waitingSinceMs: number | undefined;
  #last: Frame | undefined;
  #intervalMs: number | undefined;

  get count(): number {
    return this.#count;
  }

  /** Time stood still so far, with the stall that is going on. */
  totalMs(nowMs: number): number {
    return this.#totalMs + (this.#waitingSinceMs === undefined ? 0 : nowMs - this.#waitingSinceMs);
  }

  get isWaiting(): boolean {
    return this.#waitingSinceMs !== undefined;
  }

  /** The player says that it has nothing to play. Before the first frame that is loading, and no stall. */
  waiting(nowMs: number): void {
    if (!this.#last || this.isWaiting) return;
    this.#count++;
    this.#waitingSinceMs = nowMs;
  }

  /** The player says that it plays (again). */
  playing(nowMs: number): void {
    if (this.#waitingSinceMs === undefined) return;
    this.#totalMs += nowMs - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
    this.#last = this.#last && { ...this.#last, displayedAtMs: nowMs };
  }

  frame(frame: Frame): void {
    const last = this.#last;
    this.#last = frame;
    const shown = last ? frame.presentedFrames - last.presentedFrames : 0;
    if (!last || shown < 1) return;
    const gapMs = frame.displayedAtMs - last.displayedAtMs;
    const usualMs = this.#intervalMs ?? gapMs / shown;
    if (shown === 1 && !this.isWaiting && gapMs > Math.max(FREEZE_MS, FREEZE_FRAMES * usualMs)) {
      this.#count++;
      this.#totalMs += gapMs - usualMs;
      return;
    }
    this.#intervalMs = usualMs + NEWEST * (gapMs / shown - usualMs);
  }

  /** The picture stops for a reason that is nobody's fault: pause, a hidden tab, another mode. */
  interrupted(nowMs: number): void {
    this.playing(nowMs);
    this.#last = undefined;
  }
}
