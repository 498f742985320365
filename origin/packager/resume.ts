// Where the numbering of a feed goes on that another server has written so far. Pure.

import type { FeedReader } from '../../network/feed/feed.ts';
import { FIRST_NUMBERING, type Numbering } from '../../network/feed/numbering.ts';
import { VIDEO_TIMESCALE } from '../../network/media/fmp4.ts';
import type { PastStream } from '../../network/state/state.ts';
import { MIN_SEGMENT_MS } from './cuts.ts';

/** Behind the newest chunk of a feed; undefined when it has none. */
export function numberingAfter(feed: FeedReader): Numbering | undefined {
  const newest = feed.at(feed.next - 1);
  const init = newest && feed.initOf(newest.epoch);
  if (!newest || !init) return undefined;
  return {
    sequence: feed.next,
    msn: newest.msn + 1,
    epoch: newest.epoch,
    discontinuitySequence: newest.discontinuitySequence + 1,
    targetDurationS: newest.targetDurationS,
    endTicks: Math.max(...init.tracks.map(({ id, timescale }) => endTicks(feed, id, timescale))),
    tracks: init.lead.kind === 'video' ? 'audio+video' : 'audio',
  };
}

type Past = Pick<PastStream, 'numbering' | 'unheardMs' | 'isOver'>;

/**
 * Beyond everything that an origin can have made of which nobody has heard: nobody has its feed any more. Exactly behind it where
 * it had nothing more to make.
 */
export function numberingBeyond({ numbering, unheardMs, isOver }: Past): Numbering {
  const { msn, sequence, endTicks, epoch, discontinuitySequence } = numbering;
  // Who played what is over plays no more: another broadcast has the tracks and the target duration that it has.
  const past = isOver
    ? { ...FIRST_NUMBERING, msn, sequence, endTicks, epoch, discontinuitySequence }
    : numbering;
  if (unheardMs === 0) return past;
  return {
    ...past,
    msn: msn + Math.ceil(unheardMs / MIN_SEGMENT_MS) + 1,
    // Of no feed there is more than a chunk each millisecond.
    sequence: sequence + unheardMs,
    endTicks: endTicks + (unheardMs * VIDEO_TIMESCALE) / 1000,
  };
}

/** Where a track's newest chunk ends, on the timeline that all epochs share. */
function endTicks(feed: FeedReader, trackId: number, timescale: number): number {
  for (let sequence = feed.next - 1; ; sequence--) {
    const chunk = feed.at(sequence);
    if (!chunk) return 0;
    if (chunk.trackId === trackId)
      return Math.ceil(((chunk.decodeTime + chunk.duration) * VIDEO_TIMESCALE) / timescale);
  }
}
