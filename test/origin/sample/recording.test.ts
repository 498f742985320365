// The recording of the sample broadcast, and what is made of FLV files to loop them.

import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readFlvTags } from '../../../origin/flv/flv-file.ts';
import { readRecording } from '../../../origin/sample/recording.ts';

const SAMPLE = join(import.meta.dirname, '../../../origin/sample/broadcast.flv');

describe('the sample', () => {
  test('is 24 s of 30 frames and 46.875 AAC frames each, so that it loops without a seam', async () => {
    const { headers, frames, durationMs } = readRecording(await readFile(SAMPLE));
    expect(headers.map(({ type }) => type)).toEqual(['data', 'video', 'audio']);
    expect(frames.filter(({ type }) => type === 'video')).toHaveLength(720);
    expect(frames.filter(({ type }) => type === 'audio')).toHaveLength(1_125);
    expect(durationMs).toBe(24_000);
    expect(Buffer.from(headers[0]!.payload).toString('latin1')).toContain(
      '@setDataFrame\x02\0\x0aonMetaData',
    );
  });

  test('is small, H.264 High in closed GOPs of one second without B-frames, and AAC of 48 kHz', async () => {
    expect((await stat(SAMPLE)).size).toBeLessThan(2_000_000);
    const entries = 'stream=codec_name,profile,width,height,has_b_frames,sample_rate,channels:packet=flags';
    const streams = probe(['-show_entries', entries, '-select_streams', 'v']);
    expect(streams.streams[0]).toMatchObject({
      codec_name: 'h264',
      profile: 'High',
      width: 1280,
      height: 720,
    });
    expect(streams.streams[0]).toMatchObject({ has_b_frames: 0 });
    const keyframes = streams.packets.flatMap(({ flags }, index) => (flags.startsWith('K') ? [index] : []));
    expect(keyframes).toEqual(Array.from({ length: 24 }, (_, second) => second * 30));
    const audio = probe(['-show_entries', entries, '-select_streams', 'a']).streams[0];
    expect(audio).toMatchObject({ codec_name: 'aac', sample_rate: '48000', channels: 2 });
  });

  test('decodes without a complaint', () => {
    const output = execFileSync('ffmpeg', ['-v', 'warning', '-i', SAMPLE, '-f', 'null', '-'], {
      stdio: 'pipe',
    });
    expect(output.toString()).toBe('');
  });
});

describe('an FLV file', () => {
  const header = Buffer.from('FLV\x01\x05\0\0\0\x09\0\0\0\0', 'latin1');
  const tag = (type: number, time: number, ...payload: number[]): Buffer => {
    const bytes = Buffer.alloc(11 + payload.length + 4);
    bytes.writeUInt8(type, 0);
    bytes.writeUIntBE(payload.length, 1, 3);
    bytes.writeUIntBE(time & 0xffffff, 4, 3);
    bytes.writeUInt8(time >>> 24, 7);
    bytes.set(payload, 11);
    bytes.writeUInt32BE(11 + payload.length, 11 + payload.length);
    return bytes;
  };

  test('has times of 32 bits', () => {
    const tags = readFlvTags(Buffer.concat([header, tag(9, 0xfedcba98, 0x27, 1)]));
    expect(tags).toEqual([{ type: 'video', timestampMs: 0xfedcba98, payload: Buffer.of(0x27, 1) }]);
  });

  test('may be cut off in its last tag', () => {
    const file = Buffer.concat([header, tag(8, 1, 0xaf, 1), tag(8, 2, 0xaf, 1)]);
    expect(readFlvTags(file.subarray(0, -5))).toHaveLength(1);
  });

  test('plays configurations once and leaves the end of a sequence out', () => {
    const enhancedConfig = [0x90, ...Buffer.from('hvc1')];
    const enhancedEnd = [0x92, ...Buffer.from('hvc1')];
    const file = Buffer.concat([
      header,
      tag(9, 0, 0x17, 0, 1),
      tag(9, 0, ...enhancedConfig),
      tag(8, 0, 0xaf, 0),
      tag(9, 0, 0x17, 1, 7),
      tag(8, 5, 0xaf, 1),
      tag(9, 40, 0x27, 1, 8),
      tag(9, 40, 0x17, 2, 0),
      tag(9, 40, ...enhancedEnd),
    ]);
    const { headers, frames, durationMs } = readRecording(file);
    expect(headers).toHaveLength(3);
    expect(frames.map(({ timestampMs }) => timestampMs)).toEqual([0, 5, 40]);
    expect(durationMs).toBe(80);
  });

  test.each([
    ['no FLV', Buffer.from('RIFF....AVI LIST'), '16 bytes that do not begin with an FLV header'],
    ['nothing', Buffer.alloc(0), '0 bytes that do not begin with an FLV header'],
    ['an unknown tag', Buffer.concat([header, tag(7, 0, 1)]), 'a tag of type 7 at byte 13'],
    ['one frame', Buffer.concat([header, tag(9, 0, 0x17, 1)]), '1 frames are too few to be a recording'],
  ])('that is %s is refused', (_, file, reason) => {
    expect(() => readRecording(file)).toThrow(reason);
  });
});

interface Probed {
  readonly streams: readonly Record<string, unknown>[];
  readonly packets: readonly { readonly flags: string }[];
}

function probe(args: readonly string[]): Probed {
  return JSON.parse(
    execFileSync('ffprobe', ['-v', 'error', '-of', 'json', ...args, SAMPLE], { encoding: 'utf8' }),
  );
}
