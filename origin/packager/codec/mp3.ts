// MP3: the header of a frame (ISO/IEC 11172-3 2.4.1.3, 13818-3). Pure.

import { CodedError } from '../../../network/errors.ts';
import type { AudioHeader } from './audio-header.ts';
import { esds } from './esds.ts';

const MP3 = 0x6b;
const SAMPLE_RATES = [44_100, 48_000, 32_000];
const VERSION_2_5 = 0;
const VERSION_2 = 2;
const VERSION_1 = 3;
const LAYER_3 = 1;
const MONO = 3;

export function readMp3(frame: Uint8Array): AudioHeader {
  const [sync = 0, second = 0, third = 0, fourth = 0] = frame;
  const version = (second >> 3) & 3;
  const fullRate = SAMPLE_RATES[(third >> 2) & 3];
  const isFrame =
    frame.length >= 4 && sync === 0xff && second >= 0xe0 && version !== 1 && ((second >> 1) & 3) === LAYER_3;
  if (!isFrame || !fullRate) throw new CodedError('bad_config', 'MP3 without a frame header of layer 3');
  const samples = version === VERSION_1 ? 1152 : 576;
  return {
    sampleRate: fullRate / ({ [VERSION_1]: 1, [VERSION_2]: 2, [VERSION_2_5]: 4 }[version] ?? 1),
    channels: fourth >> 6 === MONO ? 1 : 2,
    configBox: esds(MP3, new Uint8Array(0)),
    samplesIn: () => samples,
    silence: undefined,
  };
}
