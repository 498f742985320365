// The cluster's snapshot as a schema.

import { z } from '../../network/config/yaml.ts';
import type { KnownUsher, UplinkAccount } from '../../network/state/lease.ts';
import type {
  Assignment,
  Drain,
  KnownServer,
  RenditionRecord,
  Snapshot,
  StreamRecord,
  Transcoding,
} from '../../network/state/state.ts';

const atMs = z.number().meta({ description: 'Ms since the Unix epoch, by the cluster state’s clock.' });
const count = z.number();

const table = <Row extends z.ZodType>(row: Row) => z.record(z.string(), row);

const RENDITION = z
  .object({
    name: z.string(),
    codecs: z.string(),
    width: count,
    height: count,
    frameRate: count,
    peakBps: count,
    averageBps: count,
    opensGops: z.literal(true).exactOptional(),
  })
  .meta({ id: 'Rendition', description: 'One encoding of a stream.' }) satisfies z.ZodType<RenditionRecord>;

const KNOWN_STREAM = z
  .object({
    name: z.string(),
    origin: z.string(),
    term: count,
    startedAtMs: atMs,
    live: z.boolean(),
    epoch: count,
    lastMsn: count,
    numbering: z.object({
      sequence: count,
      msn: count,
      epoch: count,
      discontinuitySequence: count,
      targetDurationS: count,
      endTicks: count,
      tracks: z.enum(['audio', 'audio+video']).exactOptional(),
    }),
    renditions: z.array(RENDITION),
  })
  .meta({
    id: 'KnownStream',
    description: 'A stream as its origin announces it.',
  }) satisfies z.ZodType<StreamRecord>;

const HOLDING = z.object({
  stream: z.string(),
  rendition: z.string(),
  viewers: count,
  isPulled: z.boolean().exactOptional(),
  arrivalsPerS: count,
  next: count.meta({ description: 'Sequence number of its next chunk.' }),
  parent: z.string().nullable(),
});

const TRANSCODING = z.object({
  slots: count,
  codecs: z.array(z.string()),
  jobs: z.array(
    z.object({
      stream: z.string(),
      state: z.enum(['starting', 'running', 'restarting', 'behind', 'failed']),
      reason: z.string(),
      renditions: z.array(RENDITION),
    }),
  ),
}) satisfies z.ZodType<Transcoding>;

/** Also what an order to empty a server is answered with. */
export const DRAIN = z
  .object({ sinceMs: atMs, deadlineMs: atMs.nullable() })
  .meta({ id: 'Drain', description: 'That a server is to be emptied.' }) satisfies z.ZodType<Drain>;

const SERVER = z
  .object({
    id: z.string(),
    instance: z.string(),
    roles: z.array(z.enum(['origin', 'edge', 'transcoder'])),
    site: z.string(),
    host: z.string(),
    mediaUrl: z.string(),
    relayUrl: z.string(),
    rtmpUrl: z.string(),
    egressMbps: count,
    sentMbps: count,
    cpuLoad: count.exactOptional(),
    committedMbps: count,
    uplinks: table(count),
    arrived: z.array(z.string()),
    copyMs: count,
    drain: z.object({ sinceMs: atMs, deadlineMs: atMs.nullable(), wished: z.boolean() }).nullable(),
    holdings: z.array(HOLDING),
    vodViewers: count.exactOptional(),
    thumbnails: z.array(z.string()).exactOptional(),
    transcoding: TRANSCODING.exactOptional(),
    beatAtMs: atMs,
  })
  .meta({ id: 'Server', description: 'A server as the state knows it.' }) satisfies z.ZodType<KnownServer>;

const ASSIGNMENT = z
  .object({
    follows: z.array(
      z.object({
        stream: z.string(),
        rendition: z.string(),
        parents: z.array(z.object({ id: z.string(), relayUrl: z.string() })),
      }),
    ),
    successors: table(z.object({ id: z.string(), mediaUrl: z.string() })),
    transcodes: z
      .array(
        z.object({
          stream: z.string(),
          rungs: z.array(
            z.object({
              name: z.string(),
              codec: z.enum(['h264', 'hevc', 'av1', 'none']),
              width: count,
              height: count,
              maxFrameRate: count,
              videoKbps: count,
            }),
          ),
        }),
      )
      .exactOptional(),
  })
  .meta({
    id: 'Assignment',
    description: 'What the plan wants of one server.',
  }) satisfies z.ZodType<Assignment>;

const USHER = z.object({
  id: z.string(),
  heardAtMs: atMs,
  demand: table(table(count)),
}) satisfies z.ZodType<KnownUsher>;

const ACCOUNT = z.object({
  monthStartMs: atMs,
  intervals: count,
  intervalStartMs: atMs,
  intervalMbitSum: count,
  top: z.array(count),
  gigabytes: count,
}) satisfies z.ZodType<UplinkAccount>;

export const SNAPSHOT = z
  .object({
    nowMs: atMs,
    sinceMs: atMs,
    pausedAtMs: atMs,
    servers: z.array(SERVER),
    streams: z.array(KNOWN_STREAM),
    planTerm: count,
    plan: table(ASSIGNMENT),
    drains: table(DRAIN),
    ushers: z.array(USHER),
    accounts: table(ACCOUNT),
    spentMicroUsd: table(count),
  })
  .meta({
    id: 'Snapshot',
    description: 'The whole cluster at one instant. Tables are by id or name.',
  }) satisfies z.ZodType<Snapshot>;
