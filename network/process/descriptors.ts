// Notices when this process is about to run out of file descriptors: without any it accepts nobody, opens no file, and says nothing of it.

import { readdir, readFile, stat } from 'node:fs/promises';
import type { Clock, Timer } from '../clock.ts';
import { reasonOf } from '../errors.ts';
import type { Condition } from '../http/health.ts';
import type { Logger } from '../logger.ts';

export interface DescriptorCount {
  readonly open: number;
  readonly limit: number;
}

export interface DescriptorsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined where nobody says it. */
  readonly read?: () => Promise<DescriptorCount | undefined>;
}

const LOOK_MS = 1_000;
/** Of its limit, what a process has left when it is to get no new work, and when it gets some again. */
const LOW_SHARE = 0.05;
const ENOUGH_SHARE = 0.1;

export class Descriptors implements Disposable {
  readonly #logger: Logger;
  readonly #read: () => Promise<DescriptorCount | undefined>;
  readonly #timer: Timer;
  #count: DescriptorCount | undefined;
  #areLow = false;

  constructor({ clock, logger, read = readDescriptors }: DescriptorsOptions) {
    this.#logger = logger;
    this.#read = read;
    this.#timer = clock.every(LOOK_MS, () => void this.look());
  }

  /** Others can stand in for this process, and for whom it would have to turn away unheard. */
  get areLow(): boolean {
    return this.#areLow;
  }

  get condition(): Condition | undefined {
    if (!this.#areLow) return undefined;
    const { open, limit } = this.#count!;
    return { code: 'descriptors_low', detail: `${open} of ${limit} file descriptors are open`, blocks: true };
  }

  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  async look(): Promise<void> {
    try {
      this.#see(await this.#read());
    } catch (error) {
      this.#timer.cancel();
      this.#logger.warn({ reason: reasonOf(error) }, 'open file descriptors can not be counted');
    }
  }

  #see(count: DescriptorCount | undefined): void {
    if (!count) return;
    this.#count = count;
    const left = count.limit - count.open;
    if (!this.#areLow && left <= LOW_SHARE * count.limit) {
      this.#areLow = true;
      this.#logger.error(count, 'file descriptors run out: no new work until some are free');
    } else if (this.#areLow && left > ENOUGH_SHARE * count.limit) {
      this.#areLow = false;
      this.#logger.info(count, 'file descriptors are free again');
    }
  }
}

const OPEN = '/proc/self/fd';
const LIMITS = '/proc/self/limits';

/** Linux's; other systems have no such files. */
async function readDescriptors(): Promise<DescriptorCount | undefined> {
  let open = 0;
  try {
    // Linux says how many there are from 6.2 on; before, and for all else that is read here, it takes a descriptor to ask.
    open = (await stat(OPEN)).size || (await readdir(OPEN)).length - 1;
    const [, limit] = /^Max open files +(\d+)/m.exec(await readFile(LIMITS, 'utf8')) ?? [];
    return limit === undefined ? undefined : { open, limit: Number(limit) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EMFILE' || code === 'ENFILE') return { open, limit: open };
    throw error;
  }
}
