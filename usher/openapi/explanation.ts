// An explanation of placement as a schema.

import { z } from '../../network/config/yaml.ts';
import type { Explained, ExplainedChoice } from '../explained/explained.ts';
import type { ExplainedCdn, ExplainedServer, Terms } from '../placement/explain.ts';

const price = z.number();

const TERMS = z
  .object({
    transit: price,
    latency: price,
    stall: price,
    elsewhere: price,
    hot: price,
    wait: price,
    copy: price,
    link: price,
    move: price,
  })
  .meta({ description: 'Micro-dollars per viewer-hour.' }) satisfies z.ZodType<Terms>;

const EXCLUSION = z.union([
  z.object({ limit: z.enum(['dead', 'drain', 'role', 'avoided', 'parent']) }),
  z.object({
    limit: z.enum(['server', 'host', 'uplink', 'link', 'lease']),
    resource: z.string(),
    roomMbps: z.number(),
  }),
]);

const SERVER = z.object({
  id: z.string(),
  site: z.string(),
  host: z.string(),
  state: z.enum(['held', 'pulled', 'coming', 'leaving', 'none']),
  uplink: z.string().exactOptional(),
  copyFrom: z.string().exactOptional(),
  terms: TERMS.exactOptional(),
  microUsdPerHour: price.exactOptional().meta({ description: 'Sum of the terms.' }),
  excluded: EXCLUSION.exactOptional().meta({ description: 'The first hard limit that it is at.' }),
  keepsBack: z.literal(true).exactOptional(),
}) satisfies z.ZodType<ExplainedServer>;

const CDN = z.object({
  name: z.string(),
  microUsdPerHour: price,
  excluded: z.enum(['not_allowed', 'country', 'spent']).exactOptional(),
}) satisfies z.ZodType<ExplainedCdn>;

const CHOICE = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('server'),
    server: z.string(),
    uplink: z.string(),
    mbps: z.number(),
    microUsdPerHour: price,
  }),
  z.object({
    kind: z.literal('cdn'),
    cdn: z.string(),
    shields: z.array(z.string()),
    mbps: z.number(),
    microUsdPerHour: price,
  }),
]) satisfies z.ZodType<ExplainedChoice>;

export const EXPLANATION = z
  .object({
    stream: z.string(),
    address: z.string(),
    whence: z.object({
      country: z.string().exactOptional(),
      position: z.object({ latitude: z.number(), longitude: z.number() }).exactOptional(),
      asn: z.number().exactOptional(),
    }),
    site: z.string(),
    policy: z.string(),
    mbps: z.number(),
    choices: z.array(CHOICE).meta({ description: 'Where a viewer would be sent now, best first.' }),
    full: z.enum(['no_server', 'no_room', 'not_leased', 'cdn_spent']).exactOptional(),
    servers: z.array(SERVER).meta({ description: 'The cheapest first, then those that are excluded.' }),
    cdns: z.array(CDN),
  })
  .meta({ id: 'Explanation', description: 'Why a viewer is sent where.' }) satisfies z.ZodType<Explained>;
