// Opus: identification header (RFC 7845 5.1), its box (Encapsulation of Opus in ISOBMFF 4.3.2), length of a packet. Pure.

import { CodedError } from '../../../network/errors.ts';
import { viewOf } from '../../../network/media/boxes.ts';
import { box, u8, u16, u32 } from '../../../network/media/write-boxes.ts';
import type { AudioHeader } from './audio-header.ts';

const SAMPLE_RATE = 48_000;
/** A 20 ms frame of the CELT layer that holds nothing; mono, which decodes in a stereo stream too (RFC 6716 3.1). */
const SILENCE = { data: Uint8Array.from([0xf8, 0xff, 0xfe]), samples: 960 };

export function readOpus(config: Uint8Array): AudioHeader {
  const view = viewOf(config);
  const channels = view.getUint8(9);
  const family = view.getUint8(18);
  const tableBytes = family === 0 ? 0 : 2 + channels;
  const isWhole = config.length >= 19 + tableBytes;
  if (!isWhole || new TextDecoder().decode(config.subarray(0, 8)) !== 'OpusHead')
    throw new CodedError('bad_config', 'an Opus header that is no OpusHead');
  return {
    sampleRate: SAMPLE_RATE,
    channels,
    configBox: box(
      'dOps',
      u8(0),
      u8(channels),
      u16(view.getUint16(10, true)),
      u32(view.getUint32(12, true)),
      u16(view.getUint16(16, true)),
      u8(family),
      config.subarray(19, 19 + tableBytes),
    ),
    samplesIn: packetSamples,
    silence: family === 0 ? SILENCE : undefined,
  };
}

const LONG_FRAME_SAMPLES = [480, 960, 1920, 2880];

/** RFC 6716 3.1: the first byte gives the frame's length and, by its last two bits, how many frames there are. */
function packetSamples(packet: Uint8Array): number {
  const first = packet[0] ?? 0;
  const configuration = first >> 3;
  const countCode = first & 3;
  const count = countCode === 3 ? (packet[1] ?? 0) & 63 : countCode === 0 ? 1 : 2;
  const samples = count * frameSamples(configuration);
  const longestPacket = 0.12 * SAMPLE_RATE;
  return samples <= longestPacket ? samples : 0;
}

function frameSamples(configuration: number): number {
  if (configuration < 12) return LONG_FRAME_SAMPLES[configuration & 3]!;
  if (configuration < 16) return configuration & 1 ? 960 : 480;
  return 120 << (configuration & 3);
}
