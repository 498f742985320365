// Everything that usher answers to programs, described; and what the document says of itself.

import { z } from '../../network/config/yaml.ts';
import type { About, Operation } from '../../network/openapi/openapi.ts';
import { json } from '../../network/openapi/words.ts';
import { CONSOLE_OPERATIONS } from './console.ts';
import { CLUSTER } from './figures.ts';
import { OPERATOR_OPERATIONS } from './operators.ts';
import { STREAM_OPERATIONS } from './streams.ts';
import { VIEWER_OPERATIONS } from './viewers.ts';

export const DOCUMENT_PATH = '/api/openapi.json';

const ITSELF: Operation = {
  id: 'getDescription',
  listener: 'usher',
  method: 'GET',
  path: DOCUMENT_PATH,
  tag: 'Processes',
  asker: 'anybody',
  summary: 'This description, as OpenAPI 3.1',
  answers: { 200: json('A document.', z.looseObject({ openapi: z.string() })) },
};

export const USHER_OPERATIONS: readonly Operation[] = [
  ...STREAM_OPERATIONS,
  ...VIEWER_OPERATIONS,
  ...OPERATOR_OPERATIONS,
  ...CONSOLE_OPERATIONS,
  ITSELF,
];

export const ABOUT: Omit<About, 'version'> = {
  description:
    'What programs may ask of Headwater over HTTP. Ushers answer who asks where to go; servers answer with media, at addresses that usher gives. Refusals are problem documents (RFC 9457) whose `detail` says what was wrong.',
  tags: [
    { name: 'Streams', description: 'What is live, and where to push.' },
    { name: 'Recordings', description: 'What was recorded, and what its owners do with it.' },
    { name: 'Watching', description: 'What players ask usher.' },
    { name: 'Media', description: 'What players ask servers, at addresses that they were given.' },
    { name: 'Operating', description: 'The cluster, and what operators want of it.' },
    { name: 'Console', description: 'What the operators’ console asks.' },
    { name: 'Processes', description: 'What probes and Prometheus ask of every process.' },
  ],
  schemas: { Cluster: CLUSTER },
};
