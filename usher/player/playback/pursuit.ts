// The loop that keeps a <video> near the live edge with a chaser: rate, underflows and jumps.

import type { Clock } from '../../../network/clock.ts';
import { Chaser, type ChaserOptions } from './chaser.ts';
import { aheadMs } from './media-buffer.ts';

export interface PursuitOptions extends ChaserOptions {
  readonly video: HTMLVideoElement;
  readonly clock: Clock;
  readonly periodMs: number;
  /** So much beyond the ebb is no longer caught up by playing faster. */
  readonly jumpBeyondMs: number;
  /** Goes to the live edge. */
  readonly jump: () => void;
}

/** When no bytes have come for longer than this, playback did not stop because too little was in hand. */
const SILENCE_MS = 1000;
const LATE_MS = 500;
/** A playhead that does not move although there is something to play is pushed on after this time. */
const STUCK_MS = 3000;

export class Pursuit {
  readonly chaser: Chaser;
  readonly #options: PursuitOptions;
  readonly #stop = new AbortController();
  #hasPlayed = false;
  #isWaiting = false;
  #appendedAtMs = 0;
  /** The longest time without bytes that the wait at hand has to do with. */
  #silenceMs = 0;
  #movedAtMs: number;
  #lastTimeS = 0;
  #isHeld = false;

  constructor(options: PursuitOptions) {
    const { video, clock } = options;
    this.#options = options;
    this.chaser = new Chaser(options);
    this.#movedAtMs = clock.monotonic();
    const { signal } = this.#stop;
    const timer = clock.every(options.periodMs, () => this.#step());
    signal.addEventListener('abort', () => timer.cancel());
    video.addEventListener('waiting', () => this.#waiting(), { signal });
    video.addEventListener('playing', () => this.#playing(), { signal });
    video.addEventListener('seeked', () => this.chaser.forget(), { signal });
  }

  /** To be called right before bytes are appended: that is when least is ahead. */
  readonly appending = (): void => {
    const nowMs = this.#options.clock.monotonic();
    if (this.#isWaiting) this.#silenceMs = Math.max(this.#silenceMs, nowMs - this.#appendedAtMs);
    this.#appendedAtMs = nowMs;
    this.#see();
  };

  /** Stays as far behind as it is, at the viewer's wish, until it has to catch up. */
  hold(): void {
    this.#isHeld = true;
    this.#options.video.playbackRate = 1;
  }

  /** Jumps when more is ahead than playing faster would have left there. */
  catchUp(): void {
    this.#isHeld = false;
    if (aheadMs(this.#options.video) > this.chaser.ebbMs + LATE_MS) this.#options.jump();
  }

  close(): void {
    this.#stop.abort();
    this.#options.video.playbackRate = 1;
  }

  #step(): void {
    const { video, jump, jumpBeyondMs } = this.#options;
    this.#see();
    if (video.paused || video.seeking) return;
    if (!this.#isHeld && aheadMs(video) > this.chaser.ebbMs + jumpBeyondMs) jump();
    else this.#pushOn();
  }

  #see(): void {
    const { video, clock } = this.#options;
    if (this.#isHeld || video.paused || video.seeking || !video.buffered.length) return;
    const rate = this.chaser.see(clock.monotonic(), aheadMs(video));
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  #pushOn(): void {
    const { video, clock, jump } = this.#options;
    const nowMs = clock.monotonic();
    const mustMove = aheadMs(video) > this.chaser.ebbMs;
    if (video.currentTime !== this.#lastTimeS || !mustMove) this.#movedAtMs = nowMs;
    this.#lastTimeS = video.currentTime;
    if (nowMs - this.#movedAtMs < STUCK_MS) return;
    this.#movedAtMs = nowMs;
    jump();
  }

  #waiting(): void {
    if (!this.#hasPlayed || this.#options.video.seeking) return;
    this.#isWaiting = true;
    this.#silenceMs = 0;
  }

  #playing(): void {
    this.#hasPlayed = true;
    if (this.#isWaiting && this.#silenceMs < SILENCE_MS)
      this.chaser.underflowed(this.#options.clock.monotonic());
    this.#isWaiting = false;
  }
}
