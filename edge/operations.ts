// What players ask of the media listener, described: addresses stand in playlists that usher and the server give, and are made by nobody else.

import { z } from '../network/config/yaml.ts';
import type { Operation } from '../network/openapi/openapi.ts';
import { bytes, playlist, redirect, rendition, stream, token } from '../network/openapi/words.ts';
import { DECIMAL } from './hls/directives.ts';
import { SEQUENCE } from './progressive/progressive.ts';

const number = (what: string, example: string) =>
  z
    .string()
    .regex(/^(?:0|[1-9]\d{0,9})$/)
    .meta({ description: what, example });
const epoch = number('Of the feed.', '1');
const msn = number('Media sequence number.', '42');
const rendered = { token, stream, rendition };

const DIRECTIVES = z.object({
  _HLS_msn: z
    .string()
    .regex(DECIMAL)
    .optional()
    .meta({ description: 'The answer waits until the playlist has this segment (RFC 8216bis 6.2.5).' }),
  _HLS_part: z.string().regex(DECIMAL).optional().meta({ description: 'And this part of it.' }),
  _HLS_skip: z.string().optional().meta({ description: '`YES` or `v2`: a delta update will do.' }),
});

const started = z
  .string()
  .regex(/^[0-9a-z]{6,11}$/)
  .meta({ description: 'When the broadcast began: what the recording’s id ends with.', example: 'mwpjqbk0' });
const recorded = { token, stream, started };
const file = z.string().meta({ description: 'As the playlist names it.', example: 'source.0000000000' });

const LIVE = { listener: 'media', method: 'GET', tag: 'Media', asker: 'anybody' } as const;

const LIVE_OPERATIONS: readonly Operation[] = [
  {
    ...LIVE,
    id: 'getMediaPlaylist',
    path: '/play/{token}/{stream}/{rendition}/index.m3u8',
    summary: 'Media playlist of a rendition, also of LL-HLS',
    params: z.object(rendered),
    query: DIRECTIVES,
    answers: {
      200: playlist('As it is, or as it is once it has what was asked for.'),
      307: redirect('The server is being emptied: another has the same under the same names.'),
    },
    problems: [400, 403, 404, 503],
  },
  {
    ...LIVE,
    id: 'getSegment',
    path: '/play/{token}/{stream}/{rendition}/{epoch}/{msn}.m4s',
    summary: 'A segment: one group of pictures',
    params: z.object({ ...rendered, epoch, msn }),
    answers: bytes('Fragmented MP4.', 'video/mp4'),
    problems: [403, 404, 503],
  },
  {
    ...LIVE,
    id: 'getPart',
    path: '/play/{token}/{stream}/{rendition}/{epoch}/{msn}.{part}.m4s',
    summary: 'A part of a segment',
    details: 'The one that the playlist hints at is waited for.',
    params: z.object({ ...rendered, epoch, msn, part: number('From 0 in each segment.', '3') }),
    answers: bytes('Fragmented MP4.', 'video/mp4'),
    problems: [403, 404, 503],
  },
  {
    ...LIVE,
    id: 'getInit',
    path: '/play/{token}/{stream}/{rendition}/init-{hash}.mp4',
    summary: 'The initialization of an epoch',
    params: z.object({
      ...rendered,
      hash: z
        .string()
        .regex(/^[0-9a-f]{10}$/)
        .meta({ example: '0123456789' }),
    }),
    answers: bytes('`ftyp` and `moov`.', 'video/mp4'),
    problems: [403, 404, 503],
  },
  {
    ...LIVE,
    id: 'playProgressively',
    path: '/play/{token}/{stream}/{rendition}/live.mp4',
    summary: 'One endless fragmented MP4, a frame as soon as it is there',
    params: z.object(rendered),
    query: z.object({
      from: z.string().regex(SEQUENCE).optional().meta({
        description: 'Sequence number of the chunk to go on with; by default the newest key frame’s.',
      }),
    }),
    answers: {
      200: {
        words: 'It ends with the broadcast.',
        type: 'video/mp4',
        headers: z.object({ 'Headwater-Sequence': z.string().meta({ description: 'Of the first chunk.' }) }),
      },
      307: redirect('The server is being emptied.'),
    },
    problems: [400, 403, 404, 503],
  },
];

const RECORDED = { listener: 'media', method: 'GET', tag: 'Media', asker: 'anybody' } as const;

const RECORDED_OPERATIONS: readonly Operation[] = [
  {
    ...RECORDED,
    id: 'getRecordedPlaylist',
    path: '/vod/{token}/{stream}/{started}/{rendition}/index.m3u8',
    summary: 'Media playlist of a recording: EVENT while it grows, then VOD',
    params: z.object({ ...recorded, rendition }),
    answers: { 200: playlist('Byte ranges of the recorded files.') },
    problems: [403, 404, 503],
  },
  {
    ...RECORDED,
    id: 'getRecordedFile',
    path: '/vod/{token}/{stream}/{started}/{file}.mp4',
    summary: 'A recorded file, as the playlist names it',
    params: z.object({ ...recorded, file }),
    answers: {
      ...bytes('Fragmented MP4.', 'video/mp4'),
      302: redirect('It lies in the store: a signed address, good for an hour.'),
    },
    problems: [403, 404, 503],
  },
  {
    ...RECORDED,
    id: 'downloadRecording',
    path: '/vod/{token}/{stream}/{started}/{rendition}/{run}.mp4',
    summary: 'A recording as MP4 to keep',
    details: 'Where picture or sound changed in the middle there are runs 2, 3 and so on.',
    params: z.object({
      ...recorded,
      rendition,
      run: z
        .string()
        .regex(/^[1-9]\d{0,3}$/)
        .meta({ example: '1' }),
    }),
    answers: bytes('To be saved.', 'video/mp4'),
    problems: [403, 404, 503],
  },
  {
    ...RECORDED,
    id: 'getRecordedThumbnail',
    path: '/vod/{token}/{stream}/{started}/thumbnail.jpg',
    summary: 'A picture of a recording',
    params: z.object(recorded),
    answers: bytes('JPEG.', 'image/jpeg'),
    problems: [403, 404, 503],
  },
  {
    ...RECORDED,
    id: 'getSeekBarTiles',
    path: '/vod/{token}/{stream}/{started}/thumbnails.vtt',
    summary: 'Places of the pictures of a seek bar in their sprites, as WebVTT',
    params: z.object(recorded),
    answers: { 200: { words: 'A cue for each tile.', type: 'text/vtt', schema: z.string() } },
    problems: [403, 404, 503],
  },
  {
    ...RECORDED,
    id: 'getSeekBarSprite',
    path: '/vod/{token}/{stream}/{started}/{picture}.sprite.jpg',
    summary: 'A sprite with a tile each six seconds',
    params: z.object({ ...recorded, picture: file }),
    answers: bytes('JPEG.', 'image/jpeg'),
    problems: [403, 404, 503],
  },
];

export const EDGE_OPERATIONS: readonly Operation[] = [...LIVE_OPERATIONS, ...RECORDED_OPERATIONS];
