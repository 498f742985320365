// AC-3 and E-AC-3: the header of a frame and the boxes made of it (ETSI TS 102 366 4.3, E.1.2, F.4, F.6). Pure.

import { CodedError } from '../../../network/errors.ts';
import { box, u16, u24, u32 } from '../../../network/media/write-boxes.ts';
import type { AudioHeader } from './audio-header.ts';
import { BitReader } from './bits.ts';

const SYNC_WORD = 0x0b77;
const SAMPLE_RATES = [48_000, 44_100, 32_000];
const CHANNELS_BY_MODE = [2, 1, 2, 3, 3, 4, 4, 5];
const SAMPLES_PER_BLOCK = 256;
const AC3_SAMPLES = 6 * SAMPLES_PER_BLOCK;

export function readAc3(frame: Uint8Array): AudioHeader {
  const reader = new BitReader(frame);
  checkSync(reader);
  reader.skip(16);
  const rateCode = reader.bits(2);
  const bitRateCode = reader.bits(6) >> 1;
  const bsid = reader.bits(5);
  const bsmod = reader.bits(3);
  const mode = reader.bits(3);
  if ((mode & 1) !== 0 && mode !== 1) reader.skip(2);
  if ((mode & 4) !== 0) reader.skip(2);
  if (mode === 2) reader.skip(2);
  const lfe = reader.bits(1);
  const description =
    (rateCode << 22) | (bsid << 17) | (bsmod << 14) | (mode << 11) | (lfe << 10) | (bitRateCode << 5);
  return {
    sampleRate: sampleRateOf(rateCode),
    channels: CHANNELS_BY_MODE[mode]! + lfe,
    configBox: box('dac3', u24(description)),
    samplesIn: () => AC3_SAMPLES,
    silence: undefined,
  };
}

/** Of independent substream 0; its dependent substreams, which extend it beyond 5.1, are counted and carried. */
export function readEac3(accessUnit: Uint8Array): AudioHeader {
  const frames = readEac3Frames(accessUnit);
  const [main] = frames;
  if (!main) throw new CodedError('bad_config', 'E-AC-3 without a frame');
  const dependents = frames.filter((frame) => frame.isDependent).length;
  const substream = (main.rateCode << 22) | (main.bsid << 17) | (main.mode << 9) | (main.lfe << 8);
  const description = dependents === 0 ? u24(substream) : u32((substream << 8) | (dependents << 9));
  return {
    sampleRate: main.sampleRate,
    channels: CHANNELS_BY_MODE[main.mode]! + main.lfe,
    configBox: box('dec3', u16(0), description),
    samplesIn: eac3Samples,
    silence: undefined,
  };
}

function eac3Samples(accessUnit: Uint8Array): number {
  let blocks = 0;
  for (const frame of readEac3Frames(accessUnit)) blocks += frame.isDependent ? 0 : frame.blocks;
  return blocks * SAMPLES_PER_BLOCK;
}

interface Eac3Frame {
  readonly isDependent: boolean;
  readonly bytes: number;
  readonly rateCode: number;
  readonly sampleRate: number;
  readonly blocks: number;
  readonly mode: number;
  readonly lfe: number;
  readonly bsid: number;
}

/** Substream 0's frames and the dependent ones; an access unit holds few, so that a longer run of bytes is cut off. */
function readEac3Frames(accessUnit: Uint8Array): Eac3Frame[] {
  const frames: Eac3Frame[] = [];
  const headerBytes = 6;
  const maxFrames = 16;
  let offset = 0;
  while (offset + headerBytes <= accessUnit.length && frames.length < maxFrames) {
    const frame = readEac3Frame(accessUnit.subarray(offset));
    frames.push(frame);
    offset += frame.bytes;
  }
  return frames;
}

function readEac3Frame(bytes: Uint8Array): Eac3Frame {
  const reader = new BitReader(bytes);
  checkSync(reader);
  const streamType = reader.bits(2);
  const substream = reader.bits(3);
  if (substream !== 0) throw new CodedError('unsupported_media', 'E-AC-3 with several programmes');
  const frameBytes = (reader.bits(11) + 1) * 2;
  const rateCode = reader.bits(2);
  const isHalfRate = rateCode === 3;
  const code = reader.bits(2);
  return {
    isDependent: streamType === 1,
    bytes: frameBytes,
    rateCode,
    sampleRate: isHalfRate ? sampleRateOf(code) / 2 : sampleRateOf(rateCode),
    blocks: isHalfRate ? 6 : BLOCKS[code]!,
    mode: reader.bits(3),
    lfe: reader.bits(1),
    bsid: reader.bits(5),
  };
}

const BLOCKS = [1, 2, 3, 6];

function checkSync(reader: BitReader): void {
  if (reader.bits(16) !== SYNC_WORD)
    throw new CodedError('bad_config', 'an AC-3 frame without its sync word');
}

function sampleRateOf(code: number): number {
  const sampleRate = SAMPLE_RATES[code];
  if (!sampleRate) throw new CodedError('bad_config', `AC-3 with sample rate code ${code}`);
  return sampleRate;
}
