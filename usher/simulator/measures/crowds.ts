// How long after a flash crowd's start there were, for good, as many copies as its viewers needed.

import type { Crowd } from '../scenario.ts';
import type { Stream } from '../world/stream.ts';
import type { Viewer } from '../world/viewer.ts';

/** A crowd is followed for this long after its rise. */
const AFTER_S = 60;

export class CrowdWatch {
  readonly #stream: Stream;
  readonly #startMs: number;
  readonly #endMs: number;
  #lackedUntilMs: number;

  constructor(crowd: Crowd, stream: Stream, beganMs: number) {
    this.#stream = stream;
    this.#startMs = beganMs + crowd.atS * 1000;
    this.#endMs = this.#startMs + (crowd.riseS + AFTER_S) * 1000;
    this.#lackedUntilMs = this.#startMs;
  }

  isOn(nowMs: number): boolean {
    return nowMs >= this.#startMs && nowMs < this.#endMs;
  }

  /** `asking` are those of the stream that nobody serves yet. */
  look(nowMs: number, viewers: Iterable<Viewer>): void {
    let wantedKbps = this.#stream.viewers * this.#stream.kbps;
    for (const { stream, state } of viewers)
      if (stream === this.#stream && state === 'asking') wantedKbps += stream.kbps;
    let possibleKbps = 0;
    for (const copy of this.#stream.copies)
      if (copy.readyAtMs <= nowMs && copy.server.isUp) possibleKbps += copy.server.card.capacityKbps;
    if (possibleKbps < wantedKbps) this.#lackedUntilMs = nowMs;
  }

  /** Seconds; 0 when there were always enough. */
  get enoughAfterS(): number {
    return (this.#lackedUntilMs - this.#startMs) / 1000;
  }
}
