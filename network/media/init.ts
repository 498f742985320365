// An init segment (`ftyp` + `moov`): which tracks a feed has, in which codecs. Pure.

import { CodedError } from '../errors.ts';
import { type Box, fourCharacterCode, needBox, readBoxes, readOrThrow, viewOf } from './boxes.ts';
import { codecString } from './codec-string.ts';

export interface Track {
  readonly id: number;
  readonly kind: 'video' | 'audio';
  /** RFC 6381, as players want it: `avc1.64001f`, `mp4a.40.2`. */
  readonly codec: string;
  /** Ticks per second of this track's decode times and durations. */
  readonly timescale: number;
  /** Pixels; 0 for audio. */
  readonly width: number;
  readonly height: number;
  /** Hz and count; 0 for video. */
  readonly sampleRate: number;
  readonly channels: number;
}

export interface Init {
  readonly bytes: Uint8Array;
  readonly tracks: readonly Track[];
  /** The track whose chunks open segments and parts and whose times are the feed's: video if there is any. */
  readonly lead: Track;
}

/** Reads a whole init segment. Throws `bad_init` or `bad_box` when it describes no track that can be played. */
export function readInit(bytes: Uint8Array): Init {
  return readOrThrow('bad_init', 'an init segment', () => {
    const view = viewOf(bytes);
    const moov = needBox(view, ['moov']);
    const tracks: Track[] = [];
    for (const box of readBoxes(view, moov.body, moov.end)) {
      if (box.type === 'trak') tracks.push(readTrack(view, box));
    }
    const lead = tracks.find((track) => track.kind === 'video') ?? tracks[0];
    if (!lead) throw new CodedError('bad_init', 'an init segment without a track');
    return { bytes, tracks, lead };
  });
}

/** The CODECS attribute of a stream with this init (RFC 8216bis 4.4.6.2). */
export function codecsOf(init: Init): string {
  return init.tracks.map((track) => track.codec).join(',');
}

function readTrack(view: DataView, trak: Box): Track {
  const tkhd = needBox(view, ['tkhd'], trak);
  const mdhd = needBox(view, ['mdia', 'mdhd'], trak);
  const handler = fourCharacterCode(view, needBox(view, ['mdia', 'hdlr'], trak).body + 8);
  const stsd = needBox(view, ['mdia', 'minf', 'stbl', 'stsd'], trak);
  const [entry] = readBoxes(view, stsd.body + 8, stsd.end);
  if (!entry) throw new CodedError('bad_init', 'a track without a sample entry');
  const isVersion1 = (box: Box): boolean => view.getUint8(box.body) === 1;
  const common = {
    id: view.getUint32(tkhd.body + (isVersion1(tkhd) ? 20 : 12)),
    timescale: view.getUint32(mdhd.body + (isVersion1(mdhd) ? 20 : 12)),
    codec: codecString(view, entry),
  };
  if (handler === 'vide') {
    const width = view.getUint16(entry.body + 24);
    const height = view.getUint16(entry.body + 26);
    return { ...common, kind: 'video', width, height, sampleRate: 0, channels: 0 };
  }
  if (handler === 'soun') {
    const channels = view.getUint16(entry.body + 16);
    const sampleRate = view.getUint16(entry.body + 24);
    return { ...common, kind: 'audio', width: 0, height: 0, sampleRate, channels };
  }
  throw new CodedError('bad_init', `a track of the unknown kind '${handler}'`);
}
