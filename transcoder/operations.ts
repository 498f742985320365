// What is asked of servers that transcode, described.

import { z } from '../network/config/yaml.ts';
import type { Operation } from '../network/openapi/openapi.ts';
import { bytes, stream, token } from '../network/openapi/words.ts';

export const TRANSCODER_OPERATIONS: readonly Operation[] = [
  {
    id: 'getThumbnail',
    listener: 'media',
    method: 'GET',
    path: '/thumb/{token}/{stream}.jpg',
    tag: 'Media',
    asker: 'anybody',
    summary: 'A picture of a live stream, made anew every ten seconds',
    params: z.object({ token, stream }),
    answers: bytes('JPEG.', 'image/jpeg'),
    problems: [403, 404],
  },
];
