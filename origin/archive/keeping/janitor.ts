// The janitor: rounds through disks and storage in which what has expired goes, and room on disks before they are full.

import type { Catalogue } from '../../../network/archive/catalogue.ts';
import type { Library } from '../../../network/archive/library.ts';
import { PICTURES } from '../../../network/archive/pictures.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import type { Clock } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Files } from '../recording/files.ts';
import { filesToFree, type Removal, STORED } from './retention.ts';
import type { Stock } from './stock.ts';

export interface JanitorOptions {
  readonly stock: Stock;
  readonly folders: readonly string[];
  readonly files: Pick<Files, 'freeBytes'>;
  /** A disk with less than this free takes no new files. */
  readonly reserveBytes: number;
  readonly catalogue: Pick<Catalogue, 'turn'>;
  readonly library: Pick<Library, 'forget'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

const ROUND_MS = 3_600_000;
const SPACE_MS = 10_000;
/** With less than twice its reserve a disk is made three times as free: room for what comes until the next look. */
const SHORT = 2;
const ROOMY = 3;

export class Janitor implements Disposable {
  readonly #options: JanitorOptions;
  readonly #short = new Set<string>();
  readonly #timers = new DisposableStack();
  #round: Promise<void> | undefined;
  #isMakingRoom = false;

  constructor(options: JanitorOptions) {
    this.#options = options;
  }

  /** Goes on its rounds until it is disposed of. */
  begin(): void {
    const { clock } = this.#options;
    const timers = [
      clock.every(ROUND_MS, () => void this.round()),
      clock.every(SPACE_MS, () => void this.#makeRoom()),
    ];
    for (const timer of timers) this.#timers.defer(() => timer.cancel());
    void this.round();
  }

  /** Through this server's disks, and through storage if no other server has done it of late. What fails is told of. */
  round(): Promise<void> {
    this.#round ??= this.#goRound().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Everything at once, as an operator asks for it; gives what has gone, or would go. */
  async clean({ dryRun = false } = {}): Promise<Removal[]> {
    const { stock, folders } = this.#options;
    const { own, stored } = stock;
    const removals = [...(await own.round({ dryRun })), ...((await stored?.round({ dryRun })) ?? [])];
    for (const folder of folders) removals.push(...(await this.#makeRoomOn(folder, dryRun)));
    return removals;
  }

  [Symbol.dispose](): void {
    this.#timers.dispose();
  }

  async #goRound(): Promise<void> {
    const { stock, catalogue } = this.#options;
    const { own, stored } = stock;
    await this.#try(() => own.round());
    await this.#try(async () => {
      if (stored && (await catalogue.turn('storage', ROUND_MS / 2))) await stored.round();
    });
  }

  /** On each disk by itself. */
  async #makeRoom(): Promise<void> {
    if (this.#isMakingRoom) return;
    this.#isMakingRoom = true;
    for (const folder of this.#options.folders) await this.#try(() => this.#makeRoomOn(folder, false));
    this.#isMakingRoom = false;
  }

  /** Removes, of what is in long-term storage too, the oldest files. A disk that fails is told of when it is written to. */
  async #makeRoomOn(folder: string, dryRun: boolean): Promise<Removal[]> {
    const { files, reserveBytes } = this.#options;
    const freeBytes = await files.freeBytes(folder).catch(() => Number.POSITIVE_INFINITY);
    if (freeBytes >= reserveBytes * SHORT) {
      this.#short.delete(folder);
      return [];
    }
    const disk = new DirectoryStorage([folder]);
    const objects = await Array.fromAsync(disk.list(''));
    const removals = filesToFree(objects, reserveBytes * ROOMY - freeBytes, folder);
    if (!dryRun) for (const removal of removals) await this.#removeFile(disk, removal);
    if (removals.length === 0) this.#tellShort(folder, freeBytes);
    return removals;
  }

  async #removeFile(disk: DirectoryStorage, removal: Removal): Promise<void> {
    const { logger, library } = this.#options;
    for (const ending of ['.index', '.mp4', ...PICTURES, STORED])
      await disk.remove(`${removal.id}/${removal.file}${ending}`);
    const { id: recording, ...rest } = removal;
    logger.info({ recording, ...rest }, 'recorded file is removed');
    library.forget(recording);
  }

  /** Once for each time. */
  #tellShort(folder: string, freeBytes: number): void {
    if (!this.#short.has(folder))
      this.#options.logger.error(
        { disk: folder, freeBytes },
        'disk is nearly full, and nothing on it may go',
      );
    this.#short.add(folder);
  }

  async #try(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.warn({ reason: reasonOf(error) }, 'recordings are not seen to');
    }
  }
}
