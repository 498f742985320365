// Picture sizes out of sequence headers, against what ffprobe says of the same file.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError } from '../../../../network/errors.ts';
import type { VideoCodec } from '../../../../origin/media.ts';
import { readVideoFormat } from '../../../../origin/packager/codec/video-format.ts';
import { clip, picture, probe } from '../../../tools/media/media.ts';
import { configOf, readMp4File } from '../../../tools/media/mp4-file.ts';

const X264 = ['-c:v', 'libx264', '-preset', 'ultrafast'];
const X265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error', '-tag:v', 'hvc1'];
const AV1 = ['-c:v', 'libaom-av1', '-cpu-used', '8', '-usage', 'realtime'];
const VP9 = ['-c:v', 'libvpx-vp9', '-deadline', 'realtime'];

test.each<{ codec: VideoCodec; configBox: string; size: string; format: string; encoder: string[] }>([
  { codec: 'h264', configBox: 'avcC', size: '1920x1080', format: 'yuv420p', encoder: X264 },
  {
    codec: 'h264',
    configBox: 'avcC',
    size: '1920x1080',
    format: 'yuv420p',
    encoder: [...X264, '-flags', '+ildct+ilme'],
  },
  { codec: 'h264', configBox: 'avcC', size: '426x240', format: 'yuv422p', encoder: X264 },
  {
    codec: 'h264',
    configBox: 'avcC',
    size: '333x111',
    format: 'yuv444p',
    encoder: [...X264, '-vf', 'format=yuv444p,scale=333:111'],
  },
  {
    codec: 'h264',
    configBox: 'avcC',
    size: '640x360',
    format: 'yuv420p',
    encoder: [...X264, '-profile:v', 'baseline'],
  },
  {
    codec: 'h264',
    configBox: 'avcC',
    size: '1280x720',
    format: 'yuv420p',
    encoder: [...X264, '-preset', 'slow', '-x264-params', 'cqm=jvt'],
  },
  { codec: 'hevc', configBox: 'hvcC', size: '1920x1080', format: 'yuv420p', encoder: X265 },
  { codec: 'hevc', configBox: 'hvcC', size: '426x234', format: 'yuv422p10le', encoder: X265 },
  {
    codec: 'hevc',
    configBox: 'hvcC',
    size: '1280x720',
    format: 'yuv420p',
    encoder: [...X265.slice(0, -3), 'log-level=error:temporal-layers=2', '-tag:v', 'hvc1'],
  },
  { codec: 'av1', configBox: 'av1C', size: '1366x768', format: 'yuv420p', encoder: AV1 },
  { codec: 'av1', configBox: 'av1C', size: '426x240', format: 'yuv420p10le', encoder: AV1 },
  { codec: 'vp9', configBox: 'vpcC', size: '854x480', format: 'yuv420p', encoder: VP9 },
  { codec: 'vp9', configBox: 'vpcC', size: '426x240', format: 'yuv444p', encoder: VP9 },
])('$codec of $size, $format', ({ codec, configBox, size, format, encoder }) => {
  const file = clip('mp4', [...picture({ seconds: 0.2, size }), ...encoder, '-pix_fmt', format]);
  const config = configOf(file, configBox);
  const keyframe = readMp4File(file)[0]!.samples[0]!.data;
  const { width, height } = readVideoFormat({ codec, config }, keyframe);
  expect(`${width}x${height}`).toBe(size);
  expect(probe(file).streams[0]).toMatchObject({ width, height });
  if (codec === 'av1')
    expect(readVideoFormat({ codec, config: config.subarray(0, 4) }, keyframe)).toMatchObject({
      width,
      height,
    });
});

test.each<{ codec: VideoCodec; config: string; reason: RegExp }>([
  { codec: 'h264', config: '', reason: /h264 configuration of 0 bytes/ },
  { codec: 'h264', config: '00000000000000', reason: /version 0/ },
  { codec: 'h264', config: '0142c01fffe0', reason: /without a parameter set/ },
  { codec: 'h264', config: '0142c01fffe10004 6742c01f', reason: /cut short/ },
  { codec: 'hevc', config: '00'.repeat(23), reason: /without a sequence parameter set/ },
  { codec: 'av1', config: '81000c00', reason: /without a sequence header/ },
  { codec: 'vp9', config: '0000000000000000', reason: /without a key frame header/ },
])('a $codec configuration of $config is bad', ({ codec, config, reason }) => {
  const read = (): unknown =>
    readVideoFormat({ codec, config: Uint8Array.fromHex(config.replaceAll(' ', '')) }, new Uint8Array(20));
  expect(read).toThrow(reason);
  expect(read).toThrow(expect.objectContaining({ code: 'bad_config' }));
});

test('random configurations give a size that is possible or a coded error', () => {
  const codecs = fc.constantFrom<VideoCodec>('h264', 'hevc', 'av1', 'vp9');
  const bytes = fc.uint8Array({ maxLength: 80 });
  const avc = bytes.map((sps) => Uint8Array.from([1, 100, 0, 31, 255, 225, 0, sps.length, ...sps]));
  fc.assert(
    fc.property(codecs, fc.oneof(bytes, avc), bytes, (codec, config, keyframe) => {
      try {
        const { width, height } = readVideoFormat({ codec, config }, keyframe);
        expect(Math.min(width, height)).toBeGreaterThan(0);
        expect(Math.max(width, height)).toBeLessThanOrEqual(16_384);
      } catch (error) {
        expect(error).toBeInstanceOf(CodedError);
      }
    }),
    { numRuns: 2_000 },
  );
});
