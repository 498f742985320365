// The media playlist of a recorded rendition: its segments as byte ranges of its files (RFC 8216bis 4.4.4.2). Pure.

import type { PlacedSegment, RecordedRendition } from '../../network/archive/recording.ts';

/** `hasEnded`: nothing will be added, the player need not ask again. */
export function vodPlaylist({ segments }: RecordedRendition, hasEnded: boolean): string {
  const [first] = segments;
  if (!first) throw new Error('a recorded rendition has a segment');
  const head = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${targetDurationS(segments)}`,
    `#EXT-X-MEDIA-SEQUENCE:${first.msn}`,
    `#EXT-X-PLAYLIST-TYPE:${hasEnded ? 'VOD' : 'EVENT'}`,
    ...(segments.every(({ isIndependent }) => isIndependent) ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
  ];
  const body = segments.flatMap((segment, at) => linesOf(segment, segments[at - 1]));
  return `${[...head, ...body, ...(hasEnded ? ['#EXT-X-ENDLIST'] : [])].join('\n')}\n`;
}

function linesOf(segment: PlacedSegment, before: PlacedSegment | undefined): string[] {
  const uri = `../${segment.file}.mp4`;
  const cut = isCut(segment, before);
  const isNewInit = cut || before?.file !== segment.file || before.init !== segment.init;
  const { init } = segment;
  return [
    ...(before && cut ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(isNewInit ? [`#EXT-X-MAP:URI="${uri}",BYTERANGE="${init.bytes}@${init.at}"`] : []),
    ...(cut ? [`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.arrivedAtMs).toISOString()}`] : []),
    `#EXTINF:${((segment.endUs - segment.startUs) / 1_000_000).toFixed(5)},`,
    `#EXT-X-BYTERANGE:${segment.bytes}@${segment.at}`,
    uri,
  ];
}

/** Where the init changes or something is missing, a player must not count on what came before. */
function isCut(segment: PlacedSegment, before: PlacedSegment | undefined): boolean {
  return !before || before.epoch !== segment.epoch || before.msn + 1 !== segment.msn;
}

/** No segment is longer when rounded (4.4.3.1). */
function targetDurationS(segments: readonly PlacedSegment[]): number {
  const longestUs = segments.reduce((longest, { startUs, endUs }) => Math.max(longest, endUs - startUs), 0);
  return Math.max(1, Math.round(longestUs / 1_000_000));
}
