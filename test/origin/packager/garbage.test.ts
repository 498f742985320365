// Senseless input to the packager: it costs one connection an error, never the process, and output and memory stay in proportion.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import { readTag } from '../../../origin/flv/flv.ts';
import type { AudioCodec, MediaPacket, VideoCodec } from '../../../origin/media.ts';
import { FILLER_CONFIG } from '../../../origin/packager/codec/aac.ts';
import { type Packaged, Packager } from '../../../origin/packager/packager.ts';
import { readFlvFile } from '../../tools/media/flv-file.ts';
import { clip, sources } from '../../tools/media/media.ts';
import { EPOCH_MS, expectSound } from '../../tools/media/packaged.ts';

const AVCC = Uint8Array.fromHex('0142c01fffe1000c6742c01fd9005005bb011000000301000468ce3c80');
/** Silence for the three seconds that a timestamp may go ahead, and a frame. */
const MAX_PER_PUSH = 700;

const codecs = {
  video: fc.constantFrom<VideoCodec>('h264', 'h264', 'h264', 'hevc', 'av1', 'vp9'),
  audio: fc.constantFrom<AudioCodec>('aac', 'aac', 'aac', 'mp3', 'opus', 'flac', 'ac3', 'eac3'),
};
const timestampMs = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 20_000 }));
const data = fc.uint8Array({ maxLength: 40 });
const packets = fc.oneof(
  fc.record({
    kind: fc.constant('videoConfig' as const),
    codec: fc.constant<VideoCodec>('h264'),
    config: fc.constant(AVCC),
  }),
  fc.record({
    kind: fc.constant('audioConfig' as const),
    codec: fc.constant<AudioCodec>('aac'),
    config: fc.constant(FILLER_CONFIG),
  }),
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('video' as const),
      codec: fc.constant<VideoCodec>('h264'),
      timestampMs,
      compositionMs: fc.integer({ min: -(2 ** 23), max: 2 ** 23 - 1 }),
      keyframe: fc.boolean(),
      data,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('audio' as const),
      codec: fc.constant<AudioCodec>('aac'),
      timestampMs,
      data,
    }),
  },
);

/** Pushes until the end or the first error, which must be one with a code. */
function run(list: readonly MediaPacket[]): Packaged[] {
  const packager = new Packager({ numbering: FIRST_NUMBERING });
  const packaged: Packaged[] = [];
  try {
    for (const [index, packet] of list.entries()) {
      const items = packager.push(packet, EPOCH_MS + index * 10);
      expect(items.length).toBeLessThan(MAX_PER_PUSH);
      for (const item of items) packaged.push(item);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(CodedError);
  }
  packaged.push(...packager.end());
  return packaged;
}

test('with timestamps of any kind what comes out is sound', () => {
  fc.assert(
    fc.property(fc.array(packets, { maxLength: 200 }), (list) => {
      const packaged = run(list);
      if (packaged.length > 0) expectSound(packaged, { regular: false });
    }),
    { numRuns: 150 },
  );
});

test('configurations and frames of random bytes cost the connection at most', () => {
  const random = fc.oneof(
    packets,
    fc.record({ kind: fc.constant('videoConfig' as const), codec: codecs.video, config: data }),
    fc.record({ kind: fc.constant('audioConfig' as const), codec: codecs.audio, config: data }),
    fc.record({ kind: fc.constant('audio' as const), codec: codecs.audio, timestampMs, data }),
    fc.record({
      kind: fc.constant('video' as const),
      codec: codecs.video,
      timestampMs,
      compositionMs: fc.constant(0),
      keyframe: fc.boolean(),
      data,
    }),
  );
  fc.assert(
    fc.property(fc.array(random, { maxLength: 60 }), (list) => {
      run(list);
    }),
    { numRuns: 500 },
  );
});

test('a real broadcast with bytes flipped anywhere ends in a coded error or in chunks', () => {
  const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '30', '-c:a', 'aac'];
  const messages = readFlvFile(clip('flv', [...sources({ seconds: 2, size: '160x90' }), ...x264]));
  const flips = fc.array(fc.tuple(fc.nat(messages.length - 1), fc.nat(60), fc.nat(255)), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(flips, (list) => {
      const broken = messages.map((message) => ({ ...message, payload: Uint8Array.from(message.payload) }));
      for (const [index, offset, byte] of list) {
        const { payload } = broken[index]!;
        payload[offset % payload.length] = byte;
      }
      const packager = new Packager({ numbering: FIRST_NUMBERING });
      try {
        for (const message of broken) packager.push(readTag(message), EPOCH_MS + message.timestampMs);
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError);
      }
    }),
    { numRuns: 100 },
  );
});

test('a broadcast that never shows a key frame, or never its configuration, holds little', () => {
  const packager = new Packager({ numbering: FIRST_NUMBERING });
  const bytes = new Uint8Array(100_000);
  packager.push({ kind: 'videoConfig', codec: 'h264', config: AVCC }, EPOCH_MS);
  packager.push({ kind: 'audioConfig', codec: 'aac', config: FILLER_CONFIG }, EPOCH_MS);
  let packaged = 0;
  for (let index = 0; index < 5_000; index++) {
    const frame = { timestampMs: index * 20, data: bytes };
    packaged += packager.push({ kind: 'audio', codec: 'aac', ...frame }, EPOCH_MS).length;
    packaged += packager.push(
      { kind: 'video', codec: 'h264', compositionMs: 0, keyframe: false, ...frame },
      EPOCH_MS,
    ).length;
  }
  expect(packaged).toBe(0);
  const heldBytes = packager
    .end()
    .reduce((sum, item) => sum + (item.kind === 'chunk' ? item.chunk.bytes.length : 0), 0);
  expect(heldBytes).toBeLessThan(40 * 1024 * 1024);
});
