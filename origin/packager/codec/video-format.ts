// What an epoch's video is: size and sample entry, from the config record that the broadcaster sent. Pure.

import { CodedError } from '../../../network/errors.ts';
import { readOrThrow, viewOf } from '../../../network/media/boxes.ts';
import { type BoxValue, box, fullBox, u16, u32, write, zeros } from '../../../network/media/write-boxes.ts';
import type { VideoCodec } from '../../media.ts';
import { av1Size, h264Size, hevcSize, type Size, vp9Size } from './picture-size.ts';

/** A decoder configuration as it came: `avcC`, `hvcC`, `av1C` or VP9 record. */
export interface VideoConfig {
  readonly codec: VideoCodec;
  readonly config: Uint8Array;
}

export interface VideoFormat extends Size {
  /** The whole sample entry box. Equal entries are equal formats. */
  readonly sampleEntry: Uint8Array;
}

/** Throws `bad_config` for a record that no decoder could use. The key frame is where VP9 and some AV1 keep their size. */
export function readVideoFormat({ codec, config }: VideoConfig, keyframe: Uint8Array): VideoFormat {
  return readOrThrow('bad_config', `the ${codec} configuration of ${config.length} bytes`, () => {
    const size = SIZES[codec](config, keyframe);
    return { ...size, sampleEntry: write(sampleEntry(codec, config, size)) };
  });
}

const SIZES: Readonly<Record<VideoCodec, (config: Uint8Array, keyframe: Uint8Array) => Size>> = {
  h264: (config) => h264Size(avcParameterSet(config)),
  hevc: (config) => hevcSize(hevcParameterSet(config)),
  av1: (config, keyframe) => {
    const size = av1Size(config.subarray(4)) ?? av1Size(keyframe);
    if (!size) throw new CodedError('bad_config', 'AV1 without a sequence header');
    return size;
  },
  vp9: (_config, keyframe) => vp9Size(keyframe),
};

/** The first SPS of an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1). */
function avcParameterSet(config: Uint8Array): Uint8Array {
  const view = viewOf(config);
  if (view.getUint8(0) !== 1) throw new CodedError('bad_config', `avcC of version ${view.getUint8(0)}`);
  if ((view.getUint8(5) & 31) === 0) throw new CodedError('bad_config', 'avcC without a parameter set');
  return config.subarray(8, 8 + view.getUint16(6));
}

/** The first SPS of an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1). */
function hevcParameterSet(config: Uint8Array): Uint8Array {
  const view = viewOf(config);
  const spsType = 33;
  let offset = 23;
  for (let arrays = view.getUint8(22); arrays > 0; arrays--) {
    const type = view.getUint8(offset) & 63;
    const units = view.getUint16(offset + 1);
    offset += 3;
    for (let unit = 0; unit < units; unit++) {
      const length = view.getUint16(offset);
      if (type === spsType) return config.subarray(offset + 2, offset + 2 + length);
      offset += 2 + length;
    }
  }
  throw new CodedError('bad_config', 'hvcC without a sequence parameter set');
}

/** VisualSampleEntry (ISO/IEC 14496-12 12.1.3) with the codec's own box. */
function sampleEntry(codec: VideoCodec, config: Uint8Array, { width, height }: Size): BoxValue {
  const { entryType, configBox } = ENTRIES[codec];
  const dpi72 = 0x00480000;
  const compressorName = zeros(32);
  const colourDepth = 24;
  return box(
    entryType,
    zeros(6),
    u16(1),
    zeros(16),
    u16(width),
    u16(height),
    u32(dpi72),
    u32(dpi72),
    u32(0),
    u16(1),
    compressorName,
    u16(colourDepth),
    u16(0xffff),
    configBox(config),
  );
}

interface Entry {
  readonly entryType: string;
  readonly configBox: (config: Uint8Array) => BoxValue;
}

const ENTRIES: Readonly<Record<VideoCodec, Entry>> = {
  h264: { entryType: 'avc1', configBox: (config) => box('avcC', config) },
  hevc: { entryType: 'hvc1', configBox: (config) => box('hvcC', config) },
  av1: { entryType: 'av01', configBox: (config) => box('av1C', config) },
  vp9: { entryType: 'vp09', configBox: vp9Box },
};

/** VPCodecConfigurationRecord in its full box; some encoders send the record alone, some with version and flags. */
function vp9Box(config: Uint8Array): BoxValue {
  const recordBytes = 8;
  const record = config.length > recordBytes ? config.subarray(4) : config;
  if (record.length < recordBytes) throw new CodedError('bad_config', `VP9 record of ${config.length} bytes`);
  return fullBox('vpcC', 1, 0, record);
}
