// FLAC: STREAMINFO (RFC 9639 8.2), its box (Encapsulation of FLAC in ISOBMFF 3.3.2), length of a frame. Pure.

import { CodedError } from '../../../network/errors.ts';
import { fullBox, u8, u24 } from '../../../network/media/write-boxes.ts';
import type { AudioHeader } from './audio-header.ts';
import { BitReader } from './bits.ts';

const STREAM_INFO_BYTES = 34;

export function readFlac(config: Uint8Array): AudioHeader {
  const streamInfo = findStreamInfo(config);
  const reader = new BitReader(streamInfo.subarray(10));
  const sampleRate = reader.bits(20);
  const lastBlock = 0x80;
  return {
    sampleRate,
    channels: reader.bits(3) + 1,
    configBox: fullBox('dfLa', 0, 0, u8(lastBlock), u24(STREAM_INFO_BYTES), streamInfo),
    samplesIn: frameSamples,
    silence: undefined,
  };
}

/** The header is `fLaC` and metadata blocks, STREAMINFO first; some encoders leave one or both of the wrappings off. */
function findStreamInfo(config: Uint8Array): Uint8Array {
  const hasMarker = config[0] === 0x66 && config[1] === 0x4c && config[2] === 0x61 && config[3] === 0x43;
  const blocks = hasMarker ? config.subarray(4) : config;
  const streamInfo = blocks.length === STREAM_INFO_BYTES ? blocks : blocks.subarray(4, 4 + STREAM_INFO_BYTES);
  if (streamInfo.length < STREAM_INFO_BYTES)
    throw new CodedError('bad_config', `a FLAC header of ${config.length} bytes`);
  return streamInfo;
}

/** RFC 9639 9.1: the block size is a code, or 8 or 16 bits behind the coded number. */
function frameSamples(frame: Uint8Array): number {
  if (frame[0] !== 0xff || (frame[1]! & 0xfc) !== 0xf8) return 0;
  const code = (frame[2] ?? 0) >> 4;
  if (code === 1) return 192;
  if (code >= 2 && code <= 5) return 576 << (code - 2);
  if (code >= 8) return 256 << (code - 8);
  const offset = 4 + codedNumberBytes(frame[4] ?? 0);
  if (code === 6) return (frame[offset] ?? 0) + 1;
  return code === 7 ? (((frame[offset] ?? 0) << 8) | (frame[offset + 1] ?? 0)) + 1 : 0;
}

/** As in UTF-8, the leading ones of the first byte say how many bytes there are. */
function codedNumberBytes(first: number): number {
  return first < 0x80 ? 1 : Math.clz32(~(first << 24));
}
