// A recording that is played in a loop: what is sent once, what is sent each time, and how long one time takes. Pure.

import { CodedError } from '../../network/errors.ts';
import { readFlvTags } from '../flv/flv-file.ts';
import type { RtmpMessage } from '../media.ts';

export interface Recording {
  /** Metadata and decoder configurations: sent once for each connection. */
  readonly headers: readonly RtmpMessage[];
  /** Audio and video in the file's order. */
  readonly frames: readonly RtmpMessage[];
  /** From the first frame to where the first frame of the next loop belongs. */
  readonly durationMs: number;
}

/** Files are held in memory as a whole. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads an FLV file. Throws `bad_flv` for one that has nothing to play. */
export function readRecording(file: Uint8Array): Recording {
  if (file.length > MAX_BYTES) {
    throw new CodedError('bad_flv', `a recording of ${file.length} bytes is over ${MAX_BYTES}`);
  }
  const headers: RtmpMessage[] = [];
  const frames: RtmpMessage[] = [];
  for (const tag of readFlvTags(file)) {
    const use = useOf(tag);
    if (use === 'header') headers.push(tag.type === 'data' ? asDataFrame(tag) : tag);
    else if (use === 'frame') frames.push(tag);
  }
  const durationMs = Math.max(lengthMs(frames, 'video'), lengthMs(frames, 'audio'));
  if (durationMs === 0)
    throw new CodedError('bad_flv', `${frames.length} frames are too few to be a recording`);
  return { headers, frames, durationMs };
}

const AVC = 7;
const AAC = 10;
const SEQUENCE_HEADER = 0;
const END_OF_SEQUENCE = 2;

/** E.4.2.1 and E.4.3.1; Enhanced RTMP's tags have the packet type in the first byte and the upper bit set. */
function useOf({ type, payload }: RtmpMessage): 'header' | 'frame' | 'nothing' {
  const [first = 0, second = 0] = payload;
  if (type === 'data') return 'header';
  const enhanced = type === 'video' ? (first & 0x80) !== 0 : first >> 4 === 9;
  const typed = enhanced || (type === 'video' ? (first & 15) === AVC : first >> 4 === AAC);
  if (!typed) return 'frame';
  const packetType = enhanced ? first & 15 : second;
  if (packetType === SEQUENCE_HEADER) return 'header';
  return packetType === END_OF_SEQUENCE && (enhanced || type === 'video') ? 'nothing' : 'frame';
}

/** Over RTMP, metadata is set by a call of this name in AMF0, with a file's script tag as its arguments. */
const SET_DATA_FRAME = Buffer.from('\x02\x00\x0d@setDataFrame', 'latin1');

function asDataFrame(tag: RtmpMessage): RtmpMessage {
  return { ...tag, payload: Buffer.concat([SET_DATA_FRAME, tag.payload]) };
}

/** The last frame lasts as long as the others on average. */
function lengthMs(frames: readonly RtmpMessage[], type: RtmpMessage['type']): number {
  const times = frames.filter((frame) => frame.type === type).map((frame) => frame.timestampMs);
  if (times.length < 2) return 0;
  return Math.round(((times.at(-1)! - times[0]!) * times.length) / (times.length - 1));
}
