// AAC: AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1), and frames of silence. Pure.

import { CodedError } from '../../../network/errors.ts';
import type { AudioHeader, SilentFrame } from './audio-header.ts';
import { BitReader } from './bits.ts';
import { esds } from './esds.ts';

const MPEG4_AUDIO = 0x40;
const MAX_CONFIG_BYTES = 64;
const SAMPLE_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
];
/** By channelConfiguration (table 1.19); 0 means that a program config element says it. */
const CHANNELS = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 0, 8];

const SBR = 5;
const PS = 29;
const ESCAPE = 31;
const ESCAPED_RATE = 15;
/** AAC Main, LC, SSR, LTP: those with a GASpecificConfig and frames of 1024 or 960 samples. */
const GENERAL_AUDIO = [1, 2, 3, 4];

/** Stereo at 48 kHz, for a broadcast without audio. */
export const FILLER_CONFIG = Uint8Array.from([0x11, 0x90]);

/**
 * HE-AAC is counted in its core's samples: 1024 of them are 2048 of the output at twice the rate, the same time, and a
 * decoder that knows no SBR agrees.
 */
export function readAac(config: Uint8Array): AudioHeader {
  if (config.length > MAX_CONFIG_BYTES)
    throw new CodedError('bad_config', `an AudioSpecificConfig of ${config.length} bytes`);
  const reader = new BitReader(config);
  const outerType = readObjectType(reader);
  const sampleRate = readSampleRate(reader);
  const channelConfiguration = reader.bits(4);
  const coreType = outerType === SBR || outerType === PS ? readCoreType(reader) : outerType;
  if (!GENERAL_AUDIO.includes(coreType))
    throw new CodedError('unsupported_media', `AAC of object type ${coreType}: send AAC-LC or HE-AAC`);
  const channels = CHANNELS[channelConfiguration] ?? 0;
  if (channels === 0)
    throw new CodedError('unsupported_media', `AAC with channel configuration ${channelConfiguration}`);
  const samples = reader.flag() ? 960 : 1024;
  return {
    sampleRate,
    channels,
    configBox: esds(MPEG4_AUDIO, config),
    samplesIn: () => samples,
    silence: silentFrame(channelConfiguration, samples),
  };
}

function readObjectType(reader: BitReader): number {
  const type = reader.bits(5);
  return type === ESCAPE ? 32 + reader.bits(6) : type;
}

function readSampleRate(reader: BitReader): number {
  const index = reader.bits(4);
  const sampleRate = index === ESCAPED_RATE ? reader.bits(24) : SAMPLE_RATES[index];
  if (!sampleRate) throw new CodedError('bad_config', `AAC with sampling frequency index ${index}`);
  return sampleRate;
}

/** Explicit, hierarchical signalling of SBR and PS: the extension's rate, then the core's type. */
function readCoreType(reader: BitReader): number {
  readSampleRate(reader);
  return readObjectType(reader);
}

/** Raw data blocks in which nothing is heard, by channelConfiguration; of AAC-LC, which HE-AAC decoders take too. */
const SILENT_FRAMES: Readonly<Record<number, string>> = {
  1: '00c800802380',
  2: '210049900219002380',
  3: '00c800802084012640086400' + '8e',
  4: '00c800802084012640086400' + '802c80080238',
  5: '00c800802084012640086400' + '823004990021900238',
  6: '00c800802084012640086400' + '823004990021900218' + '32002008e0',
};

function silentFrame(channelConfiguration: number, samples: number): SilentFrame | undefined {
  const hex = SILENT_FRAMES[channelConfiguration];
  return hex === undefined ? undefined : { data: Uint8Array.fromHex(hex), samples };
}
