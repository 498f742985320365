// The stock: what lies on this server's disks and in long-term storage, and what is said of it.

import { isDeepStrictEqual } from 'node:util';
import { type Catalogue, STORAGE } from '../../../network/archive/catalogue.ts';
import type { Library } from '../../../network/archive/library.ts';
import { type Manifest, NOTHING_SAID, type Said, saidIn } from '../../../network/archive/manifest.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import type { Storage } from '../../../network/archive/storage.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import type { Clock } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import type { RecordingPolicy } from '../policy.ts';
import { Caretaker } from './caretaker.ts';

export interface StockOptions {
  /** One folder on each disk. */
  readonly folders: readonly string[];
  /** Long-term storage, where there is one. */
  readonly storage?: Storage | undefined;
  /** Id of this server. */
  readonly keeper: string;
  readonly policy: (stream: string) => RecordingPolicy;
  readonly catalogue: Catalogue;
  /** What is read of recordings: it is told of what changes. */
  readonly library: Pick<Library, 'forget'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Stock {
  readonly own: Caretaker;
  readonly stored: Caretaker | undefined;
  readonly #options: StockOptions;

  constructor(options: StockOptions) {
    const { folders, storage, keeper } = options;
    this.#options = options;
    this.own = this.#careFor(new DirectoryStorage(folders), keeper);
    this.stored = storage && this.#careFor(storage, STORAGE);
  }

  /** More of a recording lies here, or less. */
  note(recording: string): Promise<void> {
    this.#options.library.forget(recording);
    return this.#try(recording, () => this.own.note(recording));
  }

  /** More of a recording is in storage. What was said of it here, while there was nothing of it yet, is said there. */
  noteStored(recording: string): Promise<void> {
    return this.#try(recording, async () => {
      const here = await this.own.manifest(recording);
      const said = here ? saidIn(here) : NOTHING_SAID;
      if (isDeepStrictEqual(said, NOTHING_SAID)) await this.stored?.note(recording);
      else await this.stored?.say(recording, said);
    });
  }

  /** What the owner of a recording says of it, wherever it lies; undefined when it is neither here nor in storage. */
  async say(recording: string, said: Partial<Said>): Promise<Manifest | undefined> {
    const here = await this.own.say(recording, said);
    const stored = await this.stored?.say(recording, said);
    return here ?? stored;
  }

  /** From this server's disks and from storage. */
  async remove(recording: string): Promise<void> {
    await this.own.remove(recording);
    await this.stored?.remove(recording);
    this.#options.library.forget(recording);
  }

  #careFor(storage: Storage, keeper: string): Caretaker {
    const { logger, policy } = this.#options;
    const daysOf = (stream: string): number | null => policy(stream).keepDays;
    return new Caretaker({ ...this.#options, storage, shelf: new Shelf(storage, logger), keeper, daysOf });
  }

  /** Whom it could not be told, the next round of the janitor tells. */
  async #try(recording: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.warn({ recording, reason: reasonOf(error) }, 'recording is not in the catalogue');
    }
  }
}
