// A job: one stream with its rungs, from the first run of ffmpeg over every restart until it is wanted no more.

import { type Clock, sleep, type Timer } from '../network/clock.ts';
import { reasonOf } from '../network/errors.ts';
import type { Feed, FeedReader } from '../network/feed/feed.ts';
import { describeRendition } from '../network/feed/rendition.ts';
import type { Logger } from '../network/logger.ts';
import type { Chunk } from '../network/media/chunk.ts';
import { codecsOf } from '../network/media/init.ts';
import type { Counter } from '../network/metrics.ts';
import type { RenditionRecord, Rung, Transcode, TranscodeJob } from '../network/state/state.ts';
import { Alignment } from './alignment.ts';
import { beginningOf } from './beginning.ts';
import { Encoding, type EncodingEnd } from './encoding.ts';
import type { Ffmpeg } from './ffmpeg/ffmpeg.ts';
import { type TranscodeSettings, transcodeArgs } from './ffmpeg/ffmpeg-args.ts';
import { RungWriter } from './rung-writer.ts';

/** What a job has of the server that it runs on. */
export interface JobFeeds {
  /** The source, once there is a segment of it to begin with; undefined while there is none. */
  source(stream: string): Promise<FeedReader | undefined>;
  /**
   * The feed of a rung, to write: as it was left here, or with what another worker has given away of it, if any server still has
   * it.
   */
  adopt(stream: string, rendition: string): Promise<Feed>;
  /** A new feed in its place. */
  renew(stream: string, rendition: string): Feed;
  /** It is written no more here, and may be elsewhere. */
  release(stream: string, rendition: string, feed: Feed): void;
  /** The stream is over. */
  end(stream: string, rendition: string, reason: string): void;
}

export interface JobOptions {
  readonly transcode: Transcode;
  readonly feeds: JobFeeds;
  readonly settings: TranscodeSettings;
  readonly startFfmpeg: (args: readonly string[], outputs: number) => Ffmpeg;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Counts runs of ffmpeg that failed. */
  readonly failures: Pick<Counter, 'inc'>;
  /** Its record is another one. */
  readonly onChange: () => void;
}

/** Between a failure and the next try: doubled with each that fails too. */
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 5_000;
/** After so many in a row it is given up. */
const MAX_FAILURES = 6;
/** A run of this length was a good one. */
const STEADY_MS = 10_000;
const WAIT_MS = 500;
/** One that is to leave goes on for so long at most: until the segment ends that it is in. */
const LEAVE_MS = 6_000;
/** So long who goes on with a rung waits for the one before. */
export const HANDOVER_MS = LEAVE_MS + 2_000;
const LOOK_MS = 1_000;
/** So far behind the source, for so many looks in a row and no nearer, a server is too slow. */
const BEHIND_MS = 3_000;
const BEHIND_LOOKS = 5;
/** A worker that died was missed after three seconds: what comes after its last frame is a GOP and some time older than that. */
export const SOURCE_BACK_S = 10;

export class Job {
  readonly #options: JobOptions;
  readonly #rungs: readonly RungFeed[];
  readonly #closed = Promise.withResolvers<void>();
  readonly #watch: Timer;
  readonly done: Promise<void>;
  #state: TranscodeJob['state'] = 'starting';
  #reason = '';
  #failures = 0;
  #encoding: Encoding | undefined;
  #ffmpeg: Ffmpeg | undefined;
  #lastLagMs = 0;
  #behindLooks = 0;
  /** The last epoch that is done with. */
  #doneEpoch: number | undefined;
  #isClosed = false;

  constructor(options: JobOptions) {
    this.#options = options;
    const { transcode, clock, feeds } = options;
    this.#rungs = transcode.rungs.map(
      (rung) => new RungFeed(transcode.stream, rung, feeds, options.onChange),
    );
    this.#watch = clock.every(LOOK_MS, () => this.#watchLag());
    this.done = this.#run().catch((error: unknown) => this.#fail(reasonOf(error)));
  }

  get transcode(): Transcode {
    return this.#options.transcode;
  }

  get record(): TranscodeJob {
    const renditions = this.#rungs.flatMap(({ record }) => (record ? [record] : []));
    return { stream: this.transcode.stream, state: this.#state, reason: this.#reason, renditions };
  }

  /** Of the ffmpeg that runs now. */
  get pid(): number | undefined {
    return this.#ffmpeg?.pid;
  }

  get lagMs(): number {
    return this.#encoding?.lagMs ?? 0;
  }

  /**
   * It is wanted no more here, but for rungs that another job goes on with. It ends where a segment does, so that the next begins
   * with one, unless it is so far behind that this would take long. Resolves when ffmpeg is gone.
   */
  async leave(kept: readonly string[]): Promise<void> {
    const patience = this.#options.clock.after(LEAVE_MS, () => this.#encoding?.close());
    if (this.#state === 'behind') this.#encoding?.close();
    else this.#encoding?.leave();
    await this.#release(kept);
    patience.cancel();
  }

  /** As `leave`, at once. */
  async close(): Promise<void> {
    this.#encoding?.close();
    await this.#release([]);
  }

  async #release(kept: readonly string[]): Promise<void> {
    this.#isClosed = true;
    this.#watch.cancel();
    this.#closed.resolve();
    await this.done;
    for (const rung of this.#rungs) if (!kept.includes(rung.rung.name)) rung.release();
  }

  async #run(): Promise<void> {
    const { feeds, transcode } = this.#options;
    while (!this.#isClosed && this.#state !== 'failed') {
      const source = await feeds.source(transcode.stream);
      if (this.#isClosed) return;
      const end = source && (await this.#encode(source));
      if (!end) await this.#pause(WAIT_MS);
      else if (end.kind === 'failed') await this.#retry(end.reason);
      else if (end.kind === 'over' && !source.isCut) {
        for (const rung of this.#rungs) rung.end(source.ended!);
        return;
      }
    }
  }

  /** One epoch, or as much of it as there is. Undefined: there is nothing to begin with yet. */
  async #encode(source: FeedReader): Promise<EncodingEnd | undefined> {
    const feeds = await Promise.all(this.#rungs.map((rung) => rung.open()));
    if (this.#isClosed) return undefined;
    const from = beginningOf(source, feeds, this.#doneEpoch);
    if (!from) return this.#nothingFrom(source);
    const startedAtMs = this.#options.clock.monotonic();
    this.#encoding = this.#start(source, from);
    const end = await this.#encoding.ended;
    this.#encoding = undefined;
    this.#ffmpeg = undefined;
    if (this.#options.clock.monotonic() - startedAtMs > STEADY_MS) this.#failures = 0;
    if (end.kind === 'epoch') this.#doneEpoch = from.epoch;
    return end;
  }

  #nothingFrom({ ended, isCut }: FeedReader): EncodingEnd | undefined {
    return ended !== undefined && !isCut ? { kind: 'over' } : undefined;
  }

  #start(source: FeedReader, from: Chunk): Encoding {
    const { settings, startFfmpeg, clock, logger, transcode } = this.#options;
    const init = source.initOf(from.epoch)!;
    const sourceFrameRate = describeRendition('', source)?.frameRate ?? 0;
    const alignment = new Alignment();
    const writerOf = (rung: RungFeed): RungWriter => rung.write(from.epoch, alignment);
    const pictures = this.#rungs.filter(({ rung }) => rung.codec !== 'none');
    const writers = pictures.map(writerOf);
    const audioWriters = this.#rungs.filter(({ rung }) => rung.codec === 'none').map(writerOf);
    const makesAudio = !isAac(codecsOf(init));
    const outputs = pictures.map(({ rung }, index) => {
      const afterTicks = writers[index]!.shownTicks;
      return { rung, sourceFrameRate, afterTicks };
    });
    const count = outputs.length + (makesAudio ? 1 : 0);
    const ffmpeg = count > 0 ? startFfmpeg(transcodeArgs(outputs, makesAudio, settings), count) : undefined;
    this.#ffmpeg = ffmpeg;
    this.#change('running', this.#reason);
    logger.info(
      { stream: transcode.stream, msn: from.msn, epoch: from.epoch, pid: ffmpeg?.pid },
      'transcodes',
    );
    return new Encoding({ source, from, alignment, writers, audioWriters, makesAudio, ffmpeg, clock });
  }

  async #retry(reason: string): Promise<void> {
    if (this.#isClosed) return;
    this.#failures++;
    this.#options.failures.inc();
    if (this.#failures >= MAX_FAILURES) {
      this.#fail(reason);
      return;
    }
    this.#options.logger.warn(
      { stream: this.transcode.stream, reason },
      'ffmpeg failed, and is started again',
    );
    this.#change('restarting', reason);
    await this.#pause(Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failures - 1)));
  }

  #fail(reason: string): void {
    this.#options.logger.error({ stream: this.transcode.stream, reason }, 'transcoding is given up');
    this.#change('failed', reason);
  }

  #pause(ms: number): Promise<void> {
    return Promise.race([sleep(this.#options.clock, ms), this.#closed.promise]);
  }

  /** Catching up after a start is no sign of a slow server as long as it comes nearer. */
  #watchLag(): void {
    const lagMs = this.lagMs;
    const isBehind = lagMs > BEHIND_MS && lagMs >= this.#lastLagMs * NEARER;
    this.#behindLooks = isBehind ? this.#behindLooks + 1 : 0;
    this.#lastLagMs = lagMs;
    if (this.#behindLooks >= BEHIND_LOOKS)
      this.#change(
        'behind',
        `it is ${Math.round(lagMs / 1000)} s behind the source: this server is too slow`,
      );
    else if (this.#state === 'behind' && lagMs < BEHIND_MS) this.#change('running', '');
  }

  #change(state: TranscodeJob['state'], reason: string): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.onChange();
  }
}

/** A look later a server that catches up is nearer by a tenth. */
const NEARER = 0.9;

/** AAC, which every browser plays: other sound is made AAC. MP3 in MP4 has a name of the same kind. */
function isAac(codecs: string): boolean {
  return codecs.split(',').some((codec) => /^mp4a\.40\.(?:2|5|29)$/.test(codec));
}

/** One rung, over all runs of ffmpeg: the feed that it is written to, and what is said of it. */
class RungFeed {
  readonly rung: Rung;
  readonly #stream: string;
  readonly #feeds: JobFeeds;
  readonly #onChange: () => void;
  #feed: Feed | undefined;
  #record: RenditionRecord | undefined;

  constructor(stream: string, rung: Rung, feeds: JobFeeds, onChange: () => void) {
    this.#stream = stream;
    this.rung = rung;
    this.#feeds = feeds;
    this.#onChange = onChange;
  }

  /** Undefined before there is a whole segment: players could not begin. */
  get record(): RenditionRecord | undefined {
    return this.#record;
  }

  async open(): Promise<Feed> {
    if (!this.#feed) this.#use(await this.#feeds.adopt(this.#stream, this.rung.name));
    return this.#feed!;
  }

  write(epoch: number, alignment: Alignment): RungWriter {
    const renew = (): Feed => this.#use(this.#feeds.renew(this.#stream, this.rung.name));
    const isAudioAlone = this.rung.codec === 'none';
    return new RungWriter({ feed: this.#feed!, renew, epoch, alignment, isAudioAlone });
  }

  release(): void {
    if (this.#feed) this.#feeds.release(this.#stream, this.rung.name, this.#feed);
    this.#feed = undefined;
  }

  end(reason: string): void {
    this.#feeds.end(this.#stream, this.rung.name, reason);
    this.#feed = undefined;
    this.#record = undefined;
    this.#onChange();
  }

  #use(feed: Feed): Feed {
    this.#feed = feed;
    const newest = feed.segments.at(-1);
    if (newest) this.#describe(feed, newest);
    feed.subscribe((chunk) => {
      if (chunk?.startsSegment && this.#feed === feed) this.#describe(feed, chunk);
    });
    return feed;
  }

  /** By its whole segments: the first frame of one says nothing of its bitrate. */
  #describe(feed: Feed, { epoch }: Chunk): void {
    if (feed.segments.filter((segment) => segment.epoch === epoch).length < 2) return;
    const isNew = this.#record === undefined;
    this.#record = describeRendition(this.rung.name, feed);
    if (isNew) this.#onChange();
  }
}
