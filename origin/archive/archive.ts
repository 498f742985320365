// The archive: records what is broadcast here, puts in order what a stop in the middle has left, and sees to what lies here.

import type { Library } from '../../network/archive/library.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import { SOURCE } from '../../network/feed/feeds.ts';
import type { Condition } from '../../network/http/health.ts';
import type { Metrics } from '../../network/metrics.ts';
import { archiveMetrics } from './archive-metrics.ts';
import { Janitor } from './keeping/janitor.ts';
import { Outbox } from './keeping/outbox.ts';
import { Stock, type StockOptions } from './keeping/stock.ts';
import { Clips } from './owners/clips.ts';
import { type Darkroom, Pictures } from './pictures/pictures.ts';
import { Disks } from './recording/disks.ts';
import { type Files, systemFiles } from './recording/files.ts';
import { type RenditionFinder, recordMadeRenditions } from './recording/made-renditions.ts';
import { Mender } from './recording/mender.ts';
import { Recorders } from './recording/recorders.ts';
import { type RecoverOptions, recoverDisk } from './recording/recover.ts';

export interface ArchiveOptions extends StockOptions {
  /** Media time in one file. */
  readonly fileMs: number;
  /** How often what was recorded is synced; undefined: when the system likes. */
  readonly syncMs?: number | undefined;
  /** A disk with less than this free takes no new files. */
  readonly reserveBytes: number;
  readonly library: Pick<Library, 'find' | 'forget'>;
  readonly metrics: Metrics;
  readonly files?: Files;
  /** Where renditions are found that are made of streams; without it none is recorded. */
  readonly renditions?: RenditionFinder | undefined;
  /** Makes pictures of what is recorded, where there is one. */
  readonly darkroom?: Darkroom | undefined;
}

export class Archive implements AsyncDisposable {
  readonly stock: Stock;
  readonly clips: Clips;
  readonly janitor: Janitor;
  readonly #options: ArchiveOptions;
  readonly #recorders: Recorders;
  readonly #disks: Disks;
  readonly #opened = new DisposableStack();

  /** Ends the files that were left open, then records. A disk that can't be read is told of and tried again when it is written to. */
  static async open(options: ArchiveOptions): Promise<Archive> {
    const { files = systemFiles } = options;
    const disks = new Disks({ ...options, files });
    await recover(options.folders, disks, { ...options, files, nowMs: options.clock.now() });
    return new Archive({ ...options, files }, disks);
  }

  private constructor(options: ArchiveOptions & { readonly files: Files }, disks: Disks) {
    this.#disks = this.#opened.use(disks);
    this.#options = options;
    this.stock = new Stock(options);
    const outbox = this.#openOutbox(options);
    const pictures = this.#openPictures(options, outbox);
    const onFile = (path: string): void => (pictures ? pictures.add(path, true) : outbox?.add(path));
    const mender = this.#opened.use(new Mender({ ...options, onMended: onFile }));
    this.janitor = this.#opened.use(new Janitor({ ...options, stock: this.stock }));
    this.#recorders = new Recorders({
      ...options,
      disks,
      metrics: archiveMetrics(options.metrics),
      onFile,
      onBegun: (path) => pictures?.add(path, false),
      onAbandoned: (path) => mender.add(path),
      onNews: (recording) => this.stock.note(recording),
    });
    this.clips = new Clips({ ...options, disks, stock: this.stock, onFile });
    this.janitor.begin();
    void outbox?.look();
    void pictures?.look();
  }

  /** Records a broadcast until its feed ends, or what it gives is called; see `Recorders`. */
  record(stream: string, source: FeedReader, startedAtMs: number): () => void {
    const { policy, renditions } = this.#options;
    const stopSource = this.#recorders.record(stream, SOURCE, source, startedAtMs);
    const { isRecorded, renditions: wanted } = policy(stream);
    if (!isRecorded || wanted === 'source' || !renditions) return stopSource;
    const record = (rendition: string, feed: FeedReader): (() => void) =>
      this.#recorders.record(stream, rendition, feed, startedAtMs);
    const stopMade = recordMadeRenditions(stream, source, { ...this.#options, ...renditions, record });
    return () => {
      stopMade();
      stopSource();
    };
  }

  /** Whether a rendition's feed is needed here. */
  reads(stream: string, rendition: string): boolean {
    return this.#recorders.reads(stream, rendition);
  }

  /** Viewers miss nothing for want of a disk, and neither does who broadcasts: only what is recorded has a gap. */
  get condition(): Condition | undefined {
    if (this.#disks.states.includes('used')) return undefined;
    return { code: 'disks_failed', detail: 'no disk takes recordings', blocks: false };
  }

  isGrowing(recording: string): boolean {
    return this.#recorders.has(recording);
  }

  /** Resolves once all is written and told of; the feeds of sources must have ended. */
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

  /** Files go to storage with their pictures. */
  #openPictures(
    options: ArchiveOptions & { readonly files: Files },
    outbox: Outbox | undefined,
  ): Pictures | undefined {
    const { darkroom } = options;
    if (!darkroom) return undefined;
    const onDone = (path: string): void => outbox?.add(path);
    const onNews = (recording: string): Promise<void> => this.stock.note(recording);
    return this.#opened.use(new Pictures({ ...options, darkroom, onDone, onNews }));
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
