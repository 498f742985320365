// What was said of the newest keys: the older half is forgotten at once when there are too many. Pure.

/**
 * To let the oldest of a Map go one by one costs ever more where keys are often set anew: its first entries are then gaps, over all
 * of which its iterator has to step to find the oldest.
 */
export class Recent<Key, Value> {
  readonly #most: number;
  #newer = new Map<Key, Value>();
  #older: ReadonlyMap<Key, Value> = new Map();

  /** `most` are kept, and half as many at least. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: Key): Value | undefined {
    return this.#newer.get(key) ?? this.#older.get(key);
  }

  /** It is the newest now. */
  set(key: Key, value: Value): void {
    this.#newer.set(key, value);
    if (this.#newer.size < this.#most / 2) return;
    this.#older = this.#newer;
    this.#newer = new Map();
  }
}
