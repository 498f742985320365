// Streams and recordings as usher's answers tell of them, as schemas.

import { z } from '../../network/config/yaml.ts';
import type { RecordingAnswer } from '../api/recordings/recordings.ts';
import type { StreamAnswer } from '../api/streams.ts';

const encoding = {
  name: z.string().meta({ example: '720p60' }),
  codecs: z.string().meta({ description: 'RFC 6381, comma separated.', example: 'avc1.64001f,mp4a.40.2' }),
  width: z.number().meta({ description: 'Pixels; 0 without video.' }),
  height: z.number(),
  frameRate: z.number().meta({ description: 'Frames per second; 0 without video.' }),
};
const at = z.iso.datetime();

export const STREAM = z
  .object({
    name: z.string().meta({ example: 'alice' }),
    live: z.boolean().meta({ description: 'False while it waits for its broadcaster.' }),
    startedAt: at,
    viewers: z.int(),
    thumbnail: z.string().nullable().meta({ description: 'Address of a picture; null where there is none.' }),
    renditions: z.array(z.object({ ...encoding, bitrateKbps: z.number() })),
  })
  .meta({ id: 'Stream', description: 'A stream that is live.' }) satisfies z.ZodType<StreamAnswer>;

export const STREAM_LIST = z.object({ streams: z.array(STREAM) });

const gap = z.object({
  kind: z.literal('gap'),
  fromMsn: z.number(),
  toMsn: z.number(),
  reason: z.string(),
});

export const RECORDING = z
  .object({
    id: z.string().meta({ example: 'alice.mwpjqbk0' }),
    stream: z.string(),
    title: z.string(),
    isKept: z.boolean().meta({ description: 'For ever, until its owner says otherwise.' }),
    clipOf: z.string().nullable().meta({ description: 'Id of the recording that it was cut out of.' }),
    startedAt: at,
    endedAt: at.nullable().meta({ description: 'Null while it may go on.' }),
    durationMs: z.number(),
    bytes: z.number(),
    renditions: z.array(z.object({ ...encoding, peakBps: z.number(), averageBps: z.number() })),
    gaps: z.array(gap).meta({ description: 'What nobody recorded, with the reason.' }),
    keepers: z
      .array(z.string())
      .meta({ description: 'Servers that have some of it; `storage` is the store.' }),
    url: z.string().meta({ description: 'Where it is played.', example: '/vod/alice.mwpjqbk0.m3u8' }),
    thumbnail: z.string().nullable(),
    thumbnails: z.string().nullable().meta({ description: 'WebVTT of the pictures of a seek bar.' }),
  })
  .meta({ id: 'Recording', description: 'A recording or a clip.' }) satisfies z.ZodType<RecordingAnswer>;

export const RECORDING_LIST = z.object({ recordings: z.array(RECORDING) });
