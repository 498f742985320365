// Every codec that is carried, from ffmpeg's own files through tags and chunks, and back to ffmpeg and mp4box.js.

import { expect, test } from 'vitest';
import type { RtmpMessage } from '../../../../origin/media.ts';
import { enhancedAudio, enhancedVideo, readFlvFile } from '../../../tools/media/flv-file.ts';
import { clip, decodeComplaints, picture, probe, sources, tone } from '../../../tools/media/media.ts';
import { configOf, type FileSample, type FileTrack, readMp4File } from '../../../tools/media/mp4-file.ts';
import { type EpochFile, epochsOf, expectSound, ofTrack, packageAll } from '../../../tools/media/packaged.ts';

const SIZE = { seconds: 3, size: '320x180' };
const X264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '30'];

test.each([
  {
    what: 'HEVC with B-frames',
    fourCc: 'hvc1',
    configBox: 'hvcC',
    encoder: [
      '-c:v',
      'libx265',
      '-preset',
      'ultrafast',
      '-x265-params',
      'log-level=error:keyint=30:bframes=2',
      '-tag:v',
      'hvc1',
    ],
    codec: /^hvc1\.1\.6\.L/,
  },
  {
    what: 'AV1',
    fourCc: 'av01',
    configBox: 'av1C',
    encoder: ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime', '-g', '30'],
    codec: /^av01\.0\./,
  },
  {
    what: 'VP9',
    fourCc: 'vp09',
    configBox: 'vpcC',
    encoder: ['-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8', '-g', '30'],
    codec: /^vp09\.00\./,
  },
  { what: 'H.264', fourCc: 'avc1', configBox: 'avcC', encoder: X264, codec: /^avc1\.64/ },
])('$what over Enhanced RTMP', ({ fourCc, configBox, encoder, codec }) => {
  const file = clip('mp4', [...picture(SIZE), ...encoder, '-pix_fmt', 'yuv420p']);
  const [track] = readMp4File(file);
  const epoch = expectPlayable(enhancedVideoMessages(fourCc, configOf(file, configBox), track!));
  expect(epoch.init.lead.codec).toMatch(codec);
  expect(epoch.init.lead).toMatchObject({ width: 320, height: 180 });
  expectSameSamples(epoch, 'video', track!.samples);
});

test('HEVC with codec id 12, as encoders sent it before Enhanced RTMP', () => {
  const encoder = [
    '-c:v',
    'libx265',
    '-preset',
    'ultrafast',
    '-x265-params',
    'log-level=error:keyint=30',
    '-tag:v',
    'hvc1',
  ];
  const file = clip('mp4', [...picture(SIZE), ...encoder, '-pix_fmt', 'yuv420p']);
  const [track] = readMp4File(file);
  const messages = enhancedVideoMessages('hvc1', configOf(file, 'hvcC'), track!).map(legacyHevc);
  expectSameSamples(expectPlayable(messages), 'video', track!.samples);
});

test.each([
  {
    what: 'Opus',
    fourCc: 'Opus',
    configBox: 'dOps',
    encoder: ['-c:a', 'libopus'],
    codec: 'opus',
    sampleRate: 48_000,
  },
  {
    what: 'Opus in frames of 60 ms',
    fourCc: 'Opus',
    configBox: 'dOps',
    encoder: ['-c:a', 'libopus', '-frame_duration', '60'],
    codec: 'opus',
    sampleRate: 48_000,
  },
  {
    what: 'FLAC',
    fourCc: 'fLaC',
    configBox: 'dfLa',
    encoder: ['-c:a', 'flac', '-strict', '-2'],
    codec: 'flac',
    sampleRate: 48_000,
  },
  {
    what: 'AC-3',
    fourCc: 'ac-3',
    configBox: undefined,
    encoder: ['-c:a', 'ac3'],
    codec: 'ac-3',
    sampleRate: 48_000,
  },
  {
    what: 'E-AC-3',
    fourCc: 'ec-3',
    configBox: undefined,
    encoder: ['-c:a', 'eac3'],
    codec: 'ec-3',
    sampleRate: 48_000,
  },
  {
    what: 'MP3',
    fourCc: '.mp3',
    configBox: undefined,
    encoder: ['-c:a', 'libmp3lame'],
    codec: 'mp4a.6b',
    sampleRate: 48_000,
  },
  {
    what: 'AAC',
    fourCc: 'mp4a',
    configBox: 'esds',
    encoder: ['-c:a', 'aac'],
    codec: 'mp4a.40.2',
    sampleRate: 48_000,
  },
])('$what over Enhanced RTMP, beside H.264', ({ fourCc, configBox, encoder, codec, sampleRate }) => {
  const args = [...sources({ ...SIZE, sampleRate }), ...X264, '-bf', '0', '-ac', '2', ...encoder];
  const file = clip('mp4', args);
  const [video, audio] = readMp4File(file);
  const config = configBox ? sequenceStart(configBox, configOf(file, configBox)) : undefined;
  const messages = [
    ...enhancedVideoMessages('avc1', configOf(file, 'avcC'), video!),
    ...enhancedAudioMessages(fourCc, config, audio!),
  ].sort((one, other) => one.timestampMs - other.timestampMs);
  const epoch = expectPlayable(messages);
  expect(epoch.init.tracks[1]).toMatchObject({ codec, sampleRate, channels: 2 });
  const sent = audio!.samples.slice(1).map((sample) => Buffer.from(sample.data).toString('hex'));
  const packaged = new Set(payloadsOf(epoch, 'audio'));
  expect(sent.filter((data) => !packaged.has(data)).length).toBeLessThanOrEqual(3);
});

test('MP3 in legacy tags', () => {
  const args = [
    ...sources({ ...SIZE, sampleRate: 44_100 }),
    ...X264,
    '-bf',
    '0',
    '-c:a',
    'libmp3lame',
    '-ac',
    '1',
  ];
  const epoch = expectPlayable(readFlvFile(clip('flv', args)));
  expect(epoch.init.tracks[1]).toMatchObject({ codec: 'mp4a.6b', sampleRate: 44_100, channels: 1 });
});

test.each([
  { rate: 44_100, channels: 1 },
  { rate: 48_000, channels: 2 },
  { rate: 32_000, channels: 3 },
  { rate: 24_000, channels: 4 },
  { rate: 22_050, channels: 5 },
  { rate: 96_000, channels: 6 },
])('AAC of $channels channels at $rate Hz is followed by silence of its own kind', ({ rate, channels }) => {
  const aac = [
    ...tone({ seconds: 2, sampleRate: rate }),
    '-af',
    `pan=${LAYOUTS[channels]}|c0=c0`,
    '-c:a',
    'aac',
  ];
  const audio = readFlvFile(clip('flv', aac)).filter((message) => message.type === 'audio');
  const video = readFlvFile(clip('flv', [...picture({ ...SIZE, seconds: 4 }), ...X264, '-bf', '0']));
  const messages = [...video, ...audio].sort((one, other) => one.timestampMs - other.timestampMs);
  const epoch = expectPlayable(messages);
  expect(epoch.init.tracks[1]!.channels).toBe(channels);
  const { streams, packets } = probe(epoch.bytes);
  expect(streams[1]).toMatchObject({ sample_rate: String(rate), channels });
  const heard = packets.filter((packet) => packet.codec_type === 'audio');
  const silent = heard.filter((packet) => Number(packet.size) < 30);
  expect(silent.length).toBeGreaterThan((1.8 * rate) / 1024);
});

const LAYOUTS: Readonly<Record<number, string>> = {
  1: 'mono',
  2: 'stereo',
  3: '3.0',
  4: '4.0',
  5: '5.0',
  6: '5.1',
};

function enhancedVideoMessages(fourCc: string, config: Uint8Array, track: FileTrack): RtmpMessage[] {
  const tag = { fourCc, keyframe: true, timestampMs: 0 };
  const hasComposition = fourCc === 'avc1' || fourCc === 'hvc1';
  const frames = track.samples.map((sample) => {
    const toMs = (ticks: number): number => Math.round((ticks / track.timescale) * 1000);
    const compositionMs = toMs(sample.compositionTime) - toMs(sample.decodeTime);
    const frame = {
      fourCc,
      keyframe: sample.keyframe,
      timestampMs: toMs(sample.decodeTime),
      data: sample.data,
    };
    if (!hasComposition) return enhancedVideo({ ...frame, packetType: 1 });
    return compositionMs === 0
      ? enhancedVideo({ ...frame, packetType: 3 })
      : enhancedVideo({ ...frame, packetType: 1, compositionMs });
  });
  return [enhancedVideo({ ...tag, packetType: 0, data: config }), ...frames];
}

function enhancedAudioMessages(
  fourCc: string,
  config: Uint8Array | undefined,
  track: FileTrack,
): RtmpMessage[] {
  const frames = track.samples.map((sample) => {
    const timestampMs = Math.max(0, Math.round((sample.decodeTime / track.timescale) * 1000));
    return enhancedAudio({ fourCc, packetType: 1, timestampMs, data: sample.data });
  });
  const starts = config ? [enhancedAudio({ fourCc, packetType: 0, timestampMs: 0, data: config })] : [];
  return [...starts, ...frames];
}

/** What an encoder sends for what MP4 keeps in a box. */
function sequenceStart(configBox: string, body: Uint8Array): Uint8Array {
  if (configBox === 'dfLa') return Buffer.concat([Buffer.from('fLaC'), body.subarray(4)]);
  if (configBox === 'esds') return Uint8Array.of(0x11, 0x90);
  const dOps = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head[8] = 1;
  head[9] = dOps.getUint8(1);
  head.writeUInt16LE(dOps.getUint16(2), 10);
  head.writeUInt32LE(dOps.getUint32(4), 12);
  return head;
}

function legacyHevc({ timestampMs, payload }: RtmpMessage): RtmpMessage {
  const packetType = payload[0]! & 15;
  const isConfig = packetType === 0;
  const composition = packetType === 1 ? payload.subarray(5, 8) : new Uint8Array(3);
  const header = Uint8Array.of((payload[0]! & 0x70) | 12, isConfig ? 0 : 1, ...composition);
  return {
    type: 'video',
    timestampMs,
    payload: Buffer.concat([header, payload.subarray(packetType === 1 ? 8 : 5)]),
  };
}

function expectPlayable(messages: readonly RtmpMessage[]): EpochFile {
  const { packaged } = packageAll(messages);
  expectSound(packaged);
  const [epoch, another] = epochsOf(packaged);
  expect(another).toBeUndefined();
  expect(decodeComplaints(epoch!.bytes)).toBe('');
  expect(readMp4File(epoch!.bytes).length).toBe(2);
  return epoch!;
}

function expectSameSamples(epoch: EpochFile, kind: 'video' | 'audio', samples: readonly FileSample[]): void {
  expect(payloadsOf(epoch, kind)).toEqual(samples.map((sample) => Buffer.from(sample.data).toString('hex')));
}

function payloadsOf(epoch: EpochFile, kind: 'video' | 'audio'): string[] {
  const headerBytes = 184;
  return ofTrack(epoch, kind).map((chunk) => Buffer.from(chunk.bytes.subarray(headerBytes)).toString('hex'));
}
