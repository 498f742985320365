// Writes an epoch's init and its chunks as fragmented MP4 (ISO/IEC 14496-12 8.8), as `init.ts` and `chunk.ts` read them. Pure.

import { HEADER_BYTES, viewOf } from './boxes.ts';
import { type Chunk, MARK_BODY_BYTES, MARK_UUID, type Mark, NTP_UNIX_OFFSET_S, writeMark } from './chunk.ts';
import { type BoxValue, box, type Field, fullBox, text, u16, u32, u64, write, zeros } from './write-boxes.ts';

export const VIDEO_TRACK_ID = 1;
export const AUDIO_TRACK_ID = 2;
/** Ticks per second of video times and of the timeline that all epochs of a feed share. */
export const VIDEO_TIMESCALE = 90_000;

/** What an init says of a track: its sample entry holds the codec's configuration (8.5.2). */
export interface VideoEntry {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly sampleEntry: Uint8Array;
}

export interface AudioEntry {
  /** Hz: the ticks of its times. */
  readonly sampleRate: number;
  readonly sampleEntry: Uint8Array;
}

export interface Entries {
  readonly video: VideoEntry | undefined;
  readonly audio: AudioEntry;
}

/** `ftyp` and `moov`. Both tracks are in one file, which CMAF does not allow; the brands say ISO base media only. */
export function writeInit({ video, audio }: Entries): Uint8Array {
  const tracks = video ? [videoTrack(video), audioTrack(audio)] : [audioTrack(audio)];
  const extensions = video
    ? [trackExtends(VIDEO_TRACK_ID), trackExtends(AUDIO_TRACK_ID)]
    : [trackExtends(AUDIO_TRACK_ID)];
  return write(
    box('ftyp', text('iso6'), u32(0), text('iso6'), text('iso5'), text('mp41')),
    box('moov', movieHeader(), ...tracks, box('mvex', ...extensions)),
  );
}

/** One frame with all that goes before it. */
export interface Sample {
  readonly sequence: number;
  readonly mark: Mark;
  readonly arrivedAtMs: number;
  readonly trackId: number;
  /** In ticks of the track's timescale, as the two below. */
  readonly decodeTime: number;
  readonly duration: number;
  /** Presentation minus decode time. */
  readonly composition: number;
  readonly keyframe: boolean;
  readonly data: Uint8Array;
}

/**
 * `uuid` (mark), `prft`, `moof`, `mdat`: the head that all chunks share, with what each has of its own written over it. Every frame
 * takes this path, on the origin and for every rung. `room` gives memory for so many bytes.
 */
export function writeChunk(sample: Sample, room = freshBytes): Uint8Array {
  const { mark, data } = sample;
  const bytes = room(HEAD.length + data.length);
  bytes.set(HEAD);
  bytes.set(data, HEAD.length);
  const view = viewOf(bytes);
  writeMark(view, MARK_AT, mark);
  writeReferenceTime(view, sample);
  writeFragment(view, sample);
  view.setUint32(MDAT_AT, HEADER_BYTES + data.length);
  return bytes;
}

function freshBytes(length: number): Uint8Array {
  return new Uint8Array(length);
}

/** The chunk that a sample makes, as it is read back from its bytes. */
export function makeChunk(sample: Sample, room = freshBytes): Chunk {
  const { mark, sequence, trackId, decodeTime, duration, keyframe, arrivedAtMs } = sample;
  const bytes = writeChunk(sample, room);
  return { ...mark, sequence, trackId, decodeTime, duration, keyframe, arrivedAtMs, bytes };
}

const DEFAULT_BASE_IS_MOOF = 0x020000;
const DATA_OFFSET_AND_ALL_SAMPLE_FIELDS = 0x000f01;
const SYNC_SAMPLE = 0x02000000;
const NON_SYNC_SAMPLE = 0x01010000;

const MARK_BOX = box('uuid', MARK_UUID, zeros(MARK_BODY_BYTES));
/** 8.16.5. Version 1 has a 64-bit media time; flag 1 says that the encoder had put the frame out at that time. */
const REFERENCE_TIME = fullBox('prft', 1, 1, zeros(20));
const MOVIE_FRAGMENT_HEADER = fullBox('mfhd', 0, 0, u32(0));
const TRACK_FRAGMENT_HEADER = fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, u32(0));
const TRACK_DECODE_TIME = fullBox('tfdt', 1, 0, u64(0));
/** One sample; version 1 has signed composition offsets. */
const TRACK_RUN = fullBox('trun', 1, DATA_OFFSET_AND_ALL_SAMPLE_FIELDS, u32(1), zeros(20));
const TRACK_FRAGMENT = box('traf', TRACK_FRAGMENT_HEADER, TRACK_DECODE_TIME, TRACK_RUN);
const MOVIE_FRAGMENT = box('moof', MOVIE_FRAGMENT_HEADER, TRACK_FRAGMENT);
const HEAD = write(MARK_BOX, REFERENCE_TIME, MOVIE_FRAGMENT, box('mdat'));

const FULL_HEADER_BYTES = HEADER_BYTES + 4;
/** Where the head has what is each chunk's own. */
const MARK_AT = HEADER_BYTES + MARK_UUID.length;
const REFERENCE_TIME_AT = MARK_BOX.length + FULL_HEADER_BYTES;
const MDAT_AT = HEAD.length - HEADER_BYTES;
const MOOF_AT = MDAT_AT - MOVIE_FRAGMENT.length;
const SEQUENCE_AT = MOOF_AT + HEADER_BYTES + FULL_HEADER_BYTES;
const TRACK_RUN_AT = MDAT_AT - TRACK_RUN.length + FULL_HEADER_BYTES;
const DECODE_TIME_AT = MDAT_AT - TRACK_RUN.length - TRACK_DECODE_TIME.length + FULL_HEADER_BYTES;
const TRACK_ID_AT = DECODE_TIME_AT - FULL_HEADER_BYTES - 4;

function writeReferenceTime(view: DataView, { trackId, arrivedAtMs, decodeTime }: Sample): void {
  const seconds = Math.floor(arrivedAtMs / 1000);
  const fraction = Math.floor(((arrivedAtMs - seconds * 1000) / 1000) * 2 ** 32);
  view.setUint32(REFERENCE_TIME_AT, trackId);
  view.setUint32(REFERENCE_TIME_AT + 4, seconds + NTP_UNIX_OFFSET_S);
  view.setUint32(REFERENCE_TIME_AT + 8, fraction);
  writeTime(view, REFERENCE_TIME_AT + 12, decodeTime);
}

/** The data lie behind `mdat`'s header. */
function writeFragment(view: DataView, sample: Sample): void {
  view.setUint32(SEQUENCE_AT, sample.sequence);
  view.setUint32(TRACK_ID_AT, sample.trackId);
  writeTime(view, DECODE_TIME_AT, sample.decodeTime);
  view.setUint32(TRACK_RUN_AT + 4, MOVIE_FRAGMENT.length + HEADER_BYTES);
  view.setUint32(TRACK_RUN_AT + 8, sample.duration);
  view.setUint32(TRACK_RUN_AT + 12, sample.data.length);
  view.setUint32(TRACK_RUN_AT + 16, sample.keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE);
  view.setUint32(TRACK_RUN_AT + 20, sample.composition);
}

/** 64 bits of a non-negative integer up to 2^53. */
function writeTime(view: DataView, offset: number, ticks: number): void {
  view.setUint32(offset, Math.floor(ticks / 2 ** 32));
  view.setUint32(offset + 4, ticks % 2 ** 32);
}

const UNITY_MATRIX = write(
  ...[0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000].map((element) => u32(element)),
);

function movieHeader(): BoxValue {
  const rateOne = u32(0x00010000);
  const fullVolume = u16(0x0100);
  const nextTrackId = u32(AUDIO_TRACK_ID + 1);
  const times = [u32(0), u32(0), u32(VIDEO_TIMESCALE), u32(0)];
  return fullBox(
    'mvhd',
    0,
    0,
    ...times,
    rateOne,
    fullVolume,
    zeros(10),
    UNITY_MATRIX,
    zeros(24),
    nextTrackId,
  );
}

function videoTrack({ width, height, sampleEntry }: VideoEntry): BoxValue {
  return box(
    'trak',
    trackHeader(VIDEO_TRACK_ID, u16(0), u32(width * 0x10000), u32(height * 0x10000)),
    media('vide', 'Video', VIDEO_TIMESCALE, fullBox('vmhd', 0, 1, zeros(8)), sampleEntry),
  );
}

function audioTrack({ sampleRate, sampleEntry }: AudioEntry): BoxValue {
  const fullVolume = u16(0x0100);
  return box(
    'trak',
    trackHeader(AUDIO_TRACK_ID, fullVolume, u32(0), u32(0)),
    media('soun', 'Audio', sampleRate, fullBox('smhd', 0, 0, zeros(4)), sampleEntry),
  );
}

function trackHeader(trackId: number, volume: Field, width: Field, height: Field): BoxValue {
  const enabledAndInMovie = 3;
  const times = [u32(0), u32(0), u32(trackId), u32(0), u32(0)];
  return fullBox(
    'tkhd',
    0,
    enabledAndInMovie,
    ...times,
    zeros(12),
    volume,
    zeros(2),
    UNITY_MATRIX,
    width,
    height,
  );
}

function media(
  handler: string,
  name: string,
  timescale: number,
  header: BoxValue,
  sampleEntry: Field,
): BoxValue {
  const undetermined = u16(0x55c4);
  return box(
    'mdia',
    fullBox('mdhd', 0, 0, u32(0), u32(0), u32(timescale), u32(0), undetermined, u16(0)),
    fullBox('hdlr', 0, 0, u32(0), text(handler), zeros(12), text(`${name}\0`)),
    box('minf', header, dataInformation(), sampleTable(sampleEntry)),
  );
}

/** The media is in this file. */
function dataInformation(): BoxValue {
  return box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
}

/** No sample is described here: fragments bring their own. */
function sampleTable(sampleEntry: Field): BoxValue {
  return box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), sampleEntry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0), u32(0)),
    fullBox('stco', 0, 0, u32(0)),
  );
}

function trackExtends(trackId: number): BoxValue {
  return fullBox('trex', 0, 0, u32(trackId), u32(1), u32(0), u32(0), u32(0));
}
