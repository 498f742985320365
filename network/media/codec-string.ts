// RFC 6381 codec strings from sample entries, as HLS's CODECS attribute and MediaSource want them. Pure.

import { CodedError } from '../errors.ts';
import { type Box, needBox } from './boxes.ts';

/** Bytes of fixed fields before the inner boxes of a sample entry (ISO/IEC 14496-12 12.1.3, 12.2.3). */
const VISUAL_BYTES = 78;
const AUDIO_BYTES = 28;

/** The codec string of a sample entry. Throws `bad_init` for a codec that is not carried here. */
export function codecString(view: DataView, entry: Box): string {
  const inner = (fixedBytes: number, type: string): Box =>
    needBox(view, [type], { ...entry, body: entry.body + fixedBytes });
  switch (entry.type) {
    case 'avc1':
      return avc(view, inner(VISUAL_BYTES, 'avcC'));
    case 'hvc1':
      return hevc(view, inner(VISUAL_BYTES, 'hvcC'));
    case 'av01':
      return av1(view, inner(VISUAL_BYTES, 'av1C'));
    case 'vp09':
      return vp9(view, inner(VISUAL_BYTES, 'vpcC'));
    case 'mp4a':
      return mpeg4Audio(view, inner(AUDIO_BYTES, 'esds'));
    case 'Opus':
      return 'opus';
    case 'fLaC':
      return 'flac';
    case 'ac-3':
    case 'ec-3':
      return entry.type;
    default:
      throw new CodedError('bad_init', `the sample entry '${entry.type}' is of no known codec`);
  }
}

/** RFC 6381 3.3: the three bytes behind the version of the avcC: profile, constraints, level. */
function avc(view: DataView, avcC: Box): string {
  return `avc1.${hex(view.getUint8(avcC.body + 1))}${hex(view.getUint8(avcC.body + 2))}${hex(view.getUint8(avcC.body + 3))}`;
}

/** ISO/IEC 14496-15 annex E.3: profile, compatibility flags in reverse bit order, tier and level, constraint bytes. */
function hevc(view: DataView, hvcC: Box): string {
  const profile = view.getUint8(hvcC.body + 1);
  const space = ['', 'A', 'B', 'C'][profile >> 6];
  const tier = (profile >> 5) & 1 ? 'H' : 'L';
  const compatibility = reverseBits(view.getUint32(hvcC.body + 2))
    .toString(16)
    .toUpperCase();
  const constraints = [];
  for (let index = 0; index < 6; index++) constraints.push(view.getUint8(hvcC.body + 6 + index));
  while (constraints.at(-1) === 0) constraints.pop();
  const level = view.getUint8(hvcC.body + 12);
  const tail = constraints.map((byte) => `.${byte.toString(16).toUpperCase()}`).join('');
  return `hvc1.${space}${profile & 31}.${compatibility}.${tier}${level}${tail}`;
}

/** AV1 codec ISO media file format binding, section 5. */
function av1(view: DataView, av1C: Box): string {
  const second = view.getUint8(av1C.body + 1);
  const third = view.getUint8(av1C.body + 2);
  const depth = (third >> 6) & 1 ? ((third >> 5) & 1 ? '12' : '10') : '08';
  const level = String(second & 31).padStart(2, '0');
  return `av01.${second >> 5}.${level}${third >> 7 ? 'H' : 'M'}.${depth}`;
}

/** VP Codec ISO media file format binding: profile, level and bit depth behind the full box header. */
function vp9(view: DataView, vpcC: Box): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const depth = view.getUint8(vpcC.body + 6) >> 4;
  return `vp09.${two(view.getUint8(vpcC.body + 4))}.${two(view.getUint8(vpcC.body + 5))}.${two(depth)}`;
}

/** ISO/IEC 14496-1 7.2.6: the object type, and for MPEG-4 audio the audio object type of the AudioSpecificConfig. */
function mpeg4Audio(view: DataView, esds: Box): string {
  const decoderConfigTag = 4;
  const decoderSpecificTag = 5;
  let offset = esds.body + 4;
  while (offset < esds.end) {
    const tag = view.getUint8(offset++);
    let length = 0;
    let byte: number;
    do {
      byte = view.getUint8(offset++);
      length = (length << 7) | (byte & 0x7f);
    } while (byte & 0x80);
    const mp3 = 0x6b;
    if (tag === 3) offset += 3;
    else if (tag === decoderConfigTag) {
      if (view.getUint8(offset) === mp3) return 'mp4a.6b';
      offset += 13;
    } else if (tag === decoderSpecificTag) {
      const first = view.getUint8(offset) >> 3;
      const extended = 31;
      const type = first < extended ? first : 32 + ((view.getUint16(offset) >> 5) & 63);
      return `mp4a.40.${type}`;
    } else offset += length;
  }
  throw new CodedError('bad_init', 'an esds box without an AudioSpecificConfig');
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function reverseBits(value: number): number {
  let reversed = 0;
  for (let bit = 0; bit < 32; bit++) reversed = (reversed << 1) | ((value >>> bit) & 1);
  return reversed >>> 0;
}
