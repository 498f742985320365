// What every process answers on each of its listeners, described.

import { z } from '../config/yaml.ts';
import { CONDITION_CODES, type Condition } from '../http/health.ts';
import type { Operation } from './openapi.ts';
import { json } from './words.ts';

const CONDITION = z.object({
  code: z.enum(CONDITION_CODES),
  detail: z.string(),
  blocks: z.boolean().meta({ description: 'Whether it is to get no new work because of that.' }),
}) satisfies z.ZodType<Condition>;

const READINESS = z
  .object({ ready: z.boolean(), conditions: z.array(CONDITION) })
  .meta({ id: 'Readiness', description: 'Whether a process takes new work, and what is to be known of it.' });

const COMMON = { listener: 'both', method: 'GET', tag: 'Processes', asker: 'anybody' } as const;

export const PROCESS_OPERATIONS: readonly Operation[] = [
  {
    ...COMMON,
    id: 'isAlive',
    path: '/healthz',
    summary: 'Whether the process can answer at all',
    details: 'A liveness probe: whoever gets no answer may start it anew.',
    answers: { 200: { words: 'It can.', type: 'text/plain', schema: z.string() } },
  },
  {
    ...COMMON,
    id: 'isReady',
    path: '/readyz',
    summary: 'Whether the process takes new work, and why not',
    details: 'A readiness probe, for load balancers too.',
    answers: {
      200: json('It does.', READINESS),
      503: json('It is to get none; what it has goes on.', READINESS),
    },
  },
  {
    ...COMMON,
    id: 'getMetrics',
    path: '/metrics',
    summary: 'Metrics in Prometheus’ text format',
    answers: { 200: { words: 'All of the process.', type: 'text/plain', schema: z.string() } },
  },
];
