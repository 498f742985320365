// Where the numbering of a feed goes on that another server has written so far. Pure.

import type { FeedReader } from '../../network/feed/feed.ts';
import { VIDEO_TIMESCALE } from '../../network/media/fmp4.ts';
import { FIRST_NUMBERING, type Numbering } from './packager.ts';

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

/** A claim is as old as the last beat and the time to notice its end: no more segments than these were made since. */
const SEGMENTS_UNHEARD_OF = 16;

/** Beyond everything that an origin can have made since it was last heard of: nobody has its feed any more. */
export function numberingBeyond({ epoch, lastMsn }: { epoch: number; lastMsn: number }): Numbering {
  return { ...FIRST_NUMBERING, epoch, msn: lastMsn + 1 + SEGMENTS_UNHEARD_OF, discontinuitySequence: 1 };
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
