// Records one rendition of a broadcast: a reader of its feed that writes whole segments, behind everybody's back.

import type { FileHeader } from '../../../network/archive/index-file.ts';
import type { Clock, Timer } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { FeedReader } from '../../../network/feed/feed.ts';
import type { Logger } from '../../../network/logger.ts';
import type { ArchiveMetrics } from '../archive-metrics.ts';
import type { Disks } from './disks.ts';
import { FeedSegments } from './feed-segments.ts';
import type { Files } from './files.ts';
import { type NewSegment, RecordingFile } from './recording-file.ts';

export interface RecorderOptions {
  readonly feed: FeedReader;
  readonly header: Omit<FileHeader, 'kind' | 'format'>;
  /** Media time after which a file is closed and the next one begun. */
  readonly fileMs: number;
  /** What was written is safe from a power cut after this long, and from a crash of the process at once; undefined: when the system likes. */
  readonly syncMs?: number | undefined;
  readonly disks: Disks;
  readonly files: Files;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ArchiveMetrics;
  /** What comes so long after the broadcast began is not recorded. */
  readonly maxMs: number;
  /** The first segment is recorded, in the file at this path. */
  readonly onBegun: (path: string) => void;
  /** A file is complete; its path without `.mp4` and `.index`. */
  readonly onFile: (path: string) => void;
  /** A file's disk failed: it was left as it is, without an end. */
  readonly onAbandoned: (path: string) => void;
}

/** Ends by itself when its feed has; `done` resolves then. Nothing that a disk does reaches the feed. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #segments: FeedSegments;
  #timer: Timer | undefined;
  #file: RecordingFile | undefined;
  #missing: { fromMsn: number; toMsn: number; reason: string } | undefined;
  readonly #unsubscribe: () => void;
  #hasBegun = false;
  #isStopped = false;
  #isLong = false;
  #isBusy = false;
  #isAwaited = false;
  readonly #done = Promise.withResolvers<void>();

  constructor(options: RecorderOptions) {
    this.#options = options;
    const { feed, header, clock, syncMs } = options;
    this.#segments = new FeedSegments(feed, header.rendition);
    if (syncMs !== undefined) this.#timer = clock.every(syncMs, () => this.#sync());
    this.#unsubscribe = feed.subscribe((chunk) => {
      if (!chunk || chunk.startsSegment) this.#wake();
    });
    this.#wake();
  }

  /** The broadcast goes on elsewhere, and is recorded there: what is whole by now is this file's last. */
  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#wake();
  }

  get header(): RecorderOptions['header'] {
    return this.#options.header;
  }

  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** What comes while it works is seen before it rests. */
  #wake(): void {
    this.#isAwaited = true;
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#isAwaited) {
      this.#isAwaited = false;
      await this.#takeAll();
    }
    this.#isBusy = false;
    if (this.#isStopped || this.#isLong || this.#options.feed.ended !== undefined) await this.#finish();
  }

  async #takeAll(): Promise<void> {
    for (;;) {
      const taken = this.#segments.take();
      if (taken.kind === 'nothing') return;
      if (taken.kind === 'missed') this.#miss(taken.fromMsn, taken.toMsn, 'the disks were too slow');
      else if (this.#isOverLimit(taken.segment)) this.#isLong = true;
      else await this.#record(taken.segment);
    }
  }

  #isOverLimit({ record }: NewSegment): boolean {
    const { maxMs, header } = this.#options;
    return record.arrivedAtMs - header.startedAtMs >= maxMs;
  }

  /** On another disk if that of its file fails; left out when there is none. */
  async #record(segment: NewSegment): Promise<void> {
    const { disks, metrics } = this.#options;
    let reason = 'no disk has room';
    for (let tries = 0; tries <= disks.folders.length; tries++) {
      try {
        const file = await this.#fileFor(segment);
        if (!file) break;
        await this.#noteMissing(file);
        await file.append(segment);
        metrics.segments.inc();
        metrics.bytes.inc(segment.views.reduce((sum, view) => sum + view.length, 0));
        this.#begin(file.path);
        return;
      } catch (error) {
        reason = reasonOf(error);
        await this.#giveUp(error);
      }
    }
    const { msn } = segment.record;
    this.#miss(msn, msn + 1, reason);
  }

  #begin(path: string): void {
    if (!this.#hasBegun) this.#options.onBegun(path);
    this.#hasBegun = true;
  }

  async #fileFor(segment: NewSegment): Promise<RecordingFile | undefined> {
    const { fileMs, disks, header, files } = this.#options;
    const { startUs } = segment.record;
    if (this.#file && startUs - this.#file.startUs >= fileMs * 1000) {
      const full = this.#file;
      this.#file = undefined;
      await this.#endFile(full, false);
    }
    if (this.#file) return this.#file;
    const folder = await disks.choose();
    if (folder === undefined) return undefined;
    this.#file = await this.#create(folder, header, segment, files);
    return this.#file;
  }

  async #create(folder: string, header: RecorderOptions['header'], segment: NewSegment, files: Files) {
    try {
      return await RecordingFile.create(folder, header, segment, files);
    } catch (error) {
      this.#options.disks.fail(folder, error);
      throw error;
    }
  }

  async #giveUp(error: unknown): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await this.#abandon(file, error);
  }

  async #abandon(file: RecordingFile, error: unknown): Promise<void> {
    this.#options.disks.fail(file.folder, error);
    await file.abandon();
    this.#options.onAbandoned(file.path);
  }

  #miss(fromMsn: number, toMsn: number, reason: string): void {
    const { metrics, logger, header } = this.#options;
    metrics.missed.inc(toMsn - fromMsn);
    if (!this.#missing) logger.error({ recording: header.recording, fromMsn, reason }, 'recording has a gap');
    this.#missing = { fromMsn: this.#missing?.fromMsn ?? fromMsn, toMsn, reason };
  }

  async #noteMissing(file: RecordingFile): Promise<void> {
    if (!this.#missing) return;
    await file.gap(this.#missing);
    this.#missing = undefined;
  }

  #sync(): void {
    const file = this.#file;
    file?.sync().catch((error: unknown) => this.#options.disks.fail(file.folder, error));
  }

  async #finish(): Promise<void> {
    const { feed } = this.#options;
    this.#timer?.cancel();
    this.#unsubscribe();
    const file = this.#file;
    this.#file = undefined;
    const isLast = this.#isLong || (feed.ended !== undefined && !feed.isCut);
    if (file) await this.#endFile(file, isLast);
    this.#done.resolve();
  }

  async #endFile(file: RecordingFile, isLast: boolean): Promise<void> {
    const { clock, onFile } = this.#options;
    try {
      await this.#noteMissing(file);
      await file.end(isLast, clock.now());
      onFile(file.path);
    } catch (error) {
      await this.#abandon(file, error);
    }
  }
}
