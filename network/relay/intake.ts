// What a following server takes into its feed: exactly the next chunk, from whichever parent it comes first.

import { CodedError } from '../errors.ts';
import { FEED_LIMITS, type Feed } from '../feed/feed.ts';
import type { Chunk } from '../media/chunk.ts';
import type { Init } from '../media/init.ts';

/** A feed's own bound, and a segment of that size: one that is longer still is not a stream of ours. */
const MAX_HELD_BYTES = 2 * FEED_LIMITS.maxBytes;

/**
 * Appends a chunk, with the init that came before it if there was one; returns false for a chunk that is there already.
 * Throws `bad_feed` for one that does not go on with the feed, which stays as it was.
 */
export function take(feed: Feed, chunk: Chunk, init: Init | undefined): boolean {
  if (chunk.sequence < feed.next) return false;
  const fault = faultOf(feed, chunk, init);
  if (fault) throw new CodedError('bad_feed', `chunk ${chunk.sequence} ${fault}`);
  if (init) feed.begin(init);
  feed.append(chunk);
  return true;
}

function faultOf(feed: Feed, chunk: Chunk, init: Init | undefined): string | undefined {
  const last = feed.at(feed.next - 1);
  if (!last && !chunk.startsSegment) return 'comes first and starts no segment';
  if (last && chunk.sequence !== feed.next) return `comes where ${feed.next} belongs`;
  if (feed.bytesHeld > MAX_HELD_BYTES) return 'is in a segment without end';
  return (last && faultAfter(last, chunk)) ?? faultOfInit(feed, chunk, init, !last);
}

function faultAfter(last: Chunk, chunk: Chunk): string | undefined {
  const { epoch, startsEpoch, msn, startsSegment } = chunk;
  if (startsEpoch ? epoch <= last.epoch : epoch !== last.epoch)
    return `of epoch ${epoch} follows ${last.epoch}`;
  if (startsEpoch && !startsSegment) return 'starts an epoch and no segment';
  if (startsSegment ? msn <= last.msn : msn !== last.msn) return `of segment ${msn} follows ${last.msn}`;
  return undefined;
}

function faultOfInit(feed: Feed, chunk: Chunk, init: Init | undefined, isFirst: boolean): string | undefined {
  const needsInit = isFirst || chunk.startsEpoch;
  if (needsInit !== (init !== undefined))
    return needsInit ? 'comes without its init' : 'comes with an init again';
  const { tracks } = init ?? feed.initOf(chunk.epoch)!;
  const isKnown = tracks.some(({ id }) => id === chunk.trackId);
  return isKnown ? undefined : `is of track ${chunk.trackId}, which its init has not`;
}
