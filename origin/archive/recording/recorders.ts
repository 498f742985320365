// What is being recorded now.

import { recordingId } from '../../../network/archive/index-file.ts';
import type { Timer } from '../../../network/clock.ts';
import type { FeedReader } from '../../../network/feed/feed.ts';
import { SOURCE } from '../../../network/feed/feeds.ts';
import type { RecordingPolicy } from '../policy.ts';
import { Recorder, type RecorderOptions } from './recorder.ts';

export interface RecordersOptions extends Omit<RecorderOptions, 'feed' | 'header' | 'maxMs'> {
  readonly policy: (stream: string) => RecordingPolicy;
  /** There is more of a recording, or it has ended. */
  readonly onNews: (recording: string) => Promise<void>;
}

/** How often it is told that there is more. */
const NEWS_MS = 10_000;

export class Recorders {
  readonly #options: RecordersOptions;
  /** With the recording that each is of. */
  readonly #recorders = new Map<Recorder, string>();
  readonly #told = new Set<Promise<void>>();
  readonly #timer: Timer;

  constructor(options: RecordersOptions) {
    this.#options = options;
    this.#timer = options.clock.every(NEWS_MS, () => {
      for (const recording of new Set(this.#recorders.values())) this.#tell(recording);
    });
  }

  /**
   * Records a rendition until its feed ends, or what it gives is called. What a stream is recorded as is named by when its
   * broadcast began.
   */
  record(stream: string, rendition: string, feed: FeedReader, startedAtMs: number): () => void {
    const { isRecorded, maxMs } = this.#options.policy(stream);
    if (!isRecorded) return () => {};
    const recording = recordingId(stream, startedAtMs);
    const header = { recording, stream, rendition, startedAtMs };
    const onBegun = (path: string): void => {
      this.#options.logger.info({ stream, recording, rendition, file: path }, 'recording begins');
      this.#options.onBegun(path);
      this.#tell(recording);
    };
    const recorder = new Recorder({ ...this.#options, feed, header, maxMs, onBegun });
    this.#recorders.set(recorder, recording);
    void recorder.done.then(() => {
      this.#recorders.delete(recorder);
      this.#tell(recording);
    });
    return () => recorder.stop();
  }

  /** Whether a rendition of a stream is being recorded. */
  reads(stream: string, rendition: string): boolean {
    return this.#recorders
      .keys()
      .some(({ header }) => header.stream === stream && header.rendition === rendition);
  }

  has(recording: string): boolean {
    return this.#recorders.values().some((each) => each === recording);
  }

  /** Resolves once all is written and told of; the feeds of sources must have ended, those of other servers need not. */
  async close(): Promise<void> {
    this.#timer.cancel();
    for (const recorder of this.#recorders.keys()) if (recorder.header.rendition !== SOURCE) recorder.stop();
    await Promise.all(this.#recorders.keys().map(({ done }) => done));
    await Promise.all(this.#told);
  }

  #tell(recording: string): void {
    const told = this.#options.onNews(recording).finally(() => this.#told.delete(told));
    this.#told.add(told);
  }
}
