// Revoked keys outlive a state that was lost: who has read of them notes them again where they are missing.

import type { Clock, Timer } from '../clock.ts';
import { reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { KeyBook, KeyRecord } from './keybook.ts';

export interface MemoryOfKeysOptions {
  readonly book: Pick<KeyBook, 'list' | 'note'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const LOOK_MS = 10_000;

export class MemoryOfKeys implements Disposable {
  readonly #options: MemoryOfKeysOptions;
  readonly #timer: Timer;
  /** By id; bounded as the book is. */
  readonly #revoked = new Map<string, KeyRecord>();

  constructor(options: MemoryOfKeysOptions) {
    this.#options = options;
    this.#timer = options.clock.every(LOOK_MS, () => {
      this.look().catch((error: unknown) => {
        options.logger.warn({ reason: reasonOf(error) }, 'revoked keys can not be looked up');
      });
    });
  }

  /** Reads the book, and notes again what of it is gone. */
  async look(): Promise<void> {
    const { book, clock, logger } = this.#options;
    const there = (await book.list()).filter(({ revokedAtMs }) => revokedAtMs !== null);
    const ids = new Set(there.map(({ id }) => id));
    const nowMs = clock.now();
    for (const record of this.#revoked.values()) {
      if (record.expiresAtMs <= nowMs) this.#revoked.delete(record.id);
      else if (!ids.has(record.id)) {
        logger.warn(
          { key: record.id, stream: record.stream },
          'a revoked key was forgotten, and is noted again',
        );
        await book.note(record);
      }
    }
    for (const record of there) this.#revoked.set(record.id, record);
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
