// The `esds` box: how MP4 holds what MPEG-4 systems says of an audio stream (ISO/IEC 14496-1 7.2.6, 14496-14 5.6). Pure.

import {
  type BoxValue,
  type Field,
  fullBox,
  u8,
  u16,
  u32,
  write,
  zeros,
} from '../../../network/media/write-boxes.ts';

/** `objectType` is 0x40 for MPEG-4 audio, which has a decoder-specific config, and 0x6b for MP3, which has none. */
export function esds(objectType: number, decoderSpecific: Uint8Array): BoxValue {
  const audioStream = (5 << 2) | 1;
  const bufferAndBitrates = zeros(11);
  const specific = decoderSpecific.length > 0 ? [descriptor(5, decoderSpecific)] : [];
  const decoderConfig = descriptor(4, u8(objectType), u8(audioStream), bufferAndBitrates, ...specific);
  const slConfigForMp4 = descriptor(6, u8(2));
  return fullBox('esds', 0, 0, descriptor(3, u16(0), u8(0), decoderConfig, slConfigForMp4));
}

/** Tag and length, seven bits to a byte, in the four-byte form that every reader takes. */
function descriptor(tag: number, ...fields: Field[]): Uint8Array {
  const body = write(...fields);
  const sevenBits = (shift: number): number => (body.length >> shift) & 0x7f;
  const length =
    ((0x80 | sevenBits(21)) << 24) |
    ((0x80 | sevenBits(14)) << 16) |
    ((0x80 | sevenBits(7)) << 8) |
    sevenBits(0);
  return write(u8(tag), u32(length), body);
}
