// Where in the source a job begins, or goes on: at the segment in which the first of its rungs stopped. Pure.

import type { FeedReader } from '../network/feed/feed.ts';
import type { Chunk } from '../network/media/chunk.ts';
import { VIDEO_TIMESCALE } from '../network/media/fmp4.ts';

/** A new rung begins so far back: what players need for a start is there as soon as it is encoded, and not when it has been sent. */
const BACKLOG_MS = 4_000;

/**
 * The first chunk of a segment of the source. `after` is the last epoch that is done with. Undefined: there is none yet.
 */
export function beginningOf(
  source: FeedReader,
  rungs: readonly FeedReader[],
  after: number | undefined,
): Chunk | undefined {
  const starts = source.segments.filter(
    ({ epoch, keyframe }) => keyframe && (after === undefined || epoch > after),
  );
  const places = rungs.map((rung) => placeOf(rung, starts, source));
  return places
    .filter((chunk) => chunk !== undefined)
    .reduce<Chunk | undefined>(
      (first, chunk) => (first && first.sequence < chunk.sequence ? first : chunk),
      undefined,
    );
}

/** Behind what is there, if the source has it still. */
function placeOf(rung: FeedReader, starts: readonly Chunk[], source: FeedReader): Chunk | undefined {
  const newest = rung.at(rung.next - 1);
  const stopped = newest && starts.findLast(({ msn }) => msn <= newest.msn);
  if (stopped && stopped.epoch === newest.epoch) return stopped;
  // It has all of the epochs before.
  const next = newest && starts.find(({ msn }) => msn === newest.msn + 1);
  return next ?? fresh(starts, source);
}

/** In the newest epoch. */
function fresh(starts: readonly Chunk[], source: FeedReader): Chunk | undefined {
  const newest = starts.at(-1);
  const lead = newest && source.initOf(newest.epoch)?.lead;
  if (!newest || lead?.kind !== 'video') return undefined;
  const oldest = newest.decodeTime - (BACKLOG_MS * VIDEO_TIMESCALE) / 1000;
  return starts.find(({ epoch, decodeTime }) => epoch === newest.epoch && decodeTime >= oldest);
}
