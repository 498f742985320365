// What there is to watch, and what owners do with their recordings, described.

import { CLIP_ORDER, SAID_ORDER } from '../../network/archive/orders.ts';
import { z } from '../../network/config/yaml.ts';
import type { Operation } from '../../network/openapi/openapi.ts';
import { json, recording, stream } from '../../network/openapi/words.ts';
import type { Ingest } from '../ingests.ts';
import { RECORDING, RECORDING_LIST, STREAM, STREAM_LIST } from './recorded.ts';

const INGEST = z.object({
  _id: z.number(),
  availability: z.number(),
  default: z.boolean(),
  name: z.string(),
  url_template: z.string().meta({ example: 'rtmp://ams-1.example.org/live/{stream_key}' }),
  url_template_secure: z.string().exactOptional(),
  priority: z.number(),
}) satisfies z.ZodType<Ingest>;

const STREAMS = { listener: 'usher', method: 'GET', tag: 'Streams', asker: 'anybody' } as const;
const RECORDINGS = { listener: 'usher', tag: 'Recordings', path: '/api/recordings/{recording}' } as const;

export const STREAM_OPERATIONS: readonly Operation[] = [
  {
    ...STREAMS,
    id: 'listStreams',
    path: '/api/streams',
    summary: 'The streams that are live',
    answers: { 200: json('All of them.', STREAM_LIST) },
  },
  {
    ...STREAMS,
    id: 'getStream',
    path: '/api/streams/{stream}',
    summary: 'A stream that is live',
    params: z.object({ stream }),
    answers: { 200: json('It is live.', STREAM) },
    problems: [404],
  },
  {
    ...STREAMS,
    id: 'listIngests',
    path: '/ingests',
    summary: 'Where broadcasters may push, the emptiest server first',
    details: 'In the format of Twitch’s ingest list, which OBS reads.',
    answers: { 200: json('Servers that take broadcasts.', z.object({ ingests: z.array(INGEST) })) },
  },
  {
    ...RECORDINGS,
    id: 'listRecordings',
    method: 'GET',
    path: '/api/streams/{stream}/recordings',
    asker: 'anybody',
    summary: 'Recordings and clips of a stream, the newest first',
    params: z.object({ stream }),
    answers: { 200: json('None is an empty list.', RECORDING_LIST) },
  },
  {
    ...RECORDINGS,
    id: 'listRecentRecordings',
    method: 'GET',
    path: '/api/recordings',
    asker: 'anybody',
    summary: 'The newest recordings and clips of all streams',
    answers: { 200: json('24 at most.', RECORDING_LIST) },
  },
  {
    ...RECORDINGS,
    id: 'getRecording',
    method: 'GET',
    asker: 'anybody',
    summary: 'A recording, or a clip',
    params: z.object({ recording }),
    answers: { 200: json('It is there.', RECORDING) },
    problems: [404],
  },
  {
    ...RECORDINGS,
    id: 'changeRecording',
    method: 'PATCH',
    asker: 'owner',
    summary: 'Keep a recording, or name it',
    params: z.object({ recording }),
    body: { 'application/json': SAID_ORDER },
    answers: { 200: json('As it is now.', RECORDING) },
    problems: [400, 401, 404, 413, 503],
  },
  {
    ...RECORDINGS,
    id: 'deleteRecording',
    method: 'DELETE',
    asker: 'owner',
    summary: 'Delete a recording, wherever it lies',
    params: z.object({ recording }),
    answers: { 200: json('It is gone.', z.object({ id: z.string() })) },
    problems: [401, 404, 409, 503],
  },
  {
    ...RECORDINGS,
    id: 'cutClip',
    method: 'POST',
    path: '/api/recordings/{recording}/clips',
    asker: 'owner',
    summary: 'Cut a clip, also out of what is live',
    params: z.object({ recording }),
    body: { 'application/json': CLIP_ORDER },
    answers: { 201: json('The clip, cut at key frames, outward.', RECORDING) },
    problems: [400, 401, 404, 413, 503, 507],
  },
];
