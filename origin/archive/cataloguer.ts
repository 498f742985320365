// Keeps the catalogue true of what lies on this server's disks.

import { type Catalogue, describeRecording } from '../../network/archive/catalogue.ts';
import { isRecordingId } from '../../network/archive/index-file.ts';
import type { Library } from '../../network/archive/library.ts';
import type { Clock, Timer } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';
import type { Logger } from '../../network/logger.ts';

export interface CataloguerOptions {
  readonly library: Pick<Library, 'find'>;
  readonly catalogue: Pick<Catalogue, 'note' | 'drop'>;
  /** Id of this server. */
  readonly keeper: string;
  /** Ids of what lies here. */
  readonly list: () => Promise<string[]>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What is being recorded is told of so often. */
const GROWING_MS = 10_000;
/** All is told of so often: the catalogue may have been lost. */
const ALL_MS = 3_600_000;

export class Cataloguer implements Disposable {
  readonly #options: CataloguerOptions;
  readonly #growing = new Set<string>();
  readonly #timers: readonly Timer[];
  #isAway = false;

  constructor(options: CataloguerOptions) {
    this.#options = options;
    const { clock } = options;
    this.#timers = [
      clock.every(GROWING_MS, () => this.#noteGrowing()),
      clock.every(ALL_MS, () => void this.noteAll()),
    ];
  }

  async noteAll(): Promise<void> {
    try {
      for (const id of await this.#options.list()) if (isRecordingId(id)) await this.note(id);
    } catch (error) {
      this.#options.logger.warn({ reason: reasonOf(error) }, 'recordings are not listed');
    }
  }

  /** It is told of again and again until `note` ends that. */
  grow(id: string): void {
    this.#growing.add(id);
  }

  /** Says what there is of it now. A catalogue that can't be reached is told so once, and told anew with the next round. */
  async note(id: string): Promise<void> {
    const { library, catalogue, keeper, logger } = this.#options;
    try {
      const shelved = await library.find(id);
      if (shelved) await catalogue.note(describeRecording(shelved.recording, keeper));
      else await catalogue.drop(id, keeper);
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway)
        logger.warn({ recording: id, reason: reasonOf(error) }, 'recording is not in the catalogue');
      this.#isAway = true;
    }
  }

  /** It grows no more. */
  async settle(id: string): Promise<void> {
    this.#growing.delete(id);
    await this.note(id);
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) timer.cancel();
  }

  #noteGrowing(): void {
    for (const id of this.#growing) void this.note(id);
  }
}
