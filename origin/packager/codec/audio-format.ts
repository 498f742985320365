// What an epoch's audio is: rate, channels, sample entry, length of a frame, silence. Pure.

import { CodedError } from '../../../network/errors.ts';
import { readOrThrow } from '../../../network/media/boxes.ts';
import { type BoxValue, box, u16, u32, write, zeros } from '../../../network/media/write-boxes.ts';
import type { AudioCodec } from '../../media.ts';
import { readAac } from './aac.ts';
import { readAc3, readEac3 } from './ac3.ts';
import type { AudioHeader } from './audio-header.ts';
import { readFlac } from './flac.ts';
import { readMp3 } from './mp3.ts';
import { readOpus } from './opus.ts';

export interface AudioFormat extends AudioHeader {
  readonly codec: AudioCodec;
  /** The whole sample entry box. Equal entries are equal formats. */
  readonly sampleEntry: Uint8Array;
}

/** These have no header of their own: each frame says what it is. */
export function isSelfDescribing(codec: AudioCodec): boolean {
  return codec === 'mp3' || codec === 'ac3' || codec === 'eac3';
}

/** From the header that the broadcaster sent, or from a frame of a self-describing codec. Throws `bad_config` or `unsupported_media`. */
export function readAudioFormat(codec: AudioCodec, config: Uint8Array): AudioFormat {
  return readOrThrow('bad_config', `the ${codec} configuration of ${config.length} bytes`, () => {
    const header = READERS[codec](config);
    if (header.sampleRate < 1 || header.channels < 1)
      throw new CodedError('bad_config', `${codec} of ${header.sampleRate} Hz, ${header.channels} channels`);
    return { ...header, codec, sampleEntry: write(sampleEntry(codec, header)) };
  });
}

const READERS: Readonly<Record<AudioCodec, (config: Uint8Array) => AudioHeader>> = {
  aac: readAac,
  mp3: readMp3,
  opus: readOpus,
  flac: readFlac,
  ac3: readAc3,
  eac3: readEac3,
};

const ENTRY_TYPES: Readonly<Record<AudioCodec, string>> = {
  aac: 'mp4a',
  mp3: 'mp4a',
  opus: 'Opus',
  flac: 'fLaC',
  ac3: 'ac-3',
  eac3: 'ec-3',
};

/** AudioSampleEntry (ISO/IEC 14496-12 12.2.3) with the codec's own box. */
function sampleEntry(codec: AudioCodec, { channels, sampleRate, configBox }: AudioHeader): BoxValue {
  const bitsPerSample = 16;
  return box(
    ENTRY_TYPES[codec],
    zeros(6),
    u16(1),
    zeros(8),
    u16(channels),
    u16(bitsPerSample),
    u32(0),
    u16(representableRate(sampleRate)),
    u16(0),
    configBox,
  );
}

/** The field has 16 bits; a higher rate is given as the largest that divides it (Encapsulation of FLAC in ISOBMFF 3.3.1). */
function representableRate(sampleRate: number): number {
  let rate = sampleRate;
  while (rate > 0xffff) rate = Math.floor(rate / 2);
  return rate;
}
