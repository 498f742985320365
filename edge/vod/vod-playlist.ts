// The media playlist of a recorded rendition: its segments as byte ranges of files (RFC 8216bis 4.4.4.2). Pure.

import type { ShownSegment } from './aligned.ts';

/** `hasEnded`: nothing will be added, the player need not ask again. */
export function vodPlaylist(shown: readonly ShownSegment[], hasEnded: boolean): string {
  const head = [
    '#EXTM3U',
    '#EXT-X-VERSION:7',
    `#EXT-X-TARGETDURATION:${targetDurationS(shown)}`,
    `#EXT-X-MEDIA-SEQUENCE:${shown[0]?.segment.msn ?? 0}`,
    `#EXT-X-PLAYLIST-TYPE:${hasEnded ? 'VOD' : 'EVENT'}`,
    ...(shown.every(({ segment }) => segment.isIndependent) ? ['#EXT-X-INDEPENDENT-SEGMENTS'] : []),
  ];
  const body = shown.flatMap((each, at) => linesOf(each, shown[at - 1]));
  return `${[...head, ...body, ...(hasEnded ? ['#EXT-X-ENDLIST'] : [])].join('\n')}\n`;
}

function linesOf({ segment, isCut, isGap }: ShownSegment, before: ShownSegment | undefined): string[] {
  const uri = `../${segment.file}.mp4`;
  const isNewInit = isCut || before?.segment.file !== segment.file || before.segment.init !== segment.init;
  const { init } = segment;
  return [
    ...(before && isCut ? ['#EXT-X-DISCONTINUITY'] : []),
    ...(isNewInit ? [`#EXT-X-MAP:URI="${uri}",BYTERANGE="${init.bytes}@${init.at}"`] : []),
    ...(isCut ? [`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.arrivedAtMs).toISOString()}`] : []),
    ...(isGap ? ['#EXT-X-GAP'] : []),
    `#EXTINF:${((segment.endUs - segment.startUs) / 1_000_000).toFixed(5)},`,
    `#EXT-X-BYTERANGE:${segment.bytes}@${segment.at}`,
    uri,
  ];
}

/** No segment is longer when rounded (4.4.3.1). */
function targetDurationS(shown: readonly ShownSegment[]): number {
  const longestUs = shown.reduce(
    (longest, { segment }) => Math.max(longest, segment.endUs - segment.startUs),
    0,
  );
  return Math.max(1, Math.round(longestUs / 1_000_000));
}
