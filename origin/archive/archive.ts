// The archive: records what is broadcast here, and puts in order what a stop in the middle has left.

import { recordingId } from '../../network/archive/index-file.ts';
import type { Clock } from '../../network/clock.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import type { Logger } from '../../network/logger.ts';
import type { Metrics } from '../../network/metrics.ts';
import { archiveMetrics } from './archive-metrics.ts';
import { Disks } from './disks.ts';
import { type Files, systemFiles } from './files.ts';
import { Recorder } from './recorder.ts';
import { recoverDisk } from './recover.ts';

export interface ArchiveOptions {
  /** One folder on each disk. */
  readonly folders: readonly string[];
  readonly fileMs: number;
  readonly reserveBytes: number;
  /** Which streams are recorded. */
  readonly isRecorded: (stream: string) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly files?: Files;
}

export interface Archive {
  /**
   * Records a rendition until its feed ends, or what it gives is called. What a stream is recorded as is named by when its
   * broadcast began.
   */
  record(stream: string, rendition: string, feed: FeedReader, startedAtMs: number): () => void;
  /** Resolves once all that has ended is written. */
  settled(): Promise<void>;
}

/** Ends the files that were left open, then records. A disk that can't be read is told of and tried again when it is written to. */
export async function openArchive(options: ArchiveOptions): Promise<Archive> {
  const { folders, logger, clock, files = systemFiles } = options;
  const disks = new Disks({ ...options, files });
  const metrics = archiveMetrics(options.metrics);
  for (const folder of folders) {
    const ended = await recoverDisk(folder, { files, logger, nowMs: clock.now() }).catch((error: unknown) => {
      disks.fail(folder, error);
      return 0;
    });
    if (ended > 0) logger.info({ disk: folder, files: ended }, 'files of a stop in the middle were ended');
  }
  const recorders = new Set<Recorder>();
  return {
    record(stream, rendition, feed, startedAtMs) {
      if (!options.isRecorded(stream)) return () => {};
      const header = { recording: recordingId(stream, startedAtMs), stream, rendition, startedAtMs };
      const recorder = new Recorder({ ...options, feed, header, disks, files, metrics });
      recorders.add(recorder);
      void recorder.done.then(() => recorders.delete(recorder));
      return () => recorder.stop();
    },
    async settled() {
      await Promise.all([...recorders].map(({ done }) => done));
    },
  };
}
