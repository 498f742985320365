// The picture size in a sequence header of H.264, HEVC, AV1 or VP9: what the config record itself does not say. Pure.

import { CodedError } from '../../../network/errors.ts';
import { BitReader } from './bits.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const MAX_SIDE = 16_384;
const EXTENDED_PROFILES = new Set([44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244]);

/** From a sequence parameter set with its NAL unit header (ISO/IEC 14496-10 7.3.2.1.1). */
export function h264Size(nalUnit: Uint8Array): Size {
  const reader = new BitReader(withoutEmulation(nalUnit.subarray(1)));
  const profile = reader.bits(8);
  reader.skip(16);
  reader.unsigned();
  const { chroma, separatePlanes } = EXTENDED_PROFILES.has(profile)
    ? readChroma(reader)
    : { chroma: 1, separatePlanes: false };
  reader.unsigned();
  skipPictureOrder(reader);
  reader.unsigned();
  reader.skip(1);
  const widthInMacroblocks = reader.unsigned() + 1;
  const heightInMapUnits = reader.unsigned() + 1;
  const framesOnly = reader.flag();
  const fieldFactor = framesOnly ? 1 : 2;
  reader.skip(framesOnly ? 1 : 2);
  const crop = reader.flag() ? readCrop(reader) : NO_CROP;
  const unit = separatePlanes ? { x: 1, y: 1 } : chromaUnit(chroma);
  return checked(
    widthInMacroblocks * 16 - crop.horizontal * unit.x,
    heightInMapUnits * 16 * fieldFactor - crop.vertical * unit.y * fieldFactor,
  );
}

/** From a sequence parameter set with its NAL unit header (ISO/IEC 23008-2 7.3.2.2.1). */
export function hevcSize(nalUnit: Uint8Array): Size {
  const reader = new BitReader(withoutEmulation(nalUnit.subarray(2)));
  reader.skip(4);
  const subLayers = reader.bits(3);
  reader.skip(1);
  skipProfileTierLevel(reader, subLayers);
  reader.unsigned();
  const chroma = reader.unsigned();
  const separatePlanes = chroma === 3 && reader.flag();
  const width = reader.unsigned();
  const height = reader.unsigned();
  const crop = reader.flag() ? readCrop(reader) : NO_CROP;
  const unit = separatePlanes ? { x: 1, y: 1 } : chromaUnit(chroma);
  return checked(width - crop.horizontal * unit.x, height - crop.vertical * unit.y);
}

/** From a run of OBUs, or undefined when there is no sequence header among them (AV1 5.5.1). */
export function av1Size(obus: Uint8Array): Size | undefined {
  const sequenceHeader = findSequenceHeader(obus);
  if (!sequenceHeader) return undefined;
  const reader = new BitReader(sequenceHeader);
  reader.skip(4);
  if (reader.flag()) reader.skip(5);
  else skipOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  return checked(reader.bits(widthBits) + 1, reader.bits(heightBits) + 1);
}

/** From a key frame's uncompressed header (VP9 bitstream 6.2); it is nowhere else. */
export function vp9Size(keyframe: Uint8Array): Size {
  const reader = new BitReader(keyframe);
  reader.skip(2);
  const profile = reader.bits(1) + reader.bits(1) * 2;
  if (profile === 3) reader.skip(1);
  const showsExistingFrame = reader.flag();
  const isInter = reader.flag();
  reader.skip(2);
  if (showsExistingFrame || isInter || reader.bits(24) !== 0x498342)
    throw new CodedError('bad_config', 'a VP9 key frame without a key frame header');
  if (profile >= 2) reader.skip(1);
  const rgb = 7;
  const withoutSubsampling = profile === 0 || profile === 2;
  if (reader.bits(3) === rgb) reader.skip(withoutSubsampling ? 0 : 1);
  else reader.skip(withoutSubsampling ? 1 : 4);
  return checked(reader.bits(16) + 1, reader.bits(16) + 1);
}

function checked(width: number, height: number): Size {
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    throw new CodedError('bad_config', `a picture of ${width}x${height}`);
  return { width, height };
}

/** Takes out the emulation prevention bytes: the 3 in 00 00 03 (ISO/IEC 14496-10 7.4.1). */
function withoutEmulation(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, index) => byte !== 3 || bytes[index - 1] !== 0 || bytes[index - 2] !== 0);
}

function readChroma(reader: BitReader): { chroma: number; separatePlanes: boolean } {
  const chroma = reader.unsigned();
  const separatePlanes = chroma === 3 && reader.flag();
  reader.unsigned();
  reader.unsigned();
  reader.skip(1);
  const listCount = !reader.flag() ? 0 : chroma === 3 ? 12 : 8;
  for (let list = 0; list < listCount; list++) {
    if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
  }
  return { chroma, separatePlanes };
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  for (let index = 0; index < size; index++) {
    const next = (last + reader.signed() + 256) % 256;
    if (next === 0) return;
    last = next;
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsigned();
  if (type === 0) reader.unsigned();
  if (type !== 1) return;
  reader.skip(1);
  reader.signed();
  reader.signed();
  for (let count = reader.unsigned(); count > 0; count--) reader.signed();
}

const NO_CROP = { horizontal: 0, vertical: 0 };

function readCrop(reader: BitReader): typeof NO_CROP {
  const horizontal = reader.unsigned() + reader.unsigned();
  return { horizontal, vertical: reader.unsigned() + reader.unsigned() };
}

/** Luma samples per unit of cropping (ISO/IEC 14496-10 table 6-1). */
function chromaUnit(chroma: number): { x: number; y: number } {
  return { x: chroma === 1 || chroma === 2 ? 2 : 1, y: chroma === 1 ? 2 : 1 };
}

function skipProfileTierLevel(reader: BitReader, subLayers: number): void {
  const profileBits = 88;
  const levelBits = 8;
  reader.skip(profileBits + levelBits);
  const present: number[] = [];
  for (let layer = 0; layer < subLayers; layer++) present.push(reader.bits(2));
  if (subLayers > 0) reader.skip(2 * (8 - subLayers));
  for (const flags of present) reader.skip((flags & 2 ? profileBits : 0) + (flags & 1 ? levelBits : 0));
}

/** The body of the first sequence header OBU (AV1 5.3). */
function findSequenceHeader(obus: Uint8Array): Uint8Array | undefined {
  for (let offset = 0; offset < obus.length; ) {
    const header = obus[offset]!;
    const hasExtension = (header & 4) !== 0;
    const hasSize = (header & 2) !== 0;
    let start = offset + (hasExtension ? 2 : 1);
    let size = hasSize ? 0 : obus.length - start;
    for (let shift = 0; hasSize && shift < 28; shift += 7) {
      const byte = obus[start++] ?? 0;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    const sequenceHeader = 1;
    if (((header >> 3) & 15) === sequenceHeader) return obus.subarray(start, start + size);
    offset = start + size;
  }
  return undefined;
}

function skipOperatingPoints(reader: BitReader): void {
  const hasTiming = reader.flag();
  if (hasTiming) {
    reader.skip(64);
    if (reader.flag()) reader.unsigned();
  }
  const hasDecoderModel = hasTiming && reader.flag();
  const delayBits = hasDecoderModel ? reader.bits(5) + 1 : 0;
  if (hasDecoderModel) reader.skip(32 + 5 + 5);
  const hasDisplayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  for (let point = 0; point < points; point++) {
    reader.skip(12);
    if (reader.bits(5) > 7) reader.skip(1);
    if (hasDecoderModel && reader.flag()) reader.skip(2 * delayBits + 1);
    if (hasDisplayDelay && reader.flag()) reader.skip(4);
  }
}
