// Decode times of audio, counted in samples, and what to do when RTMP's timestamps say something else. Pure.

/** Jitter of timestamps goes beyond this for a frame or two; only when it stays are they believed. */
const TOLERANCE_MS = 40;
const TOLERATED_STRAYS = 10;
/** This far off is no jitter. */
const GAP_MS = 100;

export class AudioClock {
  readonly #sampleRate: number;
  #next: number;
  #strays = 0;
  /** While false, the next frame that does not overlap what is there goes exactly where its timestamp says. */
  #anchored = false;

  constructor(sampleRate: number, startSamples: number) {
    this.#sampleRate = sampleRate;
    this.#next = startSamples;
  }

  /** Decode time of the next frame: the end of the one before. */
  get next(): number {
    return this.#next;
  }

  /** Counts `samples` and returns where they start. */
  advance(samples: number): number {
    const start = this.#next;
    this.#next += samples;
    return start;
  }

  /** Forgets the agreement with RTMP time: what came between was not the broadcaster's. */
  release(): void {
    this.#anchored = false;
  }

  /** How many samples are missing before a frame that RTMP puts at `stampSamples`; 0 when it follows; undefined when it overlaps. */
  missingBefore(stampSamples: number, samples: number): number | undefined {
    const ahead = Math.round(stampSamples) - this.#next;
    if (this.#anchored && this.#isTolerable(ahead)) return 0;
    this.#strays = 0;
    this.#anchored = ahead >= -samples / 2;
    return this.#anchored ? Math.max(ahead, 0) : undefined;
  }

  #isTolerable(ahead: number): boolean {
    const deviationMs = (Math.abs(ahead) / this.#sampleRate) * 1000;
    this.#strays = deviationMs > TOLERANCE_MS ? this.#strays + 1 : 0;
    return deviationMs < GAP_MS && this.#strays < TOLERATED_STRAYS;
  }
}
