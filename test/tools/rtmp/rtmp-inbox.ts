// A queue that tests wait on: values that were put in, in order, or awaited until they come.

export class Inbox<T> {
  readonly all: T[] = [];
  readonly #waiting = new Set<() => void>();
  #ended: string | undefined;

  put(value: T): void {
    this.all.push(value);
    this.#wake();
  }

  /** Nothing more comes: whoever still waits gets an error with the reason. */
  end(reason: string): void {
    this.#ended = reason;
    this.#wake();
  }

  /** The first value so far or to come for which `wanted` holds. */
  async find(wanted: (value: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.all.find(wanted);
      if (found !== undefined) return found;
      if (this.#ended !== undefined) throw new Error(`nothing of the kind came: ${this.#ended}`);
      await this.#change();
    }
  }

  /** Resolves when there have been `count` values. */
  async count(count: number): Promise<readonly T[]> {
    while (this.all.length < count) {
      if (this.#ended !== undefined) throw new Error(`only ${this.all.length} of ${count}: ${this.#ended}`);
      await this.#change();
    }
    return this.all;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
