// Which segments a clip is made of: those of each rendition that show something of what is wanted, so that it begins with a key frame. Pure.

import {
  mainOf,
  type PlacedSegment,
  type RecordedRendition,
  type Recording,
} from '../../../network/archive/recording.ts';

/** Seconds from the beginning of a recording as it plays; or as many of its end. */
export type ClipRange =
  | { readonly kind: 'between'; readonly fromS: number; readonly toS: number }
  | { readonly kind: 'last'; readonly lastS: number };

export type Cut =
  | { readonly kind: 'cut'; readonly renditions: readonly RecordedRendition[] }
  /** The reason is fit to be told to whoever wants the clip. */
  | { readonly kind: 'bad'; readonly reason: string };

const MAX_CLIP_S = 3_600;

/** What is wanted beyond the end is left out. */
export function cutOut(recording: Recording, range: ClipRange): Cut {
  const { renditions } = recording;
  const main = mainOf(recording);
  const durationS = main.durationUs / 1_000_000;
  const fromS = range.kind === 'last' ? Math.max(0, durationS - range.lastS) : range.fromS;
  const toS = range.kind === 'last' ? durationS : Math.min(range.toS, durationS);
  if (fromS >= durationS)
    return bad(`${fromS} s is not before the end, of what is recorded so far, at ${durationS} s`);
  if (toS <= fromS) return bad(`a clip ends after it begins: got ${fromS} s to ${toS} s`);
  if (toS - fromS > MAX_CLIP_S) return bad(`a clip is no longer than ${MAX_CLIP_S} s: got ${toS - fromS} s`);
  const segments = segmentsBetween(main.segments, fromS * 1_000_000, toS * 1_000_000);
  const [startUs, endUs] = [segments[0]!.startUs, segments.at(-1)!.endUs];
  const cut = renditions.map((rendition) => {
    const shown = rendition.segments.filter((segment) => segment.endUs > startUs && segment.startUs < endUs);
    return { ...rendition, segments: rendition === main ? segments : shown };
  });
  return { kind: 'cut', renditions: cut.filter(({ segments: shown }) => shown.length > 0) };
}

/** By the time at which they play: what is missing takes none. */
function segmentsBetween(segments: readonly PlacedSegment[], fromUs: number, toUs: number): PlacedSegment[] {
  let atUs = 0;
  return segments.filter(({ startUs, endUs }) => {
    const beginsUs = atUs;
    atUs += endUs - startUs;
    return atUs > fromUs && beginsUs < toUs;
  });
}

function bad(reason: string): Cut {
  return { kind: 'bad', reason };
}
