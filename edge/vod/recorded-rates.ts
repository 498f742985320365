// What it takes to send each rendition of the recordings that are watched here.

import type { RecordedRendition } from '../../network/archive/recording.ts';

/** Of more recordings than that, those noted first are forgotten: they are noted again with the next request. */
const MAX_RATES = 10_000;
/** No stream's name has a slash in it. */
const PREFIX = 'vod/';

export class RecordedRates {
  readonly #mbps = new Map<string, number>();

  /** Gives the name by which a recording is committed to, as streams are by theirs. */
  note(recording: string, { name, averageBps }: Pick<RecordedRendition, 'name' | 'averageBps'>): string {
    const watched = PREFIX + recording;
    const key = `${watched}/${name}`;
    this.#mbps.delete(key);
    this.#mbps.set(key, averageBps / 1_000_000);
    if (this.#mbps.size > MAX_RATES) this.#mbps.delete(this.#mbps.keys().next().value!);
    return watched;
  }

  /** 0 of what is not known. */
  mbps(watched: string, rendition: string): number {
    return this.#mbps.get(`${watched}/${rendition}`) ?? 0;
  }
}
