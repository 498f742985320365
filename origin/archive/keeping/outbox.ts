// The outbox: every closed file of this server's disks goes to long-term storage, and is not forgotten until it is there.

import { isClosed, isRecordingId, readIndex } from '../../../network/archive/index-file.ts';
import { PICTURES } from '../../../network/archive/pictures.ts';
import type { Storage } from '../../../network/archive/storage.ts';
import type { Clock, Timer } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import type { Counter, Metrics } from '../../../network/metrics.ts';
import type { Files } from '../recording/files.ts';
import { filesIn } from '../recording/recover.ts';
import { STORED } from './retention.ts';

export interface OutboxOptions {
  readonly folders: readonly string[];
  readonly storage: Storage;
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Another file of a recording is in storage. */
  readonly onStored: (recording: string) => Promise<void>;
}

/** A file that is closed is told of; what was missed, because its disk was away, is found after this. */
const LOOK_MS = 600_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 60_000;

/** What is left to be done lies on the disks themselves: a process that starts again finds it there. */
export class Outbox implements Disposable {
  readonly #options: OutboxOptions;
  readonly #look: Timer;
  /** Paths without `.mp4` and `.index`, in the order in which they go. */
  readonly #waiting = new Set<string>();
  readonly #stored: Counter;
  readonly #failures: Counter;
  #isBusy = false;
  #retry: Timer | undefined;
  #retryMs = 0;
  #isClosed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
    const { metrics, clock } = options;
    metrics.gauge(
      'headwater_archive_outbox_files',
      'Recorded files that are not in storage yet.',
      [],
      (gauge) => gauge.set(this.#waiting.size),
    );
    this.#stored = metrics.counter(
      'headwater_archive_stored_files_total',
      'Recorded files whose copies in storage are whole.',
    );
    this.#failures = metrics.counter(
      'headwater_archive_storage_failures_total',
      'Recorded files that storage did not take, and that are tried again.',
    );
    this.#look = clock.every(LOOK_MS, () => void this.look());
  }

  /** A file was closed. */
  add(path: string): void {
    this.#waiting.add(path);
    void this.#wake();
  }

  /** Finds what waits on the disks. */
  async look(): Promise<void> {
    const { folders, logger } = this.#options;
    for (const folder of folders) {
      try {
        for (const path of await this.#waitingOn(folder)) this.#waiting.add(path);
      } catch (error) {
        logger.warn({ disk: folder, reason: reasonOf(error) }, 'recordings that wait are not found');
      }
    }
    void this.#wake();
  }

  /** What is on its way is left to the next process. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#look.cancel();
    this.#retry?.cancel();
  }

  /** Goes on with what waits, unless storage has just failed: then it rests for a while, longer each time. */
  async #wake(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (!this.#isClosed && !this.#retry && this.#waiting.size > 0) await this.#sendNext();
    this.#isBusy = false;
  }

  /** What failed goes to the end: one file that can't be read holds up no other. */
  async #sendNext(): Promise<void> {
    const path = this.#waiting.values().next().value!;
    this.#waiting.delete(path);
    try {
      await this.#store(path);
      this.#retryMs = 0;
    } catch (error) {
      this.#waiting.add(path);
      this.#rest(error);
    }
  }

  #rest(error: unknown): void {
    const { clock, logger } = this.#options;
    this.#failures.inc();
    this.#retryMs = Math.min(Math.max(FIRST_RETRY_MS, this.#retryMs * 2), MAX_RETRY_MS);
    logger.warn({ reason: reasonOf(error), againInMs: this.#retryMs }, 'recordings wait for storage');
    this.#retry = clock.after(this.#retryMs, () => {
      this.#retry = undefined;
      void this.#wake();
    });
  }

  async #store(path: string): Promise<void> {
    const { storage, files, onStored, logger } = this.#options;
    const [recording, name] = path.split('/').slice(-2) as [string, string];
    const isThere = async (): Promise<boolean> =>
      (await files.read(`${path}.index`).catch(() => undefined)) !== undefined;
    const keys = (await this.#endingsOf(path)).map(
      (end) => [`${recording}/${name}${end}`, path + end] as const,
    );
    if (await isThere()) for (const [key, from] of keys) await storage.upload(key, from);
    if (await isThere()) {
      await files.append(path + STORED, '');
      await onStored(recording);
      this.#stored.inc();
      logger.info({ recording, file: name }, 'recorded file is in storage');
    } else for (const [key] of keys) await storage.remove(key);
  }

  /** The index last: whoever finds it in storage finds the media, too. Pictures may have been made since all else was stored. */
  async #endingsOf(path: string): Promise<string[]> {
    const slash = path.lastIndexOf('/');
    const there = new Set(await this.#options.files.list(path.slice(0, slash)));
    const has = (ending: string): boolean => there.has(path.slice(slash + 1) + ending);
    const pictures = PICTURES.filter(has);
    return has(STORED) ? pictures : ['.mp4', ...pictures, '.index'];
  }

  /** Closed files that are not in storage. */
  async #waitingOn(folder: string): Promise<string[]> {
    const { files } = this.#options;
    const waiting: string[] = [];
    for (const recording of (await files.list(folder)).filter(isRecordingId)) {
      const there = new Set(await files.list(`${folder}/${recording}`));
      for (const path of await filesIn(`${folder}/${recording}`, files)) {
        const name = path.slice(path.lastIndexOf('/') + 1);
        if (!there.has(name + STORED) && (await this.#isClosedFile(path))) waiting.push(path);
      }
    }
    return waiting;
  }

  /** What is damaged stays here, and is told of when it is read. */
  async #isClosedFile(path: string): Promise<boolean> {
    try {
      return isClosed(readIndex((await this.#options.files.read(`${path}.index`)).toString('utf8')));
    } catch {
      return false;
    }
  }
}
