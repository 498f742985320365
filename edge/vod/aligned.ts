// A recorded rendition on the timeline of its recording: as many segments as the source has, so that players change between renditions. Pure.

import {
  mainOf,
  type PlacedSegment,
  type RecordedRendition,
  type Recording,
} from '../../network/archive/recording.ts';

export interface ShownSegment {
  readonly segment: PlacedSegment;
  /** The timeline breaks off before it: the broadcaster came back, or something was not recorded. */
  readonly isCut: boolean;
  /** Nothing fit to stand in for it is there: players are to take another rendition (RFC 8216bis 4.4.4.7). */
  readonly isGap: boolean;
}

/** Of what grows, what is not there may still come for so long. */
const PATIENCE_US = 30_000_000;

/**
 * Where the rendition was not made, the source stands in: its times are the same, and the init before it says what it is. What
 * is listed once stays as it is, although the recording grows.
 */
export function alignedTo(
  recording: Recording,
  rendition: RecordedRendition,
  hasEnded: boolean,
): ShownSegment[] {
  const main = mainOf(recording);
  const own = new Map(rendition.segments.map((segment) => [segment.msn, segment]));
  const lastMsn = rendition.segments.at(-1)!.msn;
  const shown: ShownSegment[] = [];
  for (const [at, place] of main.segments.entries()) {
    const segment = own.get(place.msn);
    const mayCome = !hasEnded && place.msn > lastMsn && endUs(main) - place.endUs < PATIENCE_US;
    if (!segment && mayCome) break;
    const isCut = isCutBefore(place, main.segments[at - 1]);
    shown.push({ segment: segment ?? place, isCut, isGap: !segment && !isAlike(place, rendition) });
  }
  return shown;
}

function endUs({ segments }: RecordedRendition): number {
  return segments.at(-1)!.endUs;
}

/** Where the init changes with an epoch or something is missing, a player must not count on what came before. */
function isCutBefore(segment: PlacedSegment, before: PlacedSegment | undefined): boolean {
  return !before || before.epoch !== segment.epoch || before.msn + 1 !== segment.msn;
}

/** Whether a player of the rendition plays a segment of the source, too: the same kinds of codec, `avc1` and `mp4a`. */
function isAlike({ init }: PlacedSegment, { segments }: RecordedRendition): boolean {
  return kindsOf(init.codecs) === kindsOf(segments[0]!.init.codecs);
}

function kindsOf(codecs: string): string {
  return codecs
    .split(',')
    .map((codec) => codec.split('.')[0])
    .sort()
    .join();
}
