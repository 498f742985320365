// Whether a server may follow a feed here, and at which chunk it begins. Pure.

import type { FeedReader } from '../feed/feed.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Init } from '../media/init.ts';
import type { RelayRequest, Resumption } from './request.ts';

export type Admission =
  | { readonly kind: 'admitted'; readonly place: RelayPlace }
  | { readonly kind: 'refused'; readonly status: 409 | 410; readonly title: string; readonly detail: string };

export interface RelayPlace {
  /** Sequence number of the first chunk that is sent; undefined for whichever comes first into an empty feed. */
  readonly next: number | undefined;
  readonly resumption: Resumption | undefined;
}

/** Enough of the window for a new viewer to start at once. */
export const FIRST_SEGMENTS = 3;
/** A server may be ahead of a new parent by what was on its way: a few seconds of chunks. */
export const MAX_AHEAD_CHUNKS = 400;

/** `path` leads from the origin to this server. */
export function admit(feed: FeedReader, path: readonly string[], request: RelayRequest): Admission {
  const { as, resumption, backS } = request;
  if (path.includes(as)) return conflict(`the feed comes here by way of ${as}: ${path.join(' > ')}`);
  const next = resumption ? resumption.from : newestSegments(feed, backS)?.sequence;
  if (!resumption || feed.next === 0) return { kind: 'admitted', place: { next, resumption } };
  const window = `the window is ${feed.first} to ${feed.next - 1}`;
  if (resumption.from < feed.first) return gone(`chunk ${resumption.from} fell off: ${window}`);
  if (!isContinued(feed, resumption)) {
    return gone(`chunk ${resumption.from} does not go on with epoch ${resumption.epoch}: ${window}`);
  }
  if (resumption.from > feed.next + MAX_AHEAD_CHUNKS) {
    return conflict(`chunk ${resumption.from} is in the future: ${window}`);
  }
  return { kind: 'admitted', place: { next, resumption } };
}

/** Whether what a feed holds goes on with what a server has up to `from`; true as far as that is not known yet. */
export function isContinued(feed: FeedReader, { from, epoch }: Resumption): boolean {
  if (epoch === undefined) return true;
  const before = feed.at(from - 1);
  if (before) return before.epoch === epoch;
  const chunk = feed.at(from);
  if (chunk) return chunk.startsEpoch ? chunk.epoch > epoch : chunk.epoch === epoch;
  const newest = feed.at(feed.next - 1);
  return !newest || newest.epoch <= epoch;
}

/** The init that a server needs that begins here with nothing; a chunk that begins an epoch has it before it anyway. */
export function openingAt(feed: FeedReader, chunk: Chunk): Init | undefined {
  return chunk.startsEpoch ? undefined : feed.initOf(chunk.epoch);
}

/** The third segment from the newest, or one before it if decoding can't begin there, or if more is wanted. */
function newestSegments({ segments }: FeedReader, backS = 0): Chunk | undefined {
  const isStart = ({ keyframe }: Chunk): boolean => keyframe;
  const newest = segments.at(-1);
  const isFarBack = ({ arrivedAtMs }: Chunk): boolean => newest!.arrivedAtMs - arrivedAtMs >= backS * 1000;
  const third = Math.max(0, segments.length - FIRST_SEGMENTS);
  const last = Math.min(third, backS > 0 ? segments.findLastIndex(isFarBack) : third);
  return segments.slice(0, last + 1).findLast(isStart) ?? segments.find(isStart) ?? segments[0];
}

function conflict(detail: string): Admission {
  return { kind: 'refused', status: 409, title: 'Conflict', detail };
}

function gone(detail: string): Admission {
  return { kind: 'refused', status: 410, title: 'Gone', detail };
}
