// How many gaps the recordings of live streams have, asked of the catalogue a few streams at a time.

import type { Catalogue } from '../../../network/archive/catalogue.ts';
import type { StreamRecord } from '../../../network/state/state.ts';

/** Of 2,000 streams each is looked at within some minutes. */
const STREAMS_AT_ONCE = 20;
/** Past so many recordings the one that was looked at longest ago is forgotten. */
const MAX_RECORDINGS = 10_000;

export class RecordingGaps {
  readonly #catalogue: Pick<Catalogue, 'list'>;
  #gaps: ReadonlyMap<string, number> = new Map();
  /** The stream that was looked at last. */
  #last = '';

  constructor(catalogue: Pick<Catalogue, 'list'>) {
    this.#catalogue = catalogue;
  }

  /** By recording. */
  get gaps(): ReadonlyMap<string, number> {
    return this.#gaps;
  }

  /** Looks at the next streams, in order of their names. Rejects when the catalogue can't be reached. */
  async look(streams: readonly StreamRecord[]): Promise<void> {
    const names = streams.map(({ name }) => name);
    const from = Math.max(
      0,
      names.findIndex((name) => name > this.#last),
    );
    const next = names.slice(from, from + STREAMS_AT_ONCE);
    const lists = await Promise.all(next.map((name) => this.#catalogue.list(name)));
    this.#last = next.at(-1) ?? '';
    this.#note(lists.flatMap(([newest]) => (newest ? [[newest.id, newest.gaps.length]] : [])));
  }

  #note(found: readonly (readonly [string, number])[]): void {
    const gaps = new Map(this.#gaps);
    for (const [recording, count] of found) {
      gaps.delete(recording);
      gaps.set(recording, count);
    }
    while (gaps.size > MAX_RECORDINGS) gaps.delete(gaps.keys().next().value!);
    this.#gaps = gaps;
  }
}
