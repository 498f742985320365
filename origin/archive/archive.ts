// The archive: records what is broadcast here, and puts in order what a stop in the middle has left.

import type { Catalogue } from '../../network/archive/catalogue.ts';
import { recordingId } from '../../network/archive/index-file.ts';
import type { Library } from '../../network/archive/library.ts';
import type { Clock } from '../../network/clock.ts';
import type { FeedReader } from '../../network/feed/feed.ts';
import type { Logger } from '../../network/logger.ts';
import type { Metrics } from '../../network/metrics.ts';
import { archiveMetrics } from './archive-metrics.ts';
import { Cataloguer } from './cataloguer.ts';
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
  /** What lies in the folders, read. */
  readonly library: Pick<Library, 'find'>;
  readonly catalogue: Catalogue;
  /** Id of this server. */
  readonly keeper: string;
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
  /** Resolves once all is written and told of; the feeds must have ended. */
  close(): Promise<void>;
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
  const list = async (): Promise<string[]> => {
    const ids = await Promise.all(folders.map((folder) => files.list(folder).catch(() => [])));
    return [...new Set(ids.flat())];
  };
  const cataloguer = new Cataloguer({ ...options, list });
  void cataloguer.noteAll();
  const recorders = new Set<Recorder>();
  let settle = (): void => {};
  return {
    record(stream, rendition, feed, startedAtMs) {
      if (!options.isRecorded(stream)) return () => {};
      const header = { recording: recordingId(stream, startedAtMs), stream, rendition, startedAtMs };
      const recorder = new Recorder({ ...options, feed, header, disks, files, metrics });
      recorders.add(recorder);
      cataloguer.grow(header.recording);
      void recorder.done.then(async () => {
        await cataloguer.settle(header.recording);
        recorders.delete(recorder);
        settle();
      });
      return () => recorder.stop();
    },
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>();
      settle = () => {
        if (recorders.size === 0) resolve();
      };
      settle();
      await promise;
      cataloguer[Symbol.dispose]();
    },
  };
}
