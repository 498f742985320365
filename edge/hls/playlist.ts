// The media playlist (RFC 8216bis): which segments it lists, and its text. The same on every server that holds the same window. Pure.

import { PART_MAX_MS } from '../../network/feed/hls-limits.ts';
import type { Part, Place, Segment } from './segments.ts';

/** What a playlist is made of. */
export interface Listing {
  /** The whole segments held, oldest first. */
  readonly closed: readonly Segment[];
  readonly open: Segment | undefined;
  /** 0 only where the feed ended before it was fixed. */
  readonly targetDurationS: number;
  readonly hasEnded: boolean;
}

/** How far another rendition of the stream has come here (EXT-X-RENDITION-REPORT, 4.4.5.4). */
export interface RenditionReport {
  readonly name: string;
  /** The last part that its playlist lists. */
  readonly last: Place;
}

/** More would be a longer text and no use: players keep to the end of a live playlist. */
const MAX_SEGMENTS = 15;
/** Fewer and a player that starts three target durations from the end has none in hand. */
const MIN_SEGMENTS = 4;
/** Of a playlist in target durations. A shorter one may not be made (6.2.2), and parts are listed so far from its end. */
const MIN_TARGET_DURATIONS = 3;
/** The least Skip Boundary (4.4.3.8). */
const SKIP_TARGET_DURATIONS = 6;
/** What EXT-X-SKIP needs (8). */
const VERSION = 9;
const US_PER_S = 1_000_000;

/**
 * The segments that are listed: up to 15 of the newest half of what is held. The other half stays downloadable behind
 * them, for a segment's availability ends a playlist's length after it left the list (6.2.2). Four segments and three target
 * durations are listed in any case.
 */
export function listedSegments(listing: Listing): readonly Segment[] {
  const { closed } = listing;
  const halfUs = sumUs(closed) / 2;
  const leastUs = MIN_TARGET_DURATIONS * targetDurationOf(listing) * US_PER_S;
  let first = closed.length;
  let listedUs = 0;
  while (first > 0) {
    const count = closed.length - first;
    const nextUs = listedUs + durationUs(closed[first - 1]!);
    const isNeeded = count < MIN_SEGMENTS || listedUs < leastUs;
    if (!isNeeded && (count >= MAX_SEGMENTS || nextUs > halfUs)) break;
    first--;
    listedUs = nextUs;
  }
  return closed.slice(first);
}

/** How many of the listed segments a delta update replaces: those that end further from the end than the Skip Boundary. */
export function skippableCount(listing: Listing, listed: readonly Segment[]): number {
  if (listing.hasEnded) return 0;
  const boundaryUs = SKIP_TARGET_DURATIONS * targetDurationOf(listing) * US_PER_S;
  let fromEndUs = 0;
  let index = listed.length;
  while (index > 0 && fromEndUs < boundaryUs) fromEndUs += durationUs(listed[--index]!);
  return index;
}

/** The whole text; with `skipped`, the delta update in which EXT-X-SKIP stands for so many of the segments (6.2.5.1). */
export function writePlaylist(
  listing: Listing,
  listed: readonly Segment[],
  skipped = 0,
  reports: readonly RenditionReport[] = [],
): string {
  const lines = [...header(listing, listed)];
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`);
  const partsFrom = firstWithParts(listing, listed);
  for (const [index, segment] of listed.entries()) {
    if (index < skipped) continue;
    lines.push(...segmentTags(segment, index === 0));
    if (index >= partsFrom) lines.push(...partTags(segment));
    lines.push(`#EXTINF:${seconds(durationUs(segment))},`, segmentUri(segment));
  }
  lines.push(...tail(listing, listed));
  for (const { name, last } of reports) lines.push(reportTag(name, last));
  return `${lines.join('\n')}\n`;
}

export function segmentUri({ epoch, msn }: Pick<Segment, 'epoch' | 'msn'>): string {
  return `${epoch}/${msn}.m4s`;
}

export function partUri(epoch: number, { msn, part }: Place): string {
  return `${epoch}/${msn}.${part}.m4s`;
}

export function initUri(initHash: string): string {
  return `init-${initHash}.mp4`;
}

/** Seconds. A feed that ended before a target duration was fixed gets one that fits what it has. */
export function targetDurationOf({ targetDurationS, closed }: Listing): number {
  if (targetDurationS > 0) return targetDurationS;
  return Math.max(1, ...closed.map((segment) => Math.round(durationUs(segment) / US_PER_S)));
}

/** Length of the playlist. */
export function listedMs(listing: Listing): number {
  return sumUs(listedSegments(listing)) / 1000;
}

function* header(listing: Listing, listed: readonly Segment[]): Generator<string> {
  const first = listed[0];
  const target = targetDurationOf(listing);
  yield '#EXTM3U';
  yield `#EXT-X-VERSION:${VERSION}`;
  yield `#EXT-X-TARGETDURATION:${target}`;
  yield `#EXT-X-SERVER-CONTROL:${[
    'CAN-BLOCK-RELOAD=YES',
    `CAN-SKIP-UNTIL=${(SKIP_TARGET_DURATIONS * target).toFixed(3)}`,
    `HOLD-BACK=${(MIN_TARGET_DURATIONS * target).toFixed(3)}`,
    `PART-HOLD-BACK=${((3 * PART_MAX_MS) / 1000).toFixed(3)}`,
  ].join()}`;
  yield `#EXT-X-PART-INF:PART-TARGET=${(PART_MAX_MS / 1000).toFixed(3)}`;
  yield `#EXT-X-MEDIA-SEQUENCE:${first?.msn ?? 0}`;
  yield `#EXT-X-DISCONTINUITY-SEQUENCE:${first ? first.discontinuitySequence - (isDiscontinuous(first) ? 1 : 0) : 0}`;
  const all = listing.open?.parts.length ? [...listed, listing.open] : listed;
  if (all.every((segment) => segment.isIndependent)) yield '#EXT-X-INDEPENDENT-SEGMENTS';
}

/** The tag stays with its segment until that leaves the list; only then does the sequence number count it (6.2.2). */
function isDiscontinuous(segment: Segment): boolean {
  return segment.startsEpoch && segment.discontinuitySequence > 0;
}

/** Tags that apply to a segment apply to its first part, and stand before it (4.4.4.9). */
function* segmentTags(segment: Segment, isFirstListed: boolean): Generator<string> {
  if (isDiscontinuous(segment)) yield '#EXT-X-DISCONTINUITY';
  if (segment.startsEpoch || isFirstListed) yield `#EXT-X-MAP:URI="${initUri(segment.initHash)}"`;
  yield `#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.arrivedAtMs).toISOString()}`;
}

/**
 * INDEPENDENT stands at most at a segment's first part: hls.js that starts at a later one of a segment loads nothing more
 * of that segment.
 */
function* partTags({ epoch, msn, isIndependent, parts }: Segment): Generator<string> {
  for (const [part, span] of parts.entries()) {
    const independent = part === 0 && isIndependent ? ',INDEPENDENT=YES' : '';
    yield `#EXT-X-PART:DURATION=${seconds(durationUs(span))},URI="${partUri(epoch, { msn, part })}"${independent}`;
  }
}

/**
 * Parts are listed up to three target durations from the end (6.2.2): those of the segments that begin within it, for players
 * count the parts of a segment from its first.
 */
function firstWithParts(listing: Listing, listed: readonly Segment[]): number {
  const keptUs = MIN_TARGET_DURATIONS * targetDurationOf(listing) * US_PER_S;
  let fromEndUs = listing.open ? durationUs(listing.open) : 0;
  let index = listed.length;
  for (; index > 0; index--) {
    fromEndUs += durationUs(listed[index - 1]!);
    if (fromEndUs > keptUs) break;
  }
  return index;
}

/** The open segment as far as it is whole, and a hint at the part that is being written: that one is certain to come. */
function* tail({ open, hasEnded }: Listing, listed: readonly Segment[]): Generator<string> {
  if (hasEnded) yield '#EXT-X-ENDLIST';
  if (!open) return;
  if (open.parts.length > 0) {
    yield* segmentTags(open, listed.length === 0);
    yield* partTags(open);
  } else if (open.initHash !== listed.at(-1)?.initHash) {
    yield `#EXT-X-PRELOAD-HINT:TYPE=MAP,URI="${initUri(open.initHash)}"`;
  }
  const next = { msn: open.msn, part: open.parts.length };
  yield `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partUri(open.epoch, next)}"`;
}

/** A player that changes to the rendition asks for what comes next there, without a playlist in between. */
function reportTag(name: string, { msn, part }: Place): string {
  return `#EXT-X-RENDITION-REPORT:URI="../${name}/index.m3u8",LAST-MSN=${msn},LAST-PART=${part}`;
}

function durationUs({ startUs, endUs }: Part): number {
  return endUs - startUs;
}

function sumUs(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + durationUs(segment), 0);
}

function seconds(us: number): string {
  return (us / US_PER_S).toFixed(6);
}
