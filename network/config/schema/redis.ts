// The Redis in which the processes of a cluster meet.

import type { RedisAddress } from '../../state/redis/redis-client.ts';
import { z } from '../yaml.ts';
import { file } from './values.ts';

const ADDRESS = /^(?:unix:\/.+|(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):\d{1,5})$/;
const PREFIX = /^[A-Za-z0-9_.:-]{1,64}$/;
const word = z.string().min(1).optional();

const tls = z.strictObject({
  caFile: file.optional().describe('PEM: who may sign the server’s certificate.'),
  certFile: file.optional().describe('PEM: a certificate to show to the server.'),
  keyFile: file.optional().describe('PEM: its key.'),
  serverName: file.optional().describe('The name in the server’s certificate.'),
});

export const redis = z
  .strictObject({
    addresses: z
      .array(z.string().regex(ADDRESS, 'an address is host:port or unix:<path>'))
      .min(1)
      .max(64)
      .meta({
        description:
          '`host:port` of one server, of Sentinels or of nodes of a Redis Cluster; `unix:<path>` of one server on this machine.',
        example: ['10.0.0.2:6379'],
      }),
    kind: z
      .enum(['single', 'sentinel', 'cluster'])
      .default('single')
      .describe('What the addresses are of: one server, Sentinels, or a Redis Cluster.'),
    master: word.meta({ description: 'The name that Sentinels know the server by.', example: 'state' }),
    database: z.int().min(0).default(0).describe('Its number; a Redis Cluster has 0 only.'),
    username: word.meta({ description: 'A user of Redis’s access lists.', example: 'headwater' }),
    password: word.meta({
      description: 'Its password; HEADWATER_REDIS_PASSWORD goes before it.',
      example: 'file:/run/secrets/redis',
    }),
    sentinelUsername: word.meta({ description: 'A user of the Sentinels.', example: 'headwater' }),
    sentinelPassword: word.meta({
      description: 'Its password; HEADWATER_REDIS_SENTINEL_PASSWORD goes before it.',
      example: 'file:/run/secrets/sentinel',
    }),
    tls: z
      .union([z.boolean(), tls])
      .default(false)
      .describe(
        '`true`, or { caFile, certFile, keyFile, serverName }: files in PEM, and the name in the certificate.',
      ),
    prefix: z
      .string()
      .regex(PREFIX, 'a prefix is 1 to 64 letters, digits, "_", "-", "." and ":"')
      .default('headwater')
      .describe('Clusters that share a Redis differ in it.'),
  })
  .refine(({ kind, addresses }) => kind !== 'single' || addresses.length === 1, {
    path: ['addresses'],
    error: 'several addresses are those of `kind: sentinel` or `kind: cluster`',
  })
  .refine(
    ({ kind, addresses }) => kind === 'single' || !addresses.some((address) => address.startsWith('unix:')),
    { path: ['addresses'], error: 'a Unix socket is of a single server' },
  )
  .refine(({ kind, master }) => (kind === 'sentinel') === (master !== undefined), {
    path: ['master'],
    error: '`kind: sentinel` takes the name of the server, and no other kind does',
  })
  .refine(({ kind, database }) => kind !== 'cluster' || database === 0, {
    path: ['database'],
    error: 'a Redis Cluster has database 0 only',
  }) satisfies z.ZodType<RedisAddress>;
