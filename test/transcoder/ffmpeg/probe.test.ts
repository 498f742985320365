// Which encoders are found to work on this machine, which has no card.

import { expect, test } from 'vitest';
import { systemClock as clock } from '../../../network/clock.ts';
import { startFfmpeg } from '../../../transcoder/ffmpeg/ffmpeg.ts';
import { probeEncoder } from '../../../transcoder/ffmpeg/probe.ts';

const start =
  (program: string) =>
  (args: readonly string[], outputs: number): ReturnType<typeof startFfmpeg> =>
    startFfmpeg({ program, args, outputs, clock, maxBytes: 2e9 });

test.each(['libx264', 'libx265', 'libaom-av1', 'libsvtav1'] as const)('%s works', async (encoder) => {
  expect(await probeEncoder(encoder, { startFfmpeg: start('ffmpeg'), clock })).toEqual({
    encoder,
    works: true,
  });
});

test('an encoder without its card does not work, and says why', async () => {
  for (const encoder of ['h264_nvenc', 'hevc_vaapi'] as const)
    expect(await probeEncoder(encoder, { startFfmpeg: start('ffmpeg'), clock })).toEqual({
      encoder,
      works: false,
      reason: expect.stringMatching(/^ffmpeg ended with code 1: .*(?:nvenc|libcuda|VAAPI|device)/is),
    });
});

test('an encoder does not work that says nothing', async () => {
  const options = { startFfmpeg: start('true'), clock };
  expect(await probeEncoder('libx264', options)).toMatchObject({
    works: false,
    reason: 'nothing came of it',
  });
});
