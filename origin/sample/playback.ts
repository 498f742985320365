// Plays a recording into a connection that publishes, in real time.

import type { Clock, Timer } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import type { RtmpPublisher } from '../rtmp/rtmp.ts';
import type { Recording } from './recording.ts';

/** Why a connection was closed that had nothing more to send. */
export const END_OF_RECORDING = 'the recording is over';

/** At a megabit per second, a server that left this much unread has not read for eight seconds. */
const QUEUED_BYTES = 1024 * 1024;
/** Behind by more (the machine slept), the broadcast goes on from where it is instead of catching up. */
const LATE_MS = 1_000;

export interface PlaybackOptions {
  readonly recording: Recording;
  readonly publisher: RtmpPublisher;
  readonly clock: Clock;
  /** Round and round; otherwise it closes the connection at the end. */
  readonly loops: boolean;
}

/** Sends each frame when it is due. */
export class Playback {
  readonly #recording: Recording;
  readonly #publisher: RtmpPublisher;
  readonly #clock: Clock;
  readonly #loops: boolean;
  #startedMs: number;
  #loop = 0;
  #index = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor({ recording, publisher, clock, loops }: PlaybackOptions) {
    this.#recording = recording;
    this.#publisher = publisher;
    this.#clock = clock;
    this.#loops = loops;
    this.#startedMs = clock.monotonic();
    this.#try(() => {
      for (const header of recording.headers) publisher.send(header);
    });
    this.#step();
  }

  /** What of the recording is sent. */
  get sentMs(): number {
    return this.#timestampMs();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #step(): void {
    this.#try(() => this.#sendDue());
    if (this.#publisher.queuedBytes > QUEUED_BYTES) this.#fail('the server does not read');
    if (this.#stopped) return;
    const waitMs = this.#startedMs + this.#timestampMs() - this.#clock.monotonic();
    this.#timer = this.#clock.after(Math.max(0, waitMs), () => this.#step());
  }

  #sendDue(): void {
    const nowMs = this.#clock.monotonic();
    const lateMs = nowMs - this.#startedMs - this.#timestampMs();
    if (lateMs > LATE_MS) this.#startedMs += lateMs;
    while (!this.#stopped && this.#startedMs + this.#timestampMs() <= nowMs) {
      const frame = this.#recording.frames[this.#index]!;
      this.#publisher.send({ ...frame, timestampMs: this.#timestampMs() });
      this.#advance();
    }
  }

  /** Of the next frame: it goes on from loop to loop. */
  #timestampMs(): number {
    return this.#loop * this.#recording.durationMs + this.#recording.frames[this.#index]!.timestampMs;
  }

  #advance(): void {
    this.#index += 1;
    if (this.#index < this.#recording.frames.length) return;
    this.#index = 0;
    if (!this.#loops) this.#fail(END_OF_RECORDING);
    this.#loop += 1;
  }

  #try(send: () => void): void {
    try {
      send();
    } catch (error) {
      this.#fail(reasonOf(error));
    }
  }

  #fail(reason: string): void {
    this.stop();
    this.#publisher.close(reason);
  }
}
