// How much media one session may fetch: what a player plays, with enough beyond it to begin, to go back and to change renditions.

/** Media that a session may fetch at once: its window several times over. */
const BURST_MS = 180_000;
/** In the long run: a player of parts fetches them, and the segments that they make, in two renditions while it changes. */
const TIMES_PLAYED = 4;

/** A token that is handed on to others feeds as many as this, however many they are; the rest are viewers that nobody counted. */
export class Allowance {
  #leftMs = BURST_MS;
  #atMs: number;

  /** By the monotonic clock, as all its times. */
  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** False when it is used up for now: then nothing is taken of it. */
  take(mediaMs: number, nowMs: number): boolean {
    this.#leftMs = Math.min(BURST_MS, this.#leftMs + (nowMs - this.#atMs) * TIMES_PLAYED);
    this.#atMs = nowMs;
    if (this.#leftMs < mediaMs) return false;
    this.#leftMs -= mediaMs;
    return true;
  }
}
