// What operators and their tools ask usher, described.

import { z } from '../../network/config/yaml.ts';
import type { KeyRecord } from '../../network/keys/keybook.ts';
import { KEY_ID } from '../../network/keys/keybook.ts';
import type { Operation } from '../../network/openapi/openapi.ts';
import { json, server } from '../../network/openapi/words.ts';
import { EXPLAIN_QUERY } from '../api/explain.ts';
import { KEY_NOTE } from '../api/keys.ts';
import { DRAIN_ORDER } from '../api/servers.ts';
import { EXPLANATION } from './explanation.ts';
import { DRAIN, SNAPSHOT } from './snapshot.ts';

const KEY = z
  .object({
    id: z.string(),
    stream: z.string(),
    madeAtMs: z.number(),
    expiresAtMs: z.number(),
    revokedAtMs: z.number().nullable().meta({ description: 'Null: it is good.' }),
  })
  .meta({
    id: 'Key',
    description: 'A key to publish, without the key itself.',
  }) satisfies z.ZodType<KeyRecord>;

const COMMON = { listener: 'usher', tag: 'Operating' } as const;
const DRAINED = json(
  'What is wanted of the server now.',
  z.object({ server: z.string(), drain: DRAIN.nullable() }),
);

export const OPERATOR_OPERATIONS: readonly Operation[] = [
  {
    ...COMMON,
    id: 'getCluster',
    method: 'GET',
    path: '/api/cluster',
    asker: 'operator',
    summary: 'The whole cluster as it is',
    answers: { 200: json('Its snapshot.', SNAPSHOT) },
    problems: [401, 403],
  },
  {
    ...COMMON,
    id: 'explain',
    method: 'GET',
    path: '/api/explain',
    asker: 'operator',
    summary: 'Where a viewer would be sent, and what each server costs',
    query: EXPLAIN_QUERY,
    answers: { 200: json('Every server with its price, or what excludes it.', EXPLANATION) },
    problems: [400, 401, 403, 404],
  },
  {
    ...COMMON,
    id: 'drain',
    method: 'POST',
    path: '/api/servers/{server}/drain',
    asker: 'operator',
    summary: 'Empty a server before work on it',
    params: z.object({ server }),
    body: { 'application/json': DRAIN_ORDER.optional() },
    answers: { 200: DRAINED },
    problems: [400, 401, 403, 404, 413],
  },
  {
    ...COMMON,
    id: 'undrain',
    method: 'DELETE',
    path: '/api/servers/{server}/drain',
    asker: 'operator',
    summary: 'Take that back',
    params: z.object({ server }),
    answers: { 200: DRAINED },
    problems: [401, 403, 404],
  },
  {
    ...COMMON,
    id: 'listKeys',
    method: 'GET',
    path: '/api/keys',
    asker: 'operator',
    summary: 'Keys to publish that were made and have not expired',
    answers: { 200: json('The newest first.', z.object({ keys: z.array(KEY) })) },
    problems: [401, 403],
  },
  {
    ...COMMON,
    id: 'noteKey',
    method: 'POST',
    path: '/api/keys',
    asker: 'operator',
    summary: 'Note a key that was made, so that it can be listed and revoked',
    body: { 'application/json': KEY_NOTE },
    answers: { 200: json('As it is known now: one that is revoked stays so.', KEY) },
    problems: [400, 401, 403, 413, 507],
  },
  {
    ...COMMON,
    id: 'revokeKey',
    method: 'DELETE',
    path: '/api/keys/{key}',
    asker: 'operator',
    summary: 'Have every server refuse a key',
    params: z.object({
      key: z.string().regex(KEY_ID).meta({ description: 'Its id.', example: '0123456789abcdef' }),
    }),
    answers: { 200: json('It is revoked.', KEY) },
    problems: [401, 403, 404, 507],
  },
];
