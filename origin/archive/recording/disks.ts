// The disks that recordings are written to: each new file goes to the healthy one with the most free space.

import type { Clock, Timer } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Metrics } from '../../../network/metrics.ts';
import type { Files } from './files.ts';

export interface DisksOptions {
  /** One folder on each disk. */
  readonly folders: readonly string[];
  /** A disk with less than this free takes no new files. */
  readonly reserveBytes: number;
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A disk that failed is tried again after this. */
const QUARANTINE_MS = 60_000;
/** One that was full is measured before anything is written to it again: that may be soon. */
const FULL_MS = 5_000;
/** For operators: a new file looks anew. */
const LOOK_MS = 10_000;

export type DiskState = 'used' | 'full' | 'failed';

export class Disks implements Disposable {
  readonly #options: DisksOptions;
  /** When each that failed is tried again, on the monotonic clock. */
  readonly #outUntilMs = new Map<string, number>();
  /** As it was found last. */
  readonly #freeBytes = new Map<string, number>();
  readonly #look: Timer;

  constructor(options: DisksOptions) {
    this.#options = options;
    this.#describe(options.metrics);
    this.#look = options.clock.every(LOOK_MS, () => void this.choose());
    void this.choose();
  }

  [Symbol.dispose](): void {
    this.#look.cancel();
  }

  /** One of each disk, as it was found last. */
  get states(): readonly DiskState[] {
    const { folders, reserveBytes } = this.#options;
    return folders.map((folder) => {
      if (this.#isOut(folder)) return 'failed';
      return (this.#freeBytes.get(folder) ?? reserveBytes) < reserveBytes ? 'full' : 'used';
    });
  }

  get folders(): readonly string[] {
    return this.#options.folders;
  }

  /** Undefined when no disk has room. */
  async choose(): Promise<string | undefined> {
    const { folders, reserveBytes } = this.#options;
    const healthy = folders.filter((folder) => !this.#isOut(folder));
    const free = await Promise.all(
      healthy.map(async (folder) => ({ folder, bytes: await this.#measure(folder) })),
    );
    const roomy = free.filter(({ bytes }) => bytes >= reserveBytes);
    return roomy.reduce<(typeof roomy)[number] | undefined>(
      (best, disk) => (best && best.bytes >= disk.bytes ? best : disk),
      undefined,
    )?.folder;
  }

  /** A write failed there: no new file goes to it for a while. */
  fail(folder: string, error: unknown): void {
    const { clock, logger } = this.#options;
    if (!this.#isOut(folder))
      logger.error({ disk: folder, reason: reasonOf(error) }, 'disk is taken out of recording');
    this.#outUntilMs.set(folder, clock.monotonic() + (isFull(error) ? FULL_MS : QUARANTINE_MS));
  }

  #isOut(folder: string): boolean {
    return (this.#outUntilMs.get(folder) ?? Number.NEGATIVE_INFINITY) > this.#options.clock.monotonic();
  }

  #describe(metrics: Metrics): void {
    metrics.gauge(
      'headwater_archive_disks',
      'Disks for recordings: used, full (no new file goes there), or failed.',
      ['state'],
      (gauge) => {
        for (const state of ['used', 'full', 'failed'])
          gauge.set({ state }, this.states.filter((one) => one === state).length);
      },
    );
    metrics.gauge(
      'headwater_archive_disk_free_bytes',
      'Free space of each disk for recordings, by its folder.',
      ['disk'],
      (gauge) => {
        for (const [disk, bytes] of this.#freeBytes) gauge.set({ disk }, bytes);
      },
    );
  }

  async #measure(folder: string): Promise<number> {
    try {
      await this.#options.files.makeFolder(folder);
      const bytes = await this.#options.files.freeBytes(folder);
      this.#freeBytes.set(folder, bytes);
      return bytes;
    } catch (error) {
      this.fail(folder, error);
      return -1;
    }
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
