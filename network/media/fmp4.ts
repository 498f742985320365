// Writes an epoch's init and its chunks as fragmented MP4 (ISO/IEC 14496-12 8.8), as `init.ts` and `chunk.ts` read them. Pure.

import { MARK_UUID, type Mark, NTP_UNIX_OFFSET_S, writeMark } from './chunk.ts';
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

/** `uuid` (mark), `prft`, `moof`, `mdat`: written in one allocation, for this is the path that every frame takes. */
export function writeChunk(sample: Sample): Uint8Array {
  return write(
    box('uuid', MARK_UUID, writeMark(sample.mark)),
    producerReferenceTime(sample),
    movieFragment(sample),
    box('mdat', sample.data),
  );
}

/** 8.16.5. Version 1 has a 64-bit media time; flag 1 says that the encoder had put the frame out at that time. */
function producerReferenceTime({ trackId, arrivedAtMs, decodeTime }: Sample): BoxValue {
  const seconds = Math.floor(arrivedAtMs / 1000);
  const fraction = Math.floor(((arrivedAtMs - seconds * 1000) / 1000) * 2 ** 32);
  return fullBox(
    'prft',
    1,
    1,
    u32(trackId),
    u32(seconds + NTP_UNIX_OFFSET_S),
    u32(fraction),
    u64(decodeTime),
  );
}

const DEFAULT_BASE_IS_MOOF = 0x020000;
const DATA_OFFSET_AND_ALL_SAMPLE_FIELDS = 0x000f01;
const SYNC_SAMPLE = 0x02000000;
const NON_SYNC_SAMPLE = 0x01010000;

/** A fragment with one sample; a `trun` of version 1 has signed composition offsets. The data lie behind `mdat`'s header. */
function movieFragment({
  sequence,
  trackId,
  decodeTime,
  duration,
  composition,
  keyframe,
  data,
}: Sample): BoxValue {
  return box(
    'moof',
    fullBox('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, u32(trackId)),
      fullBox('tfdt', 1, 0, u64(decodeTime)),
      fullBox(
        'trun',
        1,
        DATA_OFFSET_AND_ALL_SAMPLE_FIELDS,
        u32(1),
        u32(MOOF_BYTES + 8),
        u32(duration),
        u32(data.length),
        u32(keyframe ? SYNC_SAMPLE : NON_SYNC_SAMPLE),
        u32(composition),
      ),
    ),
  );
}

/** 8 + mfhd 16 + traf (8 + tfhd 16 + tfdt 20 + trun 36). */
const MOOF_BYTES = 104;

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
