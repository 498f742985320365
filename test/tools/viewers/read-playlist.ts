// Reads media playlists as a player does, delta updates on top of the playlist before: every segment with all that applies to it.

export interface ReadPart {
  readonly uri: string;
  readonly durationUs: number;
  readonly isIndependent: boolean;
}

export interface ReadSegment {
  readonly msn: number;
  readonly discontinuitySequence: number;
  readonly map: string;
  readonly programDateTime: string;
  /** Undefined for the segment at the end that has parts only. */
  readonly uri: string | undefined;
  readonly durationUs: number | undefined;
  readonly parts: readonly ReadPart[];
}

export interface ReadPlaylist {
  readonly targetDurationS: number;
  readonly mediaSequence: number;
  readonly discontinuitySequence: number;
  readonly skipped: number;
  readonly isIndependent: boolean;
  readonly hasEnded: boolean;
  readonly segments: readonly ReadSegment[];
  readonly hints: readonly string[];
}

export function readPlaylist(text: string, previous?: ReadPlaylist): ReadPlaylist {
  const lines = text.trimEnd().split('\n');
  const value = (tag: string): string | undefined =>
    lines.find((line) => line.startsWith(`#${tag}:`))?.slice(tag.length + 2);
  const mediaSequence = Number(value('EXT-X-MEDIA-SEQUENCE'));
  const skipped = Number(value('EXT-X-SKIP')?.replace('SKIPPED-SEGMENTS=', '') ?? 0);
  const discontinuitySequence = Number(value('EXT-X-DISCONTINUITY-SEQUENCE'));
  const kept = skippedOf(previous, mediaSequence, skipped);
  return {
    targetDurationS: Number(value('EXT-X-TARGETDURATION')),
    mediaSequence,
    discontinuitySequence,
    skipped,
    isIndependent: lines.includes('#EXT-X-INDEPENDENT-SEGMENTS'),
    hasEnded: lines.includes('#EXT-X-ENDLIST'),
    segments: [...kept, ...readSegments(lines, mediaSequence + skipped, kept.at(-1), discontinuitySequence)],
    hints: lines
      .filter((line) => line.startsWith('#EXT-X-PRELOAD-HINT:'))
      .map((line) => attribute(line, 'URI')!),
  };
}

function skippedOf(previous: ReadPlaylist | undefined, from: number, count: number): readonly ReadSegment[] {
  const kept = previous?.segments.filter(({ msn }) => msn >= from && msn < from + count) ?? [];
  if (kept.length !== count) throw new Error(`${count} segments skipped, ${kept.length} known`);
  return kept;
}

function* readSegments(
  lines: readonly string[],
  firstMsn: number,
  before: ReadSegment | undefined,
  firstDiscontinuity: number,
): Generator<ReadSegment> {
  let msn = firstMsn;
  let discontinuitySequence = before?.discontinuitySequence ?? firstDiscontinuity;
  let map = before?.map ?? '';
  let programDateTime = '';
  let durationUs: number | undefined;
  let parts: ReadPart[] = [];
  for (const line of lines) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuitySequence++;
    else if (line.startsWith('#EXT-X-MAP:')) map = attribute(line, 'URI')!;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) programDateTime = line.slice(25);
    else if (line.startsWith('#EXT-X-PART:')) parts.push(readPart(line));
    else if (line.startsWith('#EXTINF:')) durationUs = usOf(line.slice(8, -1));
    else if (!line.startsWith('#')) {
      yield { msn: msn++, discontinuitySequence, map, programDateTime, uri: line, durationUs, parts };
      parts = [];
      durationUs = undefined;
    }
  }
  if (parts.length > 0)
    yield { msn, discontinuitySequence, map, programDateTime, uri: undefined, durationUs: undefined, parts };
}

function readPart(line: string): ReadPart {
  return {
    uri: attribute(line, 'URI')!,
    durationUs: usOf(attribute(line, 'DURATION')!),
    isIndependent: line.includes('INDEPENDENT=YES'),
  };
}

function attribute(line: string, name: string): string | undefined {
  const match = new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line);
  return match?.[1] ?? match?.[2];
}

/** Decimal text to microseconds, without the detour over fractions. */
function usOf(text: string): number {
  const [whole = '0', fraction = ''] = text.split('.');
  return Number(whole) * 1_000_000 + Number(fraction.padEnd(6, '0'));
}
