// Measures what a viewer sees: latency, stalls, frames. Belongs to one <video> for as long as the page is open.

import type { Clock } from '../../../network/clock.ts';
import type { Playback } from '../playback/playback.ts';
import { watchFrames } from './frames.ts';
import { Percentiles } from './percentiles.ts';
import type { ServerClock } from './server-clock.ts';
import { type Frame, Stalls } from './stalls.ts';

export const LATENCY_WINDOW_MS = 30_000;
const NOW_MS = 1000;

export class Meter {
  readonly stalls = new Stalls();
  readonly #video: HTMLVideoElement;
  readonly #clock: Clock;
  readonly #server: ServerClock;
  readonly #latency = new Percentiles(LATENCY_WINDOW_MS);
  readonly #stop = new AbortController();
  #playback: Playback | undefined;
  #framesShown = 0;
  #firstFrameAtMs: number | undefined;

  constructor(video: HTMLVideoElement, clock: Clock, server: ServerClock) {
    this.#video = video;
    this.#clock = clock;
    this.#server = server;
    const { signal } = this.#stop;
    const interrupt = (): void => this.stalls.interrupted(clock.monotonic());
    video.addEventListener('waiting', () => this.stalls.waiting(clock.monotonic()), { signal });
    video.addEventListener('playing', () => this.stalls.playing(clock.monotonic()), { signal });
    video.ownerDocument.addEventListener('visibilitychange', interrupt, { signal });
    signal.addEventListener(
      'abort',
      watchFrames(video, clock, (frame) => this.#see(frame)),
    );
  }

  /** Frames shown by the playback that runs now. */
  get framesShown(): number {
    return this.#framesShown;
  }

  /** When the first frame of all was shown, by the clock. */
  get firstFrameAtMs(): number | undefined {
    return this.#firstFrameAtMs;
  }

  get latencyMs(): number | undefined {
    return this.#latency.at(0.5, this.#clock.monotonic(), NOW_MS);
  }

  get latencyP95Ms(): number | undefined {
    return this.#latency.at(0.95, this.#clock.monotonic());
  }

  /** Measures another playback from here on, or none. */
  follow(playback: Playback | undefined): void {
    this.#playback = playback;
    this.#framesShown = 0;
    this.#latency.clear();
    this.stalls.interrupted(this.#clock.monotonic());
  }

  close(): void {
    this.#stop.abort();
  }

  #see(frame: Frame): void {
    if (!this.#playback || this.#video.ownerDocument.hidden) return;
    this.#framesShown++;
    this.#firstFrameAtMs ??= frame.displayedAtMs;
    this.stalls.frame(frame);
    const arrivedAtMs = this.#playback.arrivedAtMs(frame.mediaTimeS);
    const shownAtMs = this.#server.at(frame.displayedAtMs);
    if (arrivedAtMs === undefined || shownAtMs === undefined) return;
    this.#latency.add(frame.displayedAtMs, shownAtMs - arrivedAtMs);
  }
}
