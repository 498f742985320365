// A recording: one broadcast as all its files tell it, wherever they lie. Pure.

import { SOURCE } from '../feed/feeds.ts';
import {
  type FileIndex,
  type Gap,
  isClosed,
  type RecordedInit,
  type RecordedSegment,
  segmentsOf,
} from './index-file.ts';

/** A file of a recording: its name without `.mp4` and `.index`, and what its index says. */
export interface IndexedFile {
  readonly name: string;
  readonly index: FileIndex;
}

/** A segment with the file that it is in and its init there. */
export interface PlacedSegment extends RecordedSegment {
  readonly file: string;
  readonly init: RecordedInit;
}

export interface RecordedRendition {
  readonly name: string;
  /** In order of their media sequence numbers, each once. */
  readonly segments: readonly PlacedSegment[];
  readonly gaps: readonly Gap[];
  /** Of what is there, in microseconds. */
  readonly durationUs: number;
  readonly bytes: number;
  /** Bits per second of the largest segment, and of all. */
  readonly peakBps: number;
  readonly averageBps: number;
}

export interface Recording {
  readonly id: string;
  readonly stream: string;
  readonly startedAtMs: number;
  /** Undefined while it may go on. */
  readonly endedAtMs: number | undefined;
  /** Id of the recording that it was cut out of. */
  readonly clipOf: string | undefined;
  /** In order of their names. */
  readonly renditions: readonly RecordedRendition[];
}

/** Why a file that nobody closed is short of what came then. */
export const LOST = 'the server stopped before it was recorded';
/** Of what is made of the source. */
export const NOT_MADE = 'it was not made then, or not recorded';

/** What the others are aligned to: the source, or else what there is most of. */
export function mainOf({ renditions }: Pick<Recording, 'renditions'>): RecordedRendition {
  const [first] = renditions.toSorted((one, other) => other.durationUs - one.durationUs);
  return renditions.find(({ name }) => name === SOURCE) ?? first!;
}

/** Puts together the files of one recording. Undefined when none has a segment. */
export function assemble(files: readonly IndexedFile[]): Recording | undefined {
  const [first] = files;
  if (!first) return undefined;
  const byRendition = Map.groupBy(files, ({ index }) => index.header.rendition);
  const renditions = [...byRendition]
    .map(([name, own]) => assembleRendition(name, own))
    .filter(({ segments }) => segments.length > 0)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  if (renditions.length === 0) return undefined;
  const { recording: id, stream, startedAtMs, clipOf } = first.index.header;
  return { id, stream, startedAtMs, endedAtMs: endOf(files), clipOf, renditions };
}

function assembleRendition(name: string, files: readonly IndexedFile[]): RecordedRendition {
  const segments = inOrder(files.flatMap(placed));
  const durationUs = segments.reduce((sum, { startUs, endUs }) => sum + endUs - startUs, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const rates = segments.map((segment) => rateOf(segment.bytes, segment.endUs - segment.startUs));
  return {
    name,
    segments,
    gaps: gapsBetween(segments, files, name === SOURCE ? LOST : NOT_MADE),
    durationUs,
    bytes,
    peakBps: rates.reduce((most, rate) => Math.max(most, rate), 0),
    averageBps: rateOf(bytes, durationUs),
  };
}

function placed({ name, index }: IndexedFile): PlacedSegment[] {
  const segments: PlacedSegment[] = [];
  let init: RecordedInit | undefined;
  for (const line of index.lines) {
    if (line.kind === 'init') init = line;
    else if (line.kind === 'segment' && init) segments.push({ ...line, file: name, init });
  }
  return segments;
}

/** Two servers that both thought themselves origin may have recorded one number: the first file's is kept. */
function inOrder(segments: readonly PlacedSegment[]): PlacedSegment[] {
  const byMsn = new Map<number, PlacedSegment>();
  for (const segment of segments) if (!byMsn.has(segment.msn)) byMsn.set(segment.msn, segment);
  return [...byMsn.values()].sort((one, other) => one.msn - other.msn);
}

/** Every number from the first on that is not there, with its reason where a line gives one. */
function gapsBetween(
  segments: readonly PlacedSegment[],
  files: readonly IndexedFile[],
  unsaid: string,
): Gap[] {
  const told = files.flatMap(({ index }) => index.lines.filter((line) => line.kind === 'gap'));
  const gaps: Gap[] = [];
  for (const [at, segment] of segments.entries()) {
    const before = segments[at - 1];
    if (!before || before.msn + 1 === segment.msn) continue;
    const [fromMsn, toMsn] = [before.msn + 1, segment.msn];
    const reason = told.find((gap) => gap.fromMsn < toMsn && gap.toMsn > fromMsn)?.reason ?? unsaid;
    gaps.push({ kind: 'gap', fromMsn, toMsn, reason });
  }
  const lastMsn = segments.at(-1)?.msn ?? 0;
  return [...gaps, ...told.filter(({ fromMsn }) => fromMsn > lastMsn)];
}

function endOf(files: readonly IndexedFile[]): number | undefined {
  const lasts = files.flatMap(({ index }) => {
    const end = index.lines.at(-1);
    return end?.kind === 'end' && end.isLast ? [end.atMs] : [];
  });
  const isOpen = files.some(({ index }) => !isClosed(index) && segmentsOf(index).length > 0);
  return lasts.length === 0 || isOpen ? undefined : Math.max(...lasts);
}

function rateOf(bytes: number, durationUs: number): number {
  return durationUs > 0 ? Math.ceil((bytes * 8 * 1_000_000) / durationUs) : 0;
}
