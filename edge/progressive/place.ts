// Where in a feed a progressive viewer begins, and whether it is given the init first. Pure.

import type { FeedReader } from '../../network/feed/feed.ts';
import type { Chunk } from '../../network/media/chunk.ts';
import type { Init } from '../../network/media/init.ts';

export interface Place {
  /** Sequence number of the first chunk that is sent. */
  readonly sequence: number;
  /** What is sent before it. */
  readonly opening: Init | undefined;
}

/**
 * Where somebody begins who asks for the chunks from `from` on, or for the newest: at `from` itself while the window holds
 * it or it is about to come, else at the newest key frame. Undefined when `from` is further ahead than servers ever are of
 * each other. The feed must hold a segment that begins with a key frame.
 */
export function placeIn(feed: FeedReader, from: number | undefined): Place | undefined {
  if (from !== undefined && from > feed.next + AHEAD_CHUNKS) return undefined;
  const chunk = from === undefined || from < feed.first ? feed.newestStart()! : feed.at(from);
  return { sequence: chunk?.sequence ?? from!, opening: chunk && openingAt(feed, chunk) };
}

/** A viewer may come from a server that is ahead of this one by what fits into a few seconds: 77 chunks each. */
export const AHEAD_CHUNKS = 400;

/**
 * The init goes before a chunk at which decoding can begin. Whoever asks for a chunk between those goes on with what it
 * has, and must not be given the init again: Media Source Extensions (3.5.8) drop all frames behind an init up to the next
 * key frame. A chunk that begins an epoch has its init before it in the feed's own bytes.
 */
export function openingAt(feed: FeedReader, chunk: Chunk): Init | undefined {
  const init = feed.initOf(chunk.epoch)!;
  const isStart = chunk.keyframe && chunk.trackId === init.lead.id;
  return isStart && !chunk.startsEpoch ? init : undefined;
}
