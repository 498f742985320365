// Records one rendition of a broadcast: a reader of its feed that writes whole segments, behind everybody's back.

import type { FileHeader } from '../../../network/archive/index-file.ts';
import type { Clock, Timer } from '../../../network/clock.ts';
import { reasonOf } from '../../../network/errors.ts';
import type { FeedReader } from '../../../network/feed/feed.ts';
import type { Logger } from '../../../network/logger.ts';
import type { ArchiveMetrics } from '../archive-metrics.ts';
import type { Disks } from './disks.ts';
import { FeedSegments, type Taken } from './feed-segments.ts';
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

/** What waits is written together: where a disk or a core is slow, the way there is what takes long. */
const AT_ONCE = 16;

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
      const { waiting, behind } = this.#takeWaiting();
      if (waiting.length > 0) await this.#record(waiting);
      if (behind.kind === 'missed') this.#miss(behind.fromMsn, behind.toMsn, 'the disks were too slow');
      else if (waiting.length < AT_ONCE) return;
    }
  }

  /** Whole segments, at most AT_ONCE, and what there is behind them. */
  #takeWaiting(): { readonly waiting: readonly NewSegment[]; readonly behind: Taken } {
    const waiting: NewSegment[] = [];
    while (waiting.length < AT_ONCE) {
      const taken = this.#segments.take();
      if (taken.kind !== 'segment') return { waiting, behind: taken };
      if (this.#isOverLimit(taken.segment)) this.#isLong = true;
      else waiting.push(taken.segment);
    }
    return { waiting, behind: { kind: 'nothing' } };
  }

  #isOverLimit({ record }: NewSegment): boolean {
    const { maxMs, header } = this.#options;
    return record.arrivedAtMs - header.startedAtMs >= maxMs;
  }

  /** On another disk if that of the file fails; left out when there is none. What can't be written together may be one by one. */
  async #record(segments: readonly NewSegment[]): Promise<void> {
    const [first, ...others] = segments as [NewSegment, ...NewSegment[]];
    const { disks, fileMs } = this.#options;
    let reason = 'no disk has room';
    for (let tries = 0; tries <= disks.folders.length; tries++) {
      try {
        const file = await this.#fileFor(first);
        if (!file) break;
        const fits = ({ record }: NewSegment): boolean => record.startUs - file.startUs < fileMs * 1000;
        const fitting = [first, ...others.filter(fits)];
        await this.#noteMissing(file);
        await file.append(...fitting);
        this.#count(fitting, file);
        const later = segments.slice(fitting.length);
        if (later.length > 0) await this.#record(later);
        return;
      } catch (error) {
        if (others.length > 0) return await this.#recordEach(segments);
        reason = reasonOf(error);
        await this.#giveUp(error);
      }
    }
    for (const { record } of segments) this.#miss(record.msn, record.msn + 1, reason);
  }

  async #recordEach(segments: readonly NewSegment[]): Promise<void> {
    for (const segment of segments) await this.#record([segment]);
  }

  #count(segments: readonly NewSegment[], { path }: RecordingFile): void {
    const { metrics } = this.#options;
    metrics.segments.inc(segments.length);
    for (const { views } of segments) metrics.bytes.inc(views.reduce((sum, view) => sum + view.length, 0));
    this.#begin(path);
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
