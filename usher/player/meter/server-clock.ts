// What time it is at the servers, when the viewer's clock is off: an estimate from round trips (as NTP's, RFC 5905 8). Pure.

interface Sample {
  readonly offsetMs: number;
  readonly roundTripMs: number;
}

const MAX_SAMPLES = 8;

export class ServerClock {
  readonly #samples: Sample[] = [];

  /** One question: asked and answered in local monotonic time, with the server's wall clock in the answer. */
  add(askedAtMs: number, answeredAtMs: number, serverNowMs: number): void {
    const roundTripMs = answeredAtMs - askedAtMs;
    this.#samples.push({ offsetMs: serverNowMs + roundTripMs / 2 - answeredAtMs, roundTripMs });
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
  }

  /** The servers' wall clock at a local monotonic time; undefined before the first answer. The quickest answer is believed. */
  at(monotonicMs: number): number | undefined {
    const [best] = this.#samples.toSorted((one, other) => one.roundTripMs - other.roundTripMs);
    return best && best.offsetMs + monotonicMs;
  }
}
