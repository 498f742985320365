// A chunk: one frame as `uuid` (mark) + `prft` + `moof` + `mdat`, and what a holder of those bytes knows. Pure.

import { CodedError } from '../errors.ts';
import { type Box, needBox, readBoxes, readOrThrow, viewOf } from './boxes.ts';

/** The cuts and numbers that the origin decided; written before each chunk so that nobody decides them again. */
export interface Mark {
  /** Names the feed between two changes of init: the Unix second in which it began, made to grow. 32 bits. */
  readonly epoch: number;
  /** How many discontinuities lie between the feed's beginning and this chunk (RFC 8216bis 4.4.3.3). */
  readonly discontinuitySequence: number;
  /** Media sequence number of the segment that this chunk is in. */
  readonly msn: number;
  /** Number of the part inside that segment, from 0. */
  readonly part: number;
  /** First chunk of an epoch, of a segment, of a part: each implies the next. */
  readonly startsEpoch: boolean;
  readonly startsSegment: boolean;
  readonly startsPart: boolean;
  /** Seconds for EXT-X-TARGETDURATION, fixed for the feed's life; 0 until the first segment has closed. */
  readonly targetDurationS: number;
}

/** One video frame or one audio frame. Times are in ticks of its track's timescale (see `Init`). */
export interface Chunk extends Mark {
  /** `mfhd` sequence number: the feed's own numbering, one up with each chunk, assigned by the origin alone. */
  readonly sequence: number;
  readonly trackId: number;
  readonly decodeTime: number;
  readonly duration: number;
  /** A frame from which decoding can begin (`trun` sample_is_non_sync_sample is 0). */
  readonly keyframe: boolean;
  /** Wall clock at the origin when the frame arrived, ms since the Unix epoch (`prft`). */
  readonly arrivedAtMs: number;
  readonly bytes: Uint8Array;
}

/** Name of the `uuid` box that holds a mark. */
export const MARK_UUID = Uint8Array.from([
  0x68, 0x77, 0x6d, 0x61, 0x72, 0x6b, 0x4f, 0x1d, 0x9a, 0x52, 0x0c, 0x3e, 0x7b, 0x61, 0xd4, 0x88,
]);
const UUID_BYTES = MARK_UUID.length;
export const MARK_BODY_BYTES = 16;
const STARTS_EPOCH = 4;
const STARTS_SEGMENT = 2;
const STARTS_PART = 1;

/**
 * Writes the body of a mark's box, which is behind its UUID: flags 8, target duration 8, part 16, msn 32, epoch 32,
 * discontinuities 32.
 */
export function writeMark(view: DataView, offset: number, mark: Mark): void {
  const flags =
    (mark.startsEpoch ? STARTS_EPOCH : 0) |
    (mark.startsSegment ? STARTS_SEGMENT : 0) |
    (mark.startsPart ? STARTS_PART : 0);
  view.setUint8(offset, flags);
  view.setUint8(offset + 1, mark.targetDurationS);
  view.setUint16(offset + 2, mark.part);
  view.setUint32(offset + 4, mark.msn);
  view.setUint32(offset + 8, mark.epoch);
  view.setUint32(offset + 12, mark.discontinuitySequence);
}

/** Reads one whole chunk. Throws `bad_box` or `bad_chunk` when the bytes are not what `Chunk` promises. */
export function readChunk(bytes: Uint8Array): Chunk {
  return readOrThrow('bad_chunk', 'a chunk', () => parseChunk(bytes));
}

function parseChunk(bytes: Uint8Array): Chunk {
  const view = viewOf(bytes);
  const [uuid, prft, moof, mdat, more] = readBoxes(view);
  const order = [uuid, prft, moof, mdat].map((box) => box?.type).join(' ');
  if (order !== 'uuid prft moof mdat' || more) {
    throw new CodedError('bad_chunk', `a chunk is 'uuid prft moof mdat', not '${order}'`);
  }
  return {
    ...readMark(view, uuid!),
    ...readFragment(view, moof!),
    arrivedAtMs: readArrival(view, prft!),
    bytes,
  };
}

/** The frame of a chunk, for who makes another of it, with its presentation time less its decode time. */
export function readFrame({ bytes }: Pick<Chunk, 'bytes'>): { composition: number; data: Uint8Array } {
  const view = viewOf(bytes);
  const trun = needBox(view, ['moof', 'traf', 'trun']);
  const mdat = needBox(view, ['mdat']);
  return { composition: view.getInt32(trun.body + 24), data: bytes.subarray(mdat.body, mdat.end) };
}

/** ISO/IEC 14496-12 8.16.5: NTP time stamps count seconds since 1900 in 32.32 fixed point. */
export const NTP_UNIX_OFFSET_S = 2_208_988_800;

function readMark(view: DataView, uuid: Box): Mark {
  const body = uuid.body + UUID_BYTES;
  if (uuid.end - body !== MARK_BODY_BYTES || !isMark(view, uuid.body)) {
    throw new CodedError('bad_chunk', 'the uuid box before a fragment is not a mark');
  }
  const flags = view.getUint8(body);
  return {
    startsEpoch: (flags & STARTS_EPOCH) !== 0,
    startsSegment: (flags & STARTS_SEGMENT) !== 0,
    startsPart: (flags & STARTS_PART) !== 0,
    targetDurationS: view.getUint8(body + 1),
    part: view.getUint16(body + 2),
    msn: view.getUint32(body + 4),
    epoch: view.getUint32(body + 8),
    discontinuitySequence: view.getUint32(body + 12),
  };
}

function isMark(view: DataView, offset: number): boolean {
  return MARK_UUID.every((byte, index) => view.getUint8(offset + index) === byte);
}

function readArrival(view: DataView, prft: Box): number {
  if (prft.end - prft.body < 16) throw new CodedError('bad_chunk', 'prft box is too short');
  const seconds = view.getUint32(prft.body + 8) - NTP_UNIX_OFFSET_S;
  return seconds * 1000 + Math.round((view.getUint32(prft.body + 12) / 2 ** 32) * 1000);
}

type Fragment = Pick<Chunk, 'sequence' | 'trackId' | 'decodeTime' | 'duration' | 'keyframe'>;

/** One `traf` with one sample, its duration, size, flags and composition offset in the `trun` (8.8.8), `tfdt` version 1. */
function readFragment(view: DataView, moof: Box): Fragment {
  const traf = needBox(view, ['traf'], moof);
  const trun = needBox(view, ['trun'], traf);
  const tfdt = needBox(view, ['tfdt'], traf);
  const flagsWanted = 0xf01;
  if (
    trun.end - trun.body < 28 ||
    (view.getUint32(trun.body) & 0xffffff) !== flagsWanted ||
    view.getUint32(trun.body + 4) !== 1
  ) {
    throw new CodedError(
      'bad_chunk',
      'a chunk holds one sample with duration, size, flags and offset in its trun',
    );
  }
  if (tfdt.end - tfdt.body < 12 || view.getUint8(tfdt.body) !== 1) {
    throw new CodedError('bad_chunk', 'a chunk has a tfdt of version 1');
  }
  const sampleIsNonSync = 0x00010000;
  return {
    sequence: view.getUint32(needBox(view, ['mfhd'], moof).body + 4),
    trackId: view.getUint32(needBox(view, ['tfhd'], traf).body + 4),
    decodeTime: Number(view.getBigUint64(tfdt.body + 4)),
    duration: view.getUint32(trun.body + 12),
    keyframe: (view.getUint32(trun.body + 20) & sampleIsNonSync) === 0,
  };
}
