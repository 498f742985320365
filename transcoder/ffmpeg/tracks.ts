// The tracks of a `moov` with their sample entries, which go from one init into another as they are. Pure.

import { CodedError } from '../../network/errors.ts';
import {
  type Box,
  fourCharacterCode,
  needBox,
  readBoxes,
  readOrThrow,
  viewOf,
} from '../../network/media/boxes.ts';

export interface TrackDescription {
  readonly kind: 'video' | 'audio';
  /** Ticks per second of the samples' times. */
  readonly timescale: number;
  /** Pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** ISO/IEC 14496-12 8.5.2. */
  readonly sampleEntry: Uint8Array;
}

/** Throws `bad_tracks` or `bad_box`. */
export function readTracks(bytes: Uint8Array): TrackDescription[] {
  return readOrThrow('bad_tracks', 'a moov', () => {
    const view = viewOf(bytes);
    const moov = needBox(view, ['moov']);
    const traks = [...readBoxes(view, moov.body, moov.end)].filter(({ type }) => type === 'trak');
    return traks.map((trak) => readTrack(bytes, view, trak));
  });
}

function readTrack(bytes: Uint8Array, view: DataView, trak: Box): TrackDescription {
  const mdia = needBox(view, ['mdia'], trak);
  const mdhd = needBox(view, ['mdhd'], mdia);
  const stsd = needBox(view, ['minf', 'stbl', 'stsd'], mdia);
  const [entry] = readBoxes(view, stsd.body + 8, stsd.end);
  if (!entry) throw new CodedError('bad_tracks', 'a track without a sample entry');
  const isVideo = fourCharacterCode(view, needBox(view, ['hdlr'], mdia).body + 8) === 'vide';
  return {
    kind: isVideo ? 'video' : 'audio',
    timescale: view.getUint32(mdhd.body + (view.getUint8(mdhd.body) === 1 ? 20 : 12)),
    width: isVideo ? view.getUint16(entry.body + 24) : 0,
    height: isVideo ? view.getUint16(entry.body + 26) : 0,
    sampleEntry: bytes.slice(entry.start, entry.end),
  };
}
