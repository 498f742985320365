// What a server knows of revoked keys: it asks for each that is brought, and once a second for those that are in use here.

import type { Clock, Timer } from '../clock.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type KeyBook, keyIdOf } from './keybook.ts';

export interface RevocationsOptions {
  readonly book: Pick<KeyBook, 'revoked'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 1_000;
/** Of revoked keys that were brought here, so many are remembered for when the book is away; the oldest go. */
const MAX_REMEMBERED = 1_000;

export class Revocations implements Disposable {
  readonly #options: RevocationsOptions;
  readonly #remembered = new Set<string>();
  #timer: Timer | undefined;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** While the book is away, what is known here counts: nobody's broadcast depends on it. */
  async isRevoked(key: string): Promise<boolean> {
    const id = keyIdOf(key);
    const revoked = await this.#ask([id]);
    return revoked.has(id);
  }

  /** Tells of keys in use that are revoked, again and again while they are. */
  watch(inUse: () => readonly string[], onRevoked: (ids: ReadonlySet<string>) => void): void {
    this.#timer = this.#options.clock.every(LOOK_MS, async () => {
      const ids = inUse().map(keyIdOf);
      const revoked = ids.length > 0 ? await this.#ask(ids) : new Set<string>();
      if (revoked.size > 0) onRevoked(revoked);
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  async #ask(ids: readonly string[]): Promise<ReadonlySet<string>> {
    try {
      const revoked = await this.#options.book.revoked(ids);
      for (const id of ids) this.#remember(id, revoked.has(id));
      return revoked;
    } catch (error) {
      this.#options.logger.warn({ reason: reasonOf(error) }, 'revoked keys can not be looked up');
      return this.#remembered;
    }
  }

  #remember(id: string, isRevoked: boolean): void {
    this.#remembered.delete(id);
    if (isRevoked) this.#remembered.add(id);
    if (this.#remembered.size > MAX_REMEMBERED)
      this.#remembered.delete(this.#remembered.values().next().value!);
  }
}
