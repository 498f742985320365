// A job: one stream with its rungs, from the first run of ffmpeg over every restart until it is wanted no more.

import { type Clock, sleep, type Timer } from '../network/clock.ts';
import { reasonOf } from '../network/errors.ts';
import type { Feed, FeedReader } from '../network/feed/feed.ts';
import { describeRendition } from '../network/feed/rendition.ts';
import type { Logger } from '../network/logger.ts';
import { type Chunk, readFrame } from '../network/media/chunk.ts';
import { codecsOf } from '../network/media/init.ts';
import type { Counter } from '../network/metrics.ts';
import type { Transcode, TranscodeJob } from '../network/state/state.ts';
import { Alignment } from './alignment.ts';
import { beginningOf } from './beginning.ts';
import { Encoding, type EncodingEnd, type Writers } from './encoding.ts';
import type { Ffmpeg } from './ffmpeg/ffmpeg.ts';
import { type TranscodeSettings, transcodeArgs } from './ffmpeg/ffmpeg-args.ts';
import { RungFeed } from './rung-feed.ts';
import type { RungWriter } from './rung-writer.ts';

/** What a job has of the server that it runs on. */
export interface JobFeeds {
  /** The source, once there is a segment of it to begin with; undefined while there is none. */
  source(stream: string): Promise<FeedReader | undefined>;
  /**
   * The feed of a rung, to write: as it was left here, or with what another worker has given away of it, if any server still has
   * it. One that makes it yet is waited for: `onFed` learns of that.
   */
  adopt(stream: string, rendition: string, onFed: () => void): Promise<Feed>;
  /** A new feed in its place. */
  renew(stream: string, rendition: string): Feed;
  /** It is written no more here, and may be elsewhere. */
  release(stream: string, rendition: string, feed: Feed): void;
  /** Nobody writes it any more, though the stream goes on: players leave for other renditions. */
  drop(stream: string, rendition: string): void;
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

interface Start {
  readonly from: Chunk;
  readonly alignment: Alignment;
  /** Up to when each rung with pictures has its frames: none of them is encoded again. */
  readonly ends: readonly (number | undefined)[];
}

interface Ahead extends Pick<Start, 'from' | 'alignment'> {
  readonly encoding: Encoding;
}

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
  /** What was begun before its rungs were given away. */
  #ahead: Ahead | undefined;
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
   * It ends where a segment does, so that the next begins with one, unless it is so far behind that this would take long. `kept`
   * names the rungs that another job here goes on with, the others being made no more; undefined: another worker may go on with
   * all. Resolves when ffmpeg is gone.
   */
  async leave(kept?: readonly string[]): Promise<void> {
    const patience = this.#options.clock.after(LEAVE_MS, () => this.#encoding?.close());
    if (this.#state === 'behind') this.#encoding?.close();
    else this.#encoding?.leave();
    await this.#release(kept);
    patience.cancel();
  }

  /** As `leave`, at once. */
  async close(): Promise<void> {
    this.#encoding?.close();
    await this.#release();
  }

  async #release(kept?: readonly string[]): Promise<void> {
    this.#isClosed = true;
    this.#watch.cancel();
    this.#closed.resolve();
    await this.done;
    for (const rung of this.#rungs)
      if (!kept) rung.release();
      else if (!kept.includes(rung.rung.name)) rung.drop();
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
    const beginAhead = (): void => this.#beginAhead(source);
    const feeds = await Promise.all(this.#rungs.map((rung) => rung.open(beginAhead)));
    if (this.#isClosed) return this.#dropAhead();
    const from = this.#goOnAhead() ?? (await this.#begin(source, feeds));
    if (!from) return this.#nothingFrom(source);
    this.#change('running', this.#reason);
    const startedAtMs = this.#options.clock.monotonic();
    const end = await this.#encoding!.ended;
    this.#encoding = undefined;
    this.#ffmpeg = undefined;
    if (this.#options.clock.monotonic() - startedAtMs > STEADY_MS) this.#failures = 0;
    if (end.kind === 'epoch') this.#doneEpoch = from.epoch;
    return end;
  }

  #nothingFrom({ ended, isCut }: FeedReader): EncodingEnd | undefined {
    return ended !== undefined && !isCut ? { kind: 'over' } : undefined;
  }

  /** Where its rungs stopped. Returns the first chunk, if there is one yet. */
  async #begin(source: FeedReader, feeds: readonly FeedReader[]): Promise<Chunk | undefined> {
    await this.#dropAhead();
    const from = beginningOf(source, feeds, this.#doneEpoch);
    if (!from) return undefined;
    const alignment = new Alignment();
    const writers = this.#writers(from, alignment, false);
    const ends = writers.pictures.map(({ shownTicks }) => shownTicks);
    this.#encoding = this.#start(source, { from, alignment, ends });
    this.#encoding.write(writers);
    return from;
  }

  /**
   * While another worker makes the rungs yet, and gives them away between two segments: what follows is encoded by then. It begins
   * with a segment that the other is done with before that.
   */
  #beginAhead(source: FeedReader): void {
    const newest = source.newestStart();
    if (this.#ahead || this.#isClosed || !newest || source.initOf(newest.epoch)?.lead.kind !== 'video')
      return;
    const before = source.segments.findLast(
      ({ msn, epoch }) => msn === newest.msn - 1 && epoch === newest.epoch,
    );
    const from = before?.keyframe ? before : newest;
    const alignment = new Alignment();
    this.#encoding = this.#start(source, { from, alignment, ends: [] });
    this.#ahead = { from, alignment, encoding: this.#encoding };
  }

  /** Returns the first chunk of what was begun ahead, if all rungs are beyond it. */
  #goOnAhead(): Chunk | undefined {
    const ahead = this.#ahead;
    if (!ahead || ahead.encoding.isOver) return undefined;
    const { from, alignment, encoding } = ahead;
    const writers = this.#writers(from, alignment, true);
    const isWhole = writers.pictures.every(({ shownTicks = 0 }) => shownTicks >= shownAt(from));
    if (!isWhole) return undefined;
    this.#ahead = undefined;
    encoding.write(writers);
    return from;
  }

  async #dropAhead(): Promise<undefined> {
    if (!this.#ahead) return;
    this.#ahead.encoding.close();
    await this.#ahead.encoding.ended;
    this.#ahead = undefined;
    this.#encoding = undefined;
    this.#ffmpeg = undefined;
  }

  #writers({ epoch }: Chunk, alignment: Alignment, isAhead: boolean): Writers {
    const writerOf = (rung: RungFeed): RungWriter => rung.write(epoch, alignment, isAhead);
    return { pictures: this.#pictures.map(writerOf), sounds: this.#sounds.map(writerOf) };
  }

  #start(source: FeedReader, { from, alignment, ends }: Start): Encoding {
    const { settings, startFfmpeg, clock, logger, transcode } = this.#options;
    const makesAudio = !isAac(codecsOf(source.initOf(from.epoch)!));
    const sourceFrameRate = describeRendition('', source)?.frameRate ?? 0;
    const outputs = this.#pictures.map(({ rung }, index) => ({
      rung,
      sourceFrameRate,
      afterTicks: ends[index],
    }));
    const count = outputs.length + (makesAudio ? 1 : 0);
    const ffmpeg = count > 0 ? startFfmpeg(transcodeArgs(outputs, makesAudio, settings), count) : undefined;
    this.#ffmpeg = ffmpeg;
    logger.info(
      { stream: transcode.stream, msn: from.msn, epoch: from.epoch, pid: ffmpeg?.pid },
      'transcodes',
    );
    return new Encoding({ source, from, alignment, makesAudio, ffmpeg, clock });
  }

  get #pictures(): readonly RungFeed[] {
    return this.#rungs.filter(({ rung }) => rung.codec !== 'none');
  }

  get #sounds(): readonly RungFeed[] {
    return this.#rungs.filter(({ rung }) => rung.codec === 'none');
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

function shownAt(chunk: Chunk): number {
  return chunk.decodeTime + readFrame(chunk).composition;
}

/** A look later a server that catches up is nearer by a tenth. */
const NEARER = 0.9;

/** AAC, which every browser plays: other sound is made AAC. MP3 in MP4 has a name of the same kind. */
function isAac(codecs: string): boolean {
  return codecs.split(',').some((codec) => /^mp4a\.40\.(?:2|5|29)$/.test(codec));
}
