// The bytes of an init and of chunks: held against golden text, and read back.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChunk } from '../../../network/media/chunk.ts';
import { makeChunk, writeChunk, writeInit } from '../../../network/media/fmp4.ts';
import { codecsOf, readInit } from '../../../network/media/init.ts';
import { box, fullBox, u8, u16, u24, u32, u64, write } from '../../../network/media/write-boxes.ts';
import { FILLER_CONFIG } from '../../../origin/packager/codec/aac.ts';
import { readAudioFormat } from '../../../origin/packager/codec/audio-format.ts';
import { readVideoFormat } from '../../../origin/packager/codec/video-format.ts';
import { dumpBoxes } from '../../tools/media/box-dump.ts';

/** 1280x720 Baseline, level 3.1. */
const AVCC = Uint8Array.fromHex('0142c01fffe1000c6742c01fd9005005bb011000000301000468ce3c80');
const GOLDEN = '../../golden/';

const mark = {
  epoch: 1_700_000_000,
  discontinuitySequence: 3,
  msn: 1018,
  part: 4,
  startsEpoch: false,
  startsSegment: false,
  startsPart: true,
  targetDurationS: 2,
};
const sample = {
  sequence: 77,
  mark,
  arrivedAtMs: 1_700_000_123_456,
  trackId: 1,
  decodeTime: 90_000 * 3600,
  duration: 3000,
  composition: -3000,
  keyframe: false,
  data: Uint8Array.of(0, 0, 0, 2, 0x41, 0x9a),
};

test('an init is the golden one, box for box', async () => {
  const video = readVideoFormat({ codec: 'h264', config: AVCC }, new Uint8Array(0));
  const bytes = writeInit({ video, audio: readAudioFormat('aac', FILLER_CONFIG) });
  await expect(dumpBoxes(bytes)).toMatchFileSnapshot(`${GOLDEN}init.txt`);
  const init = readInit(bytes);
  expect(codecsOf(init)).toBe('avc1.42c01f,mp4a.40.2');
  expect(init.lead).toMatchObject({ id: 1, timescale: 90_000 });
});

test('a chunk is the golden one, box for box', async () => {
  await expect(dumpBoxes(writeChunk(sample))).toMatchFileSnapshot(`${GOLDEN}chunk.txt`);
});

test('what is written of a chunk is read back', () => {
  const chunks = fc.record({
    sequence: fc.integer({ min: 1, max: 0xffffffff }),
    mark: fc.record({
      epoch: fc.integer({ min: 1, max: 0xffffffff }),
      discontinuitySequence: fc.nat(),
      msn: fc.nat(),
      part: fc.integer({ min: 0, max: 0xffff }),
      startsEpoch: fc.boolean(),
      startsSegment: fc.boolean(),
      startsPart: fc.boolean(),
      targetDurationS: fc.integer({ min: 0, max: 255 }),
    }),
    arrivedAtMs: fc.integer({ min: 1_000_000_000_000, max: 2_000_000_000_000 }),
    trackId: fc.constantFrom(1, 2),
    decodeTime: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    duration: fc.integer({ min: 1, max: 0xffffffff }),
    composition: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    keyframe: fc.boolean(),
    data: fc.uint8Array({ maxLength: 64 }),
  });
  fc.assert(
    fc.property(chunks, ({ mark, composition, data, ...rest }) => {
      const bytes = writeChunk({ ...rest, mark, composition, data });
      expect(readChunk(bytes)).toEqual({ ...rest, ...mark, bytes });
      expect(makeChunk({ ...rest, mark, composition, data })).toEqual(readChunk(bytes));
      expect(bytes.subarray(-data.length || bytes.length)).toEqual(data);
    }),
  );
});

test('a chunk carries 184 bytes around its frame', () => {
  expect(writeChunk(sample).length).toBe(184 + sample.data.length);
});

test('numbers of every width are written big-endian, boxes inside boxes', () => {
  const value = box(
    'outr',
    u8(1),
    u16(0x0203),
    u24(0x040506),
    fullBox('innr', 1, 2, u32(-1), u64(2 ** 40 + 5)),
  );
  expect(write(value).toHex()).toBe(
    `0000002 6${Buffer.from('outr').toString('hex')}010203040506`.replace(' ', '') +
      `00000018${Buffer.from('innr').toString('hex')}01000002ffffffff0000010000000005`,
  );
});
