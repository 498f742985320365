// What a scenario's file may say. Times that are not said are those that were measured of Headwater.

import { z } from '../../network/config/yaml.ts';

const seconds = z
  .number()
  .min(0)
  .max(31 * 86_400);
const minutes = z
  .number()
  .positive()
  .max(31 * 1_440);
const share = z.number().positive();
const rank = z.int().min(1);

const audience = z.strictObject({
  name: z.string().min(1).max(32),
  country: z.string().regex(/^[A-Z]{2}$/, 'a country is two capital letters'),
  position: z.strictObject({
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
  }),
  share,
  networks: z
    .array(z.strictObject({ asn: z.int().min(1).max(0xffffffff), share }))
    .min(1)
    .max(100),
});

const arrivals = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('steady'), viewers: z.number().positive().max(1e6), minutes }),
  z.strictObject({
    kind: z.literal('day'),
    meanViewers: z.number().positive().max(1e6),
    peakViewers: z.number().positive().max(1e6),
    peakHour: z.number().min(0).max(24),
    minutes,
  }),
  z.strictObject({
    kind: z.literal('crowd'),
    stream: rank,
    atS: seconds,
    riseS: z.number().positive().max(86_400),
    viewers: z.number().min(2).max(1e6),
    shape: z.enum(['logistic', 'even']).default('logistic'),
    minutes,
  }),
  z.strictObject({ kind: z.literal('trace'), file: z.string().min(1) }),
]);

const server = z.string().min(1);
const site = z.string().min(1);
const deadlineS = z.number().min(1).max(86_400);
const downS = z.number().min(0).max(86_400);

const happening = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('server fails'), server, atS: seconds, forS: seconds }),
  z.strictObject({ kind: z.literal('site fails'), site, atS: seconds, forS: seconds }),
  z.strictObject({
    kind: z.literal('link fails'),
    sites: z.tuple([site, site]),
    atS: seconds,
    forS: seconds,
  }),
  z.strictObject({ kind: z.literal('drain'), server, atS: seconds, deadlineS, downS }),
  z.strictObject({
    kind: z.literal('rolling restart'),
    atS: seconds,
    atOnce: z.int().min(1),
    deadlineS,
    downS,
  }),
]);

export const scenarioSchema = z.strictObject({
  name: z.string().min(1).max(64),
  /** What it shows, for people. */
  about: z.string().min(1).max(500),
  minutes,
  warmupMinutes: z.number().min(1).max(1_440).default(5),
  /** How many days of this month were as the end of the warm-up is: they count in what transit is billed. */
  daysBefore: z.int().min(0).max(27).default(9),
  /** A file beside this one. */
  topology: z.string().min(1),
  servers: z
    .array(
      z.strictObject({
        site,
        count: z.int().min(1).max(10_000),
        egressMbps: z.number().positive().max(1e6),
        perHost: z.int().min(1).max(64).default(1),
      }),
    )
    .min(1),
  streams: z.strictObject({
    count: z.int().min(1).max(100_000),
    zipf: z.number().min(0).max(5).default(1),
    bitrates: z.array(z.strictObject({ mbps: z.number().positive().max(1_000), share })).min(1),
    homeShare: z.number().min(0).max(1).default(0.5),
  }),
  audiences: z.array(audience).min(1).max(1_000),
  arrivals: z.array(arrivals).min(1).max(100),
  events: z.array(happening).max(10_000).default([]),
  times: z
    .strictObject({
      joinMs: z.number().min(0).max(60_000).default(200),
      copyMs: z
        .tuple([z.number().positive().max(60_000), z.number().positive().max(60_000)])
        .default([500, 1_200]),
      reconnectMs: z.number().min(0).max(3_600_000).default(3_000),
    })
    .prefault({}),
});

export type RawScenario = z.output<typeof scenarioSchema>;
