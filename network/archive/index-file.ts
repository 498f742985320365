// The index of a recorded file: which bytes are which segment, what is missing and why. Lines of JSON, appended, never changed. Pure.

import { CodedError, reasonOf } from '../errors.ts';
import { isStreamName, quoted } from '../names.ts';

/** The first line: an index explains its file alone, wherever both are found. */
export interface FileHeader {
  readonly kind: 'file';
  readonly format: 1;
  readonly recording: string;
  readonly stream: string;
  readonly rendition: string;
  /** When the broadcast began, or that of it which a clip shows; ms since the Unix epoch. */
  readonly startedAtMs: number;
  /** Of a clip: id of the recording that it was cut out of. */
  readonly clipOf?: string;
}

/** An init segment in the file; it is that of all segments behind it up to the next one. */
export interface RecordedInit {
  readonly kind: 'init';
  readonly at: number;
  readonly bytes: number;
  /** RFC 6381; pixels and frames per second are 0 without video. */
  readonly codecs: string;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** A whole segment, byte for byte as it was live. */
export interface RecordedSegment {
  readonly kind: 'segment';
  readonly msn: number;
  readonly epoch: number;
  /** Discontinuities before it since the feed began (RFC 8216bis 4.4.3.3). */
  readonly discontinuitySequence: number;
  readonly at: number;
  readonly bytes: number;
  /** On the feed's timeline. */
  readonly startUs: number;
  readonly endUs: number;
  /** When its first frame came to the origin, ms since the Unix epoch. */
  readonly arrivedAtMs: number;
  /** Begins with a key frame. */
  readonly isIndependent: boolean;
  /** CRC-32 of its bytes: after a power cut, an index may know of bytes that never came to the disk. */
  readonly crc: number;
}

/** Segments from `fromMsn` up to, not including, `toMsn` that were not recorded. */
export interface Gap {
  readonly kind: 'gap';
  readonly fromMsn: number;
  readonly toMsn: number;
  readonly reason: string;
}

/** The last line of a file that was closed in order. */
export interface FileEnd {
  readonly kind: 'end';
  /** Whether the broadcast ended with it, or goes on in another file. */
  readonly isLast: boolean;
  readonly atMs: number;
}

export type IndexLine = FileHeader | RecordedInit | RecordedSegment | Gap | FileEnd;

export interface FileIndex {
  readonly header: FileHeader;
  readonly lines: readonly Exclude<IndexLine, FileHeader>[];
  /** Bytes of the index that are whole lines: behind them is what a crash has left of one. */
  readonly wholeBytes: number;
}

export function writeLine(line: IndexLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Throws `bad_index` for whole lines that make no sense; a last line without its end is left out. */
export function readIndex(text: string): FileIndex {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...lines] = whole.split('\n').slice(0, -1).map(readLine);
  if (first?.kind !== 'file') throw new CodedError('bad_index', 'an index begins with the line of its file');
  const rest = lines.map((line) => {
    if (line.kind === 'file') throw new CodedError('bad_index', 'an index is of one file');
    return line;
  });
  return { header: first, lines: rest, wholeBytes: Buffer.byteLength(whole) };
}

export function segmentsOf(index: FileIndex): RecordedSegment[] {
  return index.lines.filter((line) => line.kind === 'segment');
}

/** Whether the file was closed in order. */
export function isClosed(index: FileIndex): boolean {
  return index.lines.at(-1)?.kind === 'end';
}

export const RECORDING_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.[0-9a-z]{6,11}$/;

/** `<stream>.<when it began, base 36>`: the same on each server that a broadcast moves over. */
export function recordingId(stream: string, startedAtMs: number): string {
  return `${stream}.${startedAtMs.toString(36)}`;
}

/** Ids stand in URLs and name folders. */
export function isRecordingId(id: string): boolean {
  return RECORDING_ID.test(id) && !id.includes('..');
}

/** `<rendition>.<first media sequence number>`: files of one recording never share a name, and sort as they were made. */
export function fileName(rendition: string, firstMsn: number): string {
  return `${rendition}.${String(firstMsn).padStart(10, '0')}`;
}

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\.\d{10}$/;

export function isFileName(name: string): boolean {
  return FILE_NAME.test(name) && !name.includes('..');
}

type Types = Readonly<Record<string, 'string' | 'number' | 'boolean'>>;

const FIELDS: Readonly<Record<IndexLine['kind'], Types>> = {
  file: {
    format: 'number',
    recording: 'string',
    stream: 'string',
    rendition: 'string',
    startedAtMs: 'number',
  },
  init: {
    at: 'number',
    bytes: 'number',
    codecs: 'string',
    width: 'number',
    height: 'number',
    frameRate: 'number',
  },
  segment: {
    msn: 'number',
    epoch: 'number',
    discontinuitySequence: 'number',
    at: 'number',
    bytes: 'number',
    startUs: 'number',
    endUs: 'number',
    arrivedAtMs: 'number',
    isIndependent: 'boolean',
    crc: 'number',
  },
  gap: { fromMsn: 'number', toMsn: 'number', reason: 'string' },
  end: { isLast: 'boolean', atMs: 'number' },
};

function readLine(text: string, at: number): IndexLine {
  const bad = (reason: string): CodedError =>
    new CodedError('bad_index', `line ${at + 1} ${reason} (found ${quoted(text)})`);
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw bad(`is no JSON: ${reasonOf(error)}`);
  }
  const fields = Object.hasOwn(FIELDS, String(value?.['kind']))
    ? FIELDS[value['kind'] as IndexLine['kind']]
    : undefined;
  if (!fields) throw bad('is of no known kind');
  for (const [name, type] of Object.entries(fields)) {
    if (typeof value[name] !== type) throw bad(`has no ${type} '${name}'`);
    if (type === 'number' && !((value[name] as number) >= 0)) throw bad(`has a '${name}' below 0`);
  }
  const line = value as unknown as IndexLine;
  if (line.kind === 'file' && !isConsistent(line)) throw bad('names no recording');
  return line;
}

/** What names folders and playlists must not lead out of them. */
function isConsistent({ format, recording, stream, rendition, clipOf = recording }: FileHeader): boolean {
  const ids = [recording, clipOf];
  return format === 1 && ids.every(isRecordingId) && isStreamName(stream) && isStreamName(rendition);
}
