// What players and pages ask usher, described.

import { z } from '../../network/config/yaml.ts';
import type { Operation } from '../../network/openapi/openapi.ts';
import { json, playlist, recording, redirect, stream, token } from '../../network/openapi/words.ts';
import { FIGURES } from '../quality/report-body.ts';
import type { SteeringList } from '../steering/steering-list.ts';

const STEERING_LIST = z
  .object({
    VERSION: z.literal(1),
    TTL: z.number().meta({ description: 'Seconds after which to ask again.' }),
    'RELOAD-URI': z.string().exactOptional(),
    'PATHWAY-PRIORITY': z.array(z.string()),
    'PATHWAY-CLONES': z
      .array(
        z.object({
          'BASE-ID': z.string(),
          ID: z.string(),
          'URI-REPLACEMENT': z.object({ 'PER-VARIANT-URIS': z.record(z.string(), z.string()) }),
        }),
      )
      .exactOptional(),
  })
  .meta({ id: 'SteeringList', description: 'RFC 8216bis 7.' }) satisfies z.ZodType<SteeringList>;

const STEERED = {
  words: 'In which order to try pathways, and those that the player does not know.',
  type: 'application/vnd.apple.steering-list',
  schema: STEERING_LIST,
};
const STEERING_QUERY = z.object({
  _HLS_pathway: z.string().optional().meta({ description: 'Where the player is.' }),
  pathways: z
    .string()
    .optional()
    .meta({ description: 'Those that its playlist listed; usher wrote it there.' }),
});

const COMMON = { listener: 'usher', method: 'GET', tag: 'Watching' } as const;

export const VIEWER_OPERATIONS: readonly Operation[] = [
  {
    ...COMMON,
    id: 'watch',
    path: '/live/{stream}.m3u8',
    asker: 'viewer',
    summary: 'Where a viewer plays a live stream',
    details: 'Usher places the viewer, and names itself as the steering server.',
    params: z.object({ stream }),
    answers: { 200: playlist('A multivariant playlist with up to three pathways.') },
    problems: [403, 404, 429, 503],
  },
  {
    ...COMMON,
    id: 'watchProgressively',
    path: '/live/{stream}.mp4',
    asker: 'viewer',
    summary: 'The same as one endless MP4',
    params: z.object({ stream }),
    query: z.object({
      from: z.string().optional().meta({ description: 'Sequence number of a chunk to go on with.' }),
    }),
    answers: { 307: redirect('At the server that the viewer is placed on.') },
    problems: [403, 404, 429, 503],
  },
  {
    ...COMMON,
    id: 'steer',
    path: '/steer/{token}/{stream}',
    asker: 'anybody',
    summary: 'How a player goes on',
    details: 'Players ask by themselves: the address stands in the multivariant playlist.',
    params: z.object({ token, stream }),
    query: STEERING_QUERY,
    answers: { 200: STEERED },
    problems: [403, 404, 503],
  },
  {
    ...COMMON,
    id: 'watchRecording',
    path: '/vod/{recording}.m3u8',
    asker: 'viewer',
    summary: 'Where a viewer plays a recording, or rewinds what is live',
    params: z.object({ recording }),
    answers: { 200: playlist('A multivariant playlist.') },
    problems: [403, 404, 429, 503],
  },
  {
    ...COMMON,
    id: 'getRecordingPicture',
    path: '/vod/{recording}.jpg',
    asker: 'viewer',
    summary: 'A picture of a recording',
    params: z.object({ recording }),
    answers: { 302: redirect('Where it lies.') },
    problems: [403, 404, 503],
  },
  {
    ...COMMON,
    id: 'getRecordingTiles',
    path: '/vod/{recording}.vtt',
    asker: 'viewer',
    summary: 'The pictures of its seek bar',
    params: z.object({ recording }),
    answers: { 302: redirect('Where the WebVTT file lies.') },
    problems: [403, 404, 503],
  },
  {
    ...COMMON,
    id: 'steerRecording',
    path: '/steer/{token}/{stream}/{started}',
    asker: 'anybody',
    summary: 'How a player of a recording goes on',
    params: z.object({ token, stream, started: z.string().meta({ description: 'What the id ends with.' }) }),
    query: STEERING_QUERY,
    answers: { 200: STEERED },
    problems: [403, 404, 503],
  },
  {
    ...COMMON,
    id: 'reportQuality',
    method: 'POST',
    path: '/api/quality',
    asker: 'anybody',
    summary: 'How well it plays',
    details: 'What players say counts in placement for the site that they were sent to, and their network.',
    query: z.object({
      stream,
      token: z.string().meta({ description: 'The token that the addresses of the media carry.' }),
    }),
    body: {
      'application/json': FIGURES.meta({ description: 'Since the player’s last report.' }),
      'application/cmcd': z
        .string()
        .meta({ description: 'Events of CMCD version 2 (CTA-5004-B), a line each.' }),
    },
    answers: { 204: { words: 'It counts.' } },
    problems: [400, 403, 413],
  },
  {
    ...COMMON,
    id: 'getTime',
    path: '/api/time',
    asker: 'anybody',
    summary: 'What time it is at usher',
    answers: { 200: json('Now.', z.object({ nowMs: z.number() })) },
  },
];
