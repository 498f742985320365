// Runs a transcoding job with real ffmpeg over a broadcast, without a server around it.

import { expect } from 'vitest';
import { type Clock, systemClock } from '../../../network/clock.ts';
import { Feed, type FeedReader } from '../../../network/feed/feed.ts';
import { FIRST_NUMBERING, type Numbering } from '../../../network/feed/numbering.ts';
import { type Chunk, readFrame } from '../../../network/media/chunk.ts';
import type { Rung, TranscodeJob } from '../../../network/state/state.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { RtmpMessage } from '../../../origin/media.ts';
import { Packager } from '../../../origin/packager/packager.ts';
import type { Encoders } from '../../../transcoder/ffmpeg/encoders.ts';
import { startFfmpeg } from '../../../transcoder/ffmpeg/ffmpeg.ts';
import { Job, type JobFeeds, type JobOptions } from '../../../transcoder/job.ts';
import { EPOCH_MS } from '../media/packaged.ts';
import { keepingLogger } from '../world/keeping-logger.ts';

export const SETTINGS = {
  encoders: { h264: 'libx264', hevc: 'libx265', av1: 'libaom-av1' },
  preset: 'ultrafast',
} as const;

export const SMALL: Rung = {
  name: '90p30',
  codec: 'h264',
  width: 160,
  height: 90,
  maxFrameRate: 30,
  videoKbps: 100,
};

/** A whole file in the window, however long. */
const LIMITS = { windowMs: 3_600_000 };

export function newFeed(): Feed {
  return new Feed(LIMITS);
}

/** One connection of a broadcaster. */
export class Publisher {
  readonly #feed: Feed;
  readonly #packager: Packager;

  constructor(feed: Feed, numbering: Numbering = FIRST_NUMBERING) {
    this.#feed = feed;
    this.#packager = new Packager({ numbering });
  }

  push(messages: readonly RtmpMessage[]): void {
    for (const message of messages)
      this.#append(this.#packager.push(readTag(message), EPOCH_MS + message.timestampMs));
  }

  /** Returns where the next connection goes on. */
  end(): Numbering {
    this.#append(this.#packager.end());
    return this.#packager.numbering;
  }

  #append(packaged: ReturnType<Packager['push']>): void {
    for (const item of packaged) {
      if (item.kind === 'init') this.#feed.begin(item.init);
      else this.#feed.append(item.chunk);
    }
  }
}

/** What one connection sends, from its first message to its end. */
export function publish(feed: Feed, messages: readonly RtmpMessage[], numbering?: Numbering): Numbering {
  const publisher = new Publisher(feed, numbering);
  publisher.push(messages);
  return publisher.end();
}

/** The feeds of a job that has the machine to itself. */
export class Bench implements JobFeeds {
  readonly rungs = new Map<string, Feed>();
  readonly cut: Feed[] = [];
  readonly released: string[] = [];
  readonly dropped: string[] = [];
  readonly lines = keepingLogger();
  /** Instead of the usual ones. */
  encoders: Encoders = {};
  #source: Feed;

  constructor(source: Feed) {
    this.#source = source;
  }

  async source(): Promise<FeedReader | undefined> {
    return this.#source;
  }

  async adopt(_: string, rendition: string, __?: () => void): Promise<Feed> {
    return this.rungs.getOrInsertComputed(rendition, newFeed);
  }

  renew(_: string, rendition: string): Feed {
    const before = this.rungs.get(rendition);
    if (before) this.cut.push(before);
    this.rungs.set(rendition, newFeed());
    return this.rungs.get(rendition)!;
  }

  release(_: string, rendition: string): void {
    this.released.push(rendition);
  }

  drop(_: string, rendition: string): void {
    this.dropped.push(rendition);
  }

  end(_: string, rendition: string, reason: string): void {
    this.rungs.get(rendition)?.end(reason);
  }

  start(rungs: readonly Rung[], { program = 'ffmpeg', clock = systemClock, maxBytes = 2e9 } = {}): Job {
    return new Job({ ...this.options({ program, clock, maxBytes }), transcode: { stream: 'alice', rungs } });
  }

  /** What a job has of its server. */
  options({ program = 'ffmpeg', clock = systemClock, maxBytes = 2e9 } = {}): Omit<JobOptions, 'transcode'> {
    return {
      feeds: this,
      settings: { ...SETTINGS, encoders: { ...SETTINGS.encoders, ...this.encoders } },
      startFfmpeg: (args, outputs) => startFfmpeg({ program, args, outputs, clock, maxBytes }),
      clock,
      logger: this.lines,
      failures: { inc: () => {} },
      onChange: () => {},
    };
  }
}

/** A whole broadcast, to its end. */
export async function transcoded(
  source: Feed,
  rungs: readonly Rung[],
  encoders: Encoders = {},
): Promise<{ readonly bench: Bench; readonly record: TranscodeJob }> {
  const bench = new Bench(source);
  bench.encoders = encoders;
  const job = bench.start(rungs);
  const records: TranscodeJob[] = [];
  for (const { name } of rungs) bench.rungs.set(name, newFeed());
  for (const feed of bench.rungs.values()) feed.subscribe((chunk) => chunk && records.push(job.record));
  source.end('over');
  await job.done;
  await job.close();
  return { bench, record: records.at(-1) ?? job.record };
}

/** Timers run so many times faster; how long something took is told as it is. */
export function hurried(times: number): Clock {
  return {
    ...systemClock,
    after: (delayMs, run) => systemClock.after(delayMs / times, run),
    every: (periodMs, run) => systemClock.every(periodMs / times, run),
  };
}

/** Resolves when a feed has a chunk for which this holds, past or to come. */
export function untilChunk(feed: FeedReader, fits: (chunk: Chunk) => boolean): Promise<void> {
  if (chunksOf(feed).some(fits)) return Promise.resolve();
  return new Promise((resolve) => {
    const unsubscribe = feed.subscribe((chunk) => {
      if (chunk && !fits(chunk)) return;
      unsubscribe();
      resolve();
    });
  });
}

export interface Start {
  readonly msn: number;
  readonly epoch: number;
  readonly startMs: number;
  readonly shownMs: number;
  readonly keyframe: boolean;
}

export function startsOf(feed: FeedReader): Start[] {
  return feed.segments.map((chunk) => {
    const { msn, epoch, keyframe } = chunk;
    const { lead } = feed.initOf(epoch)!;
    const startMs = (chunk.decodeTime / lead.timescale) * 1000;
    const shownMs = startMs + (readFrame(chunk).composition / lead.timescale) * 1000;
    return { msn, epoch, startMs, shownMs, keyframe };
  });
}

export function chunksOf(feed: FeedReader, trackId?: number): Chunk[] {
  const all = Array.from({ length: feed.next - feed.first }, (_, index) => feed.at(feed.first + index)!);
  return all.filter((chunk) => trackId === undefined || chunk.trackId === trackId);
}

/** When frames are shown, in ticks. */
export function shownTicks(feed: FeedReader, trackId = 1): number[] {
  return chunksOf(feed, trackId).map((chunk) => chunk.decodeTime + readFrame(chunk).composition);
}

/** All of a feed as one file, of the epochs that it has. */
export function fileOf(feed: FeedReader): Uint8Array {
  return Buffer.concat(feed.wire(feed.first, feed.next));
}

/** What an encoder has at most of frames that are shown before the key frame that they follow. */
const LEADING_MS = 140;

/**
 * The same segments, beginning at the same time. Where frames are shown before the key frame that they follow, they are in the
 * segment before, and the first one that has them is decoded so much later.
 */
export function expectAligned(rung: FeedReader, source: FeedReader, hasOpenGops = false): void {
  const bySource = new Map(startsOf(source).map((start) => [start.msn, start]));
  const starts = startsOf(rung);
  expect(starts.length).toBeGreaterThan(0);
  for (const [index, start] of starts.entries()) {
    const own = bySource.get(start.msn)!;
    expect(start.epoch).toBe(own.epoch);
    expect(start.msn).toBe(starts[0]!.msn + index);
    const withinMs = hasOpenGops && index === 1 ? LEADING_MS : 1;
    expect(Math.abs(start.startMs - own.startMs)).toBeLessThan(withinMs);
    expect(Math.abs(start.shownMs - own.shownMs)).toBeLessThan(1);
  }
}
