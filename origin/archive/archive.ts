// The archive: records what is broadcast here, puts in order what a stop in the middle has left, and sees to what lies here.

import type { FeedReader } from '../../network/feed/feed.ts';
import type { Metrics } from '../../network/metrics.ts';
import { archiveMetrics } from './archive-metrics.ts';
import { Janitor } from './keeping/janitor.ts';
import { Outbox } from './keeping/outbox.ts';
import { Stock, type StockOptions } from './keeping/stock.ts';
import { Disks } from './recording/disks.ts';
import { type Files, systemFiles } from './recording/files.ts';
import { Mender } from './recording/mender.ts';
import { Recorders } from './recording/recorders.ts';
import { type RecoverOptions, recoverDisk } from './recording/recover.ts';

export interface ArchiveOptions extends StockOptions {
  /** Media time in one file. */
  readonly fileMs: number;
  /** A disk with less than this free takes no new files. */
  readonly reserveBytes: number;
  readonly metrics: Metrics;
  readonly files?: Files;
}

export class Archive implements AsyncDisposable {
  readonly stock: Stock;
  readonly janitor: Janitor;
  readonly #recorders: Recorders;
  readonly #opened = new DisposableStack();

  /** Ends the files that were left open, then records. A disk that can't be read is told of and tried again when it is written to. */
  static async open(options: ArchiveOptions): Promise<Archive> {
    const { files = systemFiles } = options;
    const disks = new Disks({ ...options, files });
    await recover(options.folders, disks, { ...options, files, nowMs: options.clock.now() });
    return new Archive({ ...options, files }, disks);
  }

  private constructor(options: ArchiveOptions & { readonly files: Files }, disks: Disks) {
    this.stock = new Stock(options);
    const outbox = this.#openOutbox(options);
    const mender = this.#opened.use(new Mender({ ...options, onMended: (path) => outbox?.add(path) }));
    this.janitor = this.#opened.use(new Janitor({ ...options, stock: this.stock }));
    this.#recorders = new Recorders({
      ...options,
      disks,
      metrics: archiveMetrics(options.metrics),
      onFile: (path) => outbox?.add(path),
      onAbandoned: (path) => mender.add(path),
      onNews: (recording) => this.stock.note(recording),
    });
    this.janitor.begin();
    void outbox?.look();
  }

  /** See `Recorders`. */
  record(stream: string, rendition: string, feed: FeedReader, startedAtMs: number): () => void {
    return this.#recorders.record(stream, rendition, feed, startedAtMs);
  }

  /** Resolves once all is written and told of; the feeds must have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recorders.close();
    this.#opened.dispose();
  }

  #openOutbox(options: ArchiveOptions & { readonly files: Files }): Outbox | undefined {
    const { storage } = options;
    if (!storage) return undefined;
    const onStored = (recording: string): Promise<void> => this.stock.noteStored(recording);
    return this.#opened.use(new Outbox({ ...options, storage, onStored }));
  }
}

async function recover(folders: readonly string[], disks: Disks, options: RecoverOptions): Promise<void> {
  for (const folder of folders) {
    try {
      const ended = await recoverDisk(folder, options);
      if (ended > 0)
        options.logger.info({ disk: folder, files: ended }, 'files of a stop in the middle were ended');
    } catch (error) {
      disks.fail(folder, error);
    }
  }
}
