// What a stream of HTTP/2 may cost. Node lets it live for as long as its session does, and a session lives that asks now and then whether anybody is there.

import type { Clock, Timer } from '../clock.ts';

/** As Node's. */
export interface Stream {
  /** Bytes that are written and that the peer has not taken; less by each write that it has taken whole. */
  readonly writableLength: number;
  /** The request has no body. */
  readonly endAfterHeaders: boolean;
  close(code: number): void;
  once(event: 'end' | 'close', listener: () => void): unknown;
}

export interface StreamLimits {
  /** To the end of the body of a request. */
  readonly requestMs: number;
  /** How long a peer may take nothing of an answer that there is. */
  readonly stalledMs: number;
}

/** RFC 9113 7. */
const CANCEL = 8;

export class Http2Streams implements Disposable {
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  /** What each had yet to send at the last look. */
  readonly #left = new Map<Stream, number>();
  readonly #looks: Timer;

  constructor(limits: StreamLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#looks = clock.every(limits.stalledMs, () => this.#look());
  }

  /** Until it is closed. */
  watch(stream: Stream): void {
    this.#left.set(stream, 0);
    stream.once('close', () => this.#left.delete(stream));
    if (stream.endAfterHeaders) return;
    const late = this.#clock.after(this.#limits.requestMs, () => stream.close(CANCEL));
    for (const event of ['end', 'close'] as const) stream.once(event, () => late.cancel());
  }

  [Symbol.dispose](): void {
    this.#looks.cancel();
  }

  #look(): void {
    for (const [stream, left] of this.#left) {
      const { writableLength } = stream;
      if (writableLength > 0 && writableLength === left) stream.close(CANCEL);
      else this.#left.set(stream, writableLength);
    }
  }
}
