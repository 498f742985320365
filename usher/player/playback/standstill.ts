// Tells a playback that stands still although there is ever more to play. Pure.

/** Longer than a player takes that is about to play: to fetch again what failed, or to go to another server. */
const STANDSTILL_MS = 6_000;

export class Standstill {
  #positionS: number | undefined;
  #sinceMs = 0;
  #listedAtFirstS = 0;

  /** Takes where the playhead is and how far the playlist reaches; true once the one has stood for long while the other went on. */
  see(nowMs: number, positionS: number, listedS: number): boolean {
    if (positionS !== this.#positionS) {
      this.#positionS = positionS;
      this.#sinceMs = nowMs;
      this.#listedAtFirstS = listedS;
    }
    const listedMs = (listedS - this.#listedAtFirstS) * 1000;
    return Math.min(nowMs - this.#sinceMs, listedMs) > STANDSTILL_MS;
  }

  /** Somebody has stopped it. */
  forget(): void {
    this.#positionS = undefined;
  }
}
