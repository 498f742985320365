// The disks that recordings are written to: each new file goes to the healthy one with the most free space.

import type { Clock } from '../../../network/clock.ts';
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

export class Disks {
  readonly #options: DisksOptions;
  /** When each that failed is tried again, on the monotonic clock. */
  readonly #outUntilMs = new Map<string, number>();

  constructor(options: DisksOptions) {
    this.#options = options;
    const { metrics } = options;
    metrics.gauge(
      'headwater_archive_disks_out',
      'Disks that are not written to, because they failed.',
      [],
      (gauge) => gauge.set(options.folders.filter((folder) => this.#isOut(folder)).length),
    );
  }

  get folders(): readonly string[] {
    return this.#options.folders;
  }

  /** Undefined when no disk has room. */
  async choose(): Promise<string | undefined> {
    const { folders, reserveBytes } = this.#options;
    const healthy = folders.filter((folder) => !this.#isOut(folder));
    const free = await Promise.all(
      healthy.map(async (folder) => ({ folder, bytes: await this.#freeBytes(folder) })),
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
    this.#outUntilMs.set(folder, clock.monotonic() + QUARANTINE_MS);
  }

  #isOut(folder: string): boolean {
    return (this.#outUntilMs.get(folder) ?? Number.NEGATIVE_INFINITY) > this.#options.clock.monotonic();
  }

  async #freeBytes(folder: string): Promise<number> {
    try {
      await this.#options.files.makeFolder(folder);
      return await this.#options.files.freeBytes(folder);
    } catch (error) {
      this.fail(folder, error);
      return -1;
    }
  }
}
