// What a feed's bytes say of the rendition they carry: codecs, size, frame rate, bit rates. Pure.

import { type Chunk, readFrame } from '../media/chunk.ts';
import { codecsOf, type Init } from '../media/init.ts';
import type { RenditionRecord } from '../state/state.ts';
import type { FeedReader } from './feed.ts';
import type { Feeds } from './feeds.ts';

/** Describes a feed, or gives undefined before its first chunk. */
export function describeRendition(name: string, feed: FeedReader): RenditionRecord | undefined {
  const newest = feed.at(feed.next - 1);
  const init = newest && feed.initOf(newest.epoch);
  if (!newest || !init) return undefined;
  const rates = segmentRates(feed, init, newest);
  const bits = rates.reduce((sum, rate) => sum + rate.bits, 0);
  const seconds = rates.reduce((sum, rate) => sum + rate.seconds, 0);
  return {
    name,
    codecs: codecsOf(init),
    width: init.lead.width,
    height: init.lead.height,
    frameRate: frameRate(feed, init, newest),
    peakBps: Math.ceil(Math.max(...rates.map((rate) => rate.bits / rate.seconds))),
    averageBps: Math.ceil(bits / seconds),
    ...(opensGops(feed, init, newest) && { opensGops: true }),
  };
}

/** Of a feed's whole segments, or of the first one as far as it is here; 0 before that. */
export function averageMbps(feed: FeedReader | undefined): number {
  const bps = feed ? describeRendition('', feed)?.averageBps : undefined;
  return bps !== undefined && Number.isFinite(bps) ? bps / 1e6 : 0;
}

/** All renditions together of the stream that takes most, by what the feeds hold; 0 when they hold nothing. */
export function heaviestMbps(feeds: Feeds): number {
  const byStream = new Map<string, number>();
  for (const { stream, feed } of feeds.all()) {
    const mbps = feed.heldMs > 0 ? (feed.bytesHeld * 8) / feed.heldMs / 1_000 : 0;
    byStream.set(stream, (byStream.get(stream) ?? 0) + mbps);
  }
  return Math.max(0, ...byStream.values());
}

/** A segment begins with its key frame, which alone would make a rate of many times the stream's: an open one counts as so long. */
const OPEN_SEGMENT_S = 1;

interface SegmentRate {
  readonly bits: number;
  readonly seconds: number;
}

/** Of the whole segments of the newest epoch; of the open one when there is none. */
function segmentRates(feed: FeedReader, init: Init, newest: Chunk): SegmentRate[] {
  const starts = feed.segments.filter((segment) => segment.epoch === newest.epoch);
  const whole = starts.slice(1).map((next, index) => wholeRate(feed, init, starts[index]!, next));
  const open = starts.at(-1)!;
  return whole.length > 0 ? whole : [rateBetween(feed, init, open, undefined)];
}

/** Of segments that are whole, by their first chunks: they are asked for again with each that follows. */
const known = new WeakMap<Chunk, SegmentRate>();

function wholeRate(feed: FeedReader, init: Init, start: Chunk, next: Chunk): SegmentRate {
  return known.getOrInsertComputed(start, () => rateBetween(feed, init, start, next));
}

function rateBetween(feed: FeedReader, init: Init, start: Chunk, next: Chunk | undefined): SegmentRate {
  let bytes = 0;
  let endTicks = next?.decodeTime ?? 0;
  for (let sequence = start.sequence; sequence < (next?.sequence ?? feed.next); sequence++) {
    const chunk = feed.at(sequence)!;
    bytes += chunk.bytes.length;
    if (!next && chunk.trackId === init.lead.id) endTicks = chunk.decodeTime + chunk.duration;
  }
  const seconds = (endTicks - start.decodeTime) / init.lead.timescale;
  return { bits: bytes * 8, seconds: next ? seconds : Math.max(seconds, OPEN_SEGMENT_S) };
}

/** Frames of one rate differ by less than this: RTMP's times are whole milliseconds. */
const USUAL_SPREAD = 1.5;
/** So much of all frames may be shorter than is usual, by somebody's mistake. */
const OUTLIERS = 0.1;

/**
 * Over the newest 60 frames of the lead track, to a thousandth: the greatest, as FRAME-RATE has it (RFC 8216bis 4.4.6.2). Where
 * frames are left out now and then, it is the rate of those between which none is.
 */
function frameRate(feed: FeedReader, init: Init, newest: Chunk): number {
  if (init.lead.kind !== 'video') return 0;
  const ticks = frameTicks(feed, init, newest).sort((one, other) => one - other);
  const shortest = ticks[Math.floor(ticks.length * OUTLIERS)] ?? 0;
  const usual = ticks.filter((each) => each * USUAL_SPREAD >= shortest && each <= shortest * USUAL_SPREAD);
  const sum = usual.reduce((total, each) => total + each, 0);
  return sum > 0 ? Math.round((usual.length * init.lead.timescale * 1000) / sum) / 1000 : 0;
}

/** From each of the newest frames to the next. */
function frameTicks(feed: FeedReader, init: Init, newest: Chunk): number[] {
  const ticks: number[] = [];
  let next: Chunk | undefined;
  for (let sequence = newest.sequence; ticks.length < 60; sequence--) {
    const chunk = feed.at(sequence);
    if (chunk?.epoch !== newest.epoch) break;
    if (chunk.trackId !== init.lead.id) continue;
    ticks.push(next ? next.decodeTime - chunk.decodeTime : chunk.duration);
    next = chunk;
  }
  return ticks;
}

/** So many frames at most are shown before the key frame that they follow: encoders reorder no more. */
const MAX_LEADING = 16;

/** By what follows the newest key frames. */
function opensGops(feed: FeedReader, { lead }: Init, { epoch }: Chunk): boolean {
  if (lead.kind !== 'video') return false;
  const starts = feed.segments.filter((segment) => segment.epoch === epoch && segment.keyframe);
  return starts.slice(-2).some((start) => {
    for (let sequence = start.sequence + 1, frames = 0; frames < MAX_LEADING; sequence++) {
      const chunk = feed.at(sequence);
      if (!chunk || chunk.startsSegment) return false;
      if (chunk.trackId !== lead.id) continue;
      if (shownAt(chunk) < shownAt(start)) return true;
      frames++;
    }
    return false;
  });
}

function shownAt(chunk: Chunk): number {
  return chunk.decodeTime + readFrame(chunk).composition;
}
