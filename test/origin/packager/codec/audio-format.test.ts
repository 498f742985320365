// What audio headers say, and which are refused.

import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { write } from '../../../../network/media/write-boxes.ts';
import type { AudioCodec } from '../../../../origin/media.ts';
import { readAudioFormat } from '../../../../origin/packager/codec/audio-format.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.fromHex(hex.replaceAll(' ', ''));

test.each([
  { what: 'LC, 48 kHz, stereo', config: '1190', sampleRate: 48_000, channels: 2, samples: 1024 },
  {
    what: 'LC, 44.1 kHz, stereo, with a note that there is no SBR',
    config: '121056e500',
    sampleRate: 44_100,
    channels: 2,
    samples: 1024,
  },
  { what: 'LC in frames of 960', config: '1194', sampleRate: 48_000, channels: 2, samples: 960 },
  {
    what: 'HE-AAC, explicit, core 24 kHz',
    config: '2b118800',
    sampleRate: 24_000,
    channels: 2,
    samples: 1024,
  },
  {
    what: 'HE-AAC v2, explicit, core 22.05 kHz',
    config: 'eb8a0800',
    sampleRate: 22_050,
    channels: 1,
    samples: 1024,
  },
  {
    what: 'LC with a rate of its own, 50 kHz',
    config: '1780 61a8 10',
    sampleRate: 50_000,
    channels: 2,
    samples: 1024,
  },
  { what: 'LC, 48 kHz, 7.1', config: '11b8', sampleRate: 48_000, channels: 8, samples: 1024 },
])('AAC $what', ({ config, sampleRate, channels, samples }) => {
  const format = readAudioFormat('aac', bytes(config));
  expect(format).toMatchObject({ sampleRate, channels });
  expect(format.samplesIn(new Uint8Array(1))).toBe(samples);
});

test.each<{ codec: AudioCodec; config: string; code: string; reason: RegExp }>([
  { codec: 'aac', config: '1180', code: 'unsupported_media', reason: /channel configuration 0/ },
  { codec: 'aac', config: 'f94640', code: 'unsupported_media', reason: /object type 42/ },
  { codec: 'aac', config: '16f0', code: 'bad_config', reason: /sampling frequency index 13/ },
  { codec: 'aac', config: '11', code: 'bad_config', reason: /cut short/ },
  { codec: 'aac', config: '11'.repeat(65), code: 'bad_config', reason: /65 bytes/ },
  { codec: 'opus', config: '4f707573', code: 'bad_config', reason: /opus configuration of 4 bytes/ },
  { codec: 'opus', config: '00'.repeat(19), code: 'bad_config', reason: /no OpusHead/ },
  { codec: 'flac', config: '664c6143', code: 'bad_config', reason: /FLAC header of 4 bytes/ },
  { codec: 'flac', config: '00'.repeat(34), code: 'bad_config', reason: /0 Hz/ },
  { codec: 'mp3', config: 'fffa', code: 'bad_config', reason: /./ },
  { codec: 'mp3', config: '000000', code: 'bad_config', reason: /layer 3/ },
  { codec: 'ac3', config: '0000000000000000', code: 'bad_config', reason: /sync word/ },
  { codec: 'eac3', config: '0b77', code: 'bad_config', reason: /without a frame/ },
])('$codec of $config is refused: $reason', ({ codec, config, code, reason }) => {
  const read = (): unknown => readAudioFormat(codec, bytes(config));
  expect(read).toThrow(reason);
  expect(read).toThrow(expect.objectContaining({ code }));
});

test.each([
  { packet: 'f8fffe', samples: 960 },
  { packet: 'f0', samples: 480 },
  { packet: 'e0', samples: 120 },
  { packet: '18', samples: 2880 },
  { packet: '60', samples: 480 },
  { packet: '78', samples: 960 },
  { packet: 'f9', samples: 1920 },
  { packet: 'fb03', samples: 2880 },
  { packet: 'fb3f', samples: 0 },
  { packet: '', samples: 120 * 4 },
])('an Opus packet that begins with $packet lasts $samples samples', ({ packet, samples }) => {
  const head = bytes('4f70757348656164 01 02 3801 80bb0000 0000 00');
  expect(readAudioFormat('opus', head).samplesIn(bytes(packet))).toBe(samples);
});

test('a rate that does not fit into the sample entry is halved there, and kept as the timescale', () => {
  const format = readAudioFormat('flac', bytes(`${'00'.repeat(10)}17700270${'00'.repeat(20)}`));
  expect(format.sampleRate).toBe(96_000);
  expect(new DataView(format.sampleEntry.buffer).getUint16(32)).toBe(48_000);
});

test.each([1, 2, 3, 4, 5, 6])('the silent frame of AAC with %d channels decodes to zeros', (channels) => {
  const { data, samples } = readAudioFormat('aac', Uint8Array.of(0x11, 0x80 | (channels << 3))).silence!;
  const adts = Buffer.concat(new Array(5).fill(Buffer.concat([adtsHeader(channels, data.length), data])));
  const args = ['-v', 'warning', '-xerror', '-f', 'aac', '-i', '-', '-f', 's16le', '-'];
  const decoded = execFileSync('ffmpeg', args, { input: adts });
  expect(decoded.length).toBe(5 * samples * channels * 2);
  expect(decoded.every((byte) => byte === 0)).toBe(true);
});

test('the dec3 box names the dependent substreams of an access unit', () => {
  const independent = '0b77 0004 3f 80 00000000'.replaceAll(' ', '');
  const dependent = '0b77 4004 3f 80 00000000'.replaceAll(' ', '');
  const one = readAudioFormat('eac3', bytes(independent));
  const two = readAudioFormat('eac3', bytes(independent + dependent));
  expect(one).toMatchObject({ sampleRate: 48_000, channels: 6 });
  expect(write(one.configBox).toHex()).toBe('0000000d64656333 0000 200f00'.replaceAll(' ', ''));
  expect(write(two.configBox).toHex()).toBe('0000000e64656333 0000 200f0200'.replaceAll(' ', ''));
  expect(two.samplesIn(bytes(independent + dependent))).toBe(1536);
});

function adtsHeader(channels: number, dataBytes: number): Uint8Array {
  const length = dataBytes + 7;
  const lcAt48kHz = 0x4c;
  return Uint8Array.of(
    0xff,
    0xf1,
    lcAt48kHz | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  );
}
