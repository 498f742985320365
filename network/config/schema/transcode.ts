// Which renditions are made of which streams, and how.

import { z } from '../yaml.ts';
import { streamPattern } from './values.ts';

const rungName = z
  .string()
  .regex(
    /^(?:audio|\d{2,4}p\d{1,3})$/,
    'a rung is named by its lines and frames per second, as 720p30, or is audio',
  );
const rung = z.strictObject({
  name: rungName,
  codec: z.enum(['h264', 'hevc', 'av1']).optional(),
  videoKbps: z.number().positive().max(100_000).optional(),
});
const ladder = z
  .array(
    z
      .union([rungName, rung], 'a rung: its name, or { name, codec, videoKbps }')
      .transform((one) => (typeof one === 'string' ? { name: one } : one)),
  )
  .max(12);
const when = z.enum(['always', 'on-demand']);

export const transcode = z.strictObject({
  ladder: ladder
    .default([])
    .describe('Of every stream: names as `720p30`, or `audio`; or { name, codec, videoKbps }. None: `[]`.'),
  when: when.default('always').describe('`on-demand`: only while somebody watches the stream.'),
  perStream: z
    .array(
      z.strictObject({
        stream: streamPattern.describe('The name of a stream, or the beginning of some and `*`.'),
        ladder: ladder.describe('As above.'),
        when: when.default('always').describe('As above.'),
      }),
    )
    .max(10_000)
    .default([])
    .describe('Of streams with one of these names instead. The first that fits counts.'),
  slots: z.int().min(0).max(1_000).optional().meta({
    description: 'Jobs that this worker takes at a time; by what its CPU can when it is not given.',
    example: 4,
  }),
  encoders: z
    .array(z.string().min(1))
    .max(16)
    .default([])
    .describe('Encoders of this worker that go before those in software, as `h264_nvenc`.'),
  preset: z
    .enum(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium'])
    .default('veryfast')
    .describe(
      'What encoders in software spend on a frame: ultrafast, superfast, veryfast, faster, fast, medium.',
    ),
  ffmpeg: z.string().min(1).default('ffmpeg').describe('The program.'),
  memoryMb: z.number().min(64).default(2_048).describe('What one ffmpeg may use.'),
  nice: z
    .int()
    .min(0)
    .max(19)
    .default(10)
    .describe(
      'How far those that make renditions stand back behind whatever else the machine does; 0: not at all.',
    ),
});
