// Decides how fast to play so that just enough stays buffered ahead: the one thing that keeps live playback near live. Pure.

export interface ChaserOptions {
  /** What shall be left ahead at ebb: in the moment before the next bytes are appended. */
  readonly ebbMs: number;
  /** The ebb is raised after underflows up to this. */
  readonly maxEbbMs: number;
  /** The ebb is the lowest of what was seen in this time: longer than the beat in which bytes arrive. */
  readonly windowMs: number;
}

/** An underflow says that the ebb was too low for this network. */
const GROWTH = 1.3;
/** After the first underflow the ebb is left alone for this long; after each further one for twice as long. */
const FIRST_CALM_MS = 30_000;
const MAX_CALM_MS = 600_000;
/** Then it sinks back by this share of what was added, each second. */
const SINK_PER_SECOND = 0.02;
const MAX_SIGHTINGS = 128;

/** The playback rate for what is buffered beyond the wanted ebb. Nobody hears a few hundredths. */
export function rateFor(excessMs: number): number {
  if (excessMs > 500) return 1.25;
  if (excessMs > 150) return 1.12;
  if (excessMs > 40) return 1.06;
  if (excessMs > 10) return 1.03;
  if (excessMs < -40) return 0.95;
  return excessMs < -15 ? 0.98 : 1;
}

export class Chaser {
  readonly #options: ChaserOptions;
  /** What was buffered ahead at which time, oldest first. */
  #sightings: { readonly atMs: number; readonly aheadMs: number }[] = [];
  #wantedMs: number;
  #addedMs = 0;
  #calmMs = FIRST_CALM_MS;
  #calmUntilMs = 0;
  #sankAtMs = 0;

  constructor(options: ChaserOptions) {
    this.#options = options;
    this.#wantedMs = options.ebbMs;
  }

  /** What it steers for now. */
  get ebbMs(): number {
    return Math.min(this.#wantedMs + this.#addedMs, Math.max(this.#options.maxEbbMs, this.#wantedMs));
  }

  /** Takes what is buffered ahead now and returns the rate to play at. */
  see(nowMs: number, aheadMs: number): number {
    this.#sightings.push({ atMs: nowMs, aheadMs });
    const sinceMs = nowMs - this.#options.windowMs;
    while (this.#sightings[0]!.atMs < sinceMs || this.#sightings.length > MAX_SIGHTINGS)
      this.#sightings.shift();
    this.#sink(nowMs);
    const lowestMs = Math.min(...this.#sightings.map((sighting) => sighting.aheadMs));
    return rateFor(lowestMs - this.ebbMs);
  }

  /** Playback ran dry although bytes kept coming. */
  underflowed(nowMs: number): void {
    const { maxEbbMs } = this.#options;
    this.#addedMs = Math.min(this.ebbMs * GROWTH, maxEbbMs) - this.#wantedMs;
    this.#calmUntilMs = nowMs + this.#calmMs;
    this.#calmMs = Math.min(this.#calmMs * 2, MAX_CALM_MS);
    this.forget();
  }

  /** Steers for another ebb from now on; what underflows have added stays. */
  aim(ebbMs: number): void {
    this.#wantedMs = ebbMs;
  }

  /** The playhead has jumped: what was seen before says nothing any more. */
  forget(): void {
    this.#sightings = [];
  }

  #sink(nowMs: number): void {
    const elapsedMs = nowMs - Math.max(this.#sankAtMs, this.#calmUntilMs);
    if (elapsedMs < 1000) return;
    this.#sankAtMs = nowMs;
    this.#addedMs *= (1 - SINK_PER_SECOND) ** (elapsedMs / 1000);
  }
}
