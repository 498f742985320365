// What the configuration file may say. Everything has a default, and a sentence that the example file prints.

import { isStreamName, STREAM_NAME_RULE } from '../../names.ts';
import { z } from '../yaml.ts';
import { archive } from './archive.ts';
import { operators } from './operators.ts';
import { redis } from './redis.ts';
import { relayTls, tls } from './tls.ts';
import { transcode } from './transcode.ts';
import { addressPrefix, baseUrl, file, files, placeName, port } from './values.ts';

const secret = z.string().min(16, 'a secret has at least 16 characters');

const metrics = z.strictObject({
  topStreams: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .describe('So many of the most watched streams have figures of their own in Prometheus, told by ushers.'),
});

const publishKey = z.strictObject({
  stream: z.string().refine(isStreamName, STREAM_NAME_RULE).describe('The name of a stream.'),
  key: z.string().min(8).describe('At least 8 characters.'),
});

const publish = z.strictObject({
  keys: z.array(publishKey).default([]).describe('Keys that are valid for one stream for ever.'),
  webhook: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: 'Asked by POST whether a key is good: any 2xx means yes.',
      example: 'https://example.org/may-publish',
    }),
  graceS: z
    .number()
    .min(0)
    .max(3_600)
    .default(60)
    .describe('How long a stream waits for its broadcaster to come back, seconds.'),
});

const playback = z.strictObject({
  access: z
    .enum(['open', 'signed'])
    .default('open')
    .describe('`open`: anybody may play. `signed`: only who brings a token for the stream.'),
  thumbnails: z.enum(['public', 'private']).optional().meta({
    description:
      'Pictures of live streams: for everybody, or for who brings a token for the stream. By default as playback is.',
    example: 'public',
  }),
  beatMs: z.int().min(0).max(1_000).optional().meta({
    description:
      'How often progressive viewers are written to; by the number of viewers when it is not given.',
    example: 20,
  }),
});

const drain = z.strictObject({
  deadlineS: z
    .number()
    .min(0)
    .max(86_400)
    .nullable()
    .default(60)
    .describe('After SIGTERM: seconds until broadcasts that are still there have to go; null: never.'),
});

const map = z.strictObject({
  topology: file.optional().meta({
    description: 'Sites, uplinks, prices, links and CDNs: network/map/example.yaml is one.',
    example: '/etc/headwater/topology.yaml',
  }),
  cityDb: files.optional().meta({
    description: 'MaxMind DB files of cities or countries; what is installed when none is given.',
    example: '/var/lib/GeoIP/GeoLite2-City.mmdb',
  }),
  asnDb: files.optional().meta({
    description: 'MaxMind DB files of networks (ASN); what is installed when none is given.',
    example: '/var/lib/GeoIP/GeoLite2-ASN.mmdb',
  }),
  routes: files.optional().meta({
    description: 'Texts of prefixes and their networks, which go before `asnDb`.',
    example: '/var/lib/headwater/routes.txt',
  }),
});

const feed = z.strictObject({
  windowS: z
    .number()
    .min(6)
    .max(600)
    .default(30)
    .describe('Media time that each feed keeps in memory, seconds.'),
});

const limits = z
  .strictObject({
    connections: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(50_000)
      .describe('HTTP connections of a listener, at most.'),
    connectionsPerAddress: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(8_192)
      .describe(
        "Of them from one IPv4 address or IPv6 /64: a carrier's NAT has thousands behind one. Trusted proxies have no such limit.",
      ),
    newcomersPerAddress: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(4_096)
      .describe('New viewers that an usher takes from one IPv4 address or IPv6 /64 within ten seconds.'),
    readAheadMb: z
      .number()
      .min(1)
      .max(65_536)
      .default(32)
      .describe(
        'What of recordings lies in memory for those who have yet to take it, beyond 64 KiB for each.',
      ),
  })
  .prefault({});

export const schema = z.strictObject({
  id: placeName.optional().meta({
    description: 'This server among others; made anew at each start when it is not given.',
    example: 'ams-1',
  }),
  roles: z
    .array(z.enum(['origin', 'edge', 'transcoder']))
    .min(1)
    .default(['origin', 'edge'])
    .describe('What this server does: origin, edge, transcoder.'),
  site: placeName
    .default('local')
    .describe('The datacenter that it stands in: servers of one site are near.'),
  host: placeName.default('local').describe('The machine: servers of one host share a network card.'),
  cores: z
    .union([z.int().min(1).max(1_024), z.literal('auto')], 'a number of cores, or auto')
    .default(1)
    .describe(
      'Of the machine that `headwater server` uses, each by a server of its own: the second is called as the first with -2, its ports are one higher. `auto`: all.',
    ),
  egressMbps: z.number().positive().default(1_000).describe('What it may send.'),
  cpuLimit: z
    .number()
    .gt(0)
    .max(1)
    .default(0.9)
    .describe(
      'How busy its core may be, 0 to 1, before it takes no further viewers, whatever `egressMbps` says; 1: it always does.',
    ),
  bind: z.string().min(1).default('127.0.0.1').describe('The address that all listeners bind to.'),
  rtmpPort: port.default(1935).describe('Where broadcasters push.'),
  usherPort: port.default(8080).describe('Pages, playlists and API.'),
  mediaPort: port.default(8081).describe('Media for players and for other servers.'),
  mediaUrl: baseUrl.optional().meta({
    description: 'Where players reach the media listener when that is not the host that they asked usher on.',
    example: 'https://ams-1.example.org',
  }),
  relayUrl: baseUrl.optional().meta({
    description: 'Where other servers reach the media listener when that is not `bind`.',
    example: 'http://10.0.0.7:8081',
  }),
  rtmpUrl: z
    .url({ protocol: /^rtmp$/ })
    .optional()
    .meta({
      description: 'Where broadcasters reach the RTMP listener when that is not `bind`.',
      example: 'rtmp://ams-1.example.org/live',
    }),
  tls,
  relayTls,
  data: z.string().min(1).default('./data').describe('The folder of what this server keeps on disk.'),
  sample: z.boolean().default(true).describe('Push the sample broadcast, as stream `sample`.'),
  log: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('How much is logged: debug, info, warn, error, silent.'),
  secrets: z
    .array(secret)
    .max(2)
    .default([])
    .describe(
      'Secrets that sign tokens: the first signs, each is accepted. Made and kept in `data` when none is given; HEADWATER_SECRETS, with commas, goes before them.',
    ),
  state: z
    .strictObject({ redis: redis.optional().describe('The Redis of the cluster.') })
    .prefault({})
    .describe('Where servers and ushers of several processes meet; without it they are all in this one.'),
  publish: publish.prefault({}).describe('Who may publish.'),
  playback: playback.prefault({}).describe('Who may watch, and how they are served.'),
  feed: feed.prefault({}).describe('What is kept of a stream to play from.'),
  drain: drain.prefault({}).describe('How this server is emptied.'),
  archive: archive.prefault({}).describe('What is recorded.'),
  transcode: transcode
    .prefault({})
    .describe('Which renditions are made of which streams, by servers with the role `transcoder`.'),
  operators: operators.prefault({}).describe('Who may operate the cluster, and how they sign in.'),
  metrics: metrics.prefault({}).describe('What Prometheus is told.'),
  map: map
    .prefault({})
    .describe('What usher knows of networks and places. Files are read again when they change.'),
  policies: file.optional().meta({
    description: 'Prices by which viewers are placed.',
    example: '/etc/headwater/policies.yaml',
  }),
  limits: limits.describe('What those outside may take.'),
  trustedProxies: z
    .array(addressPrefix)
    .max(1_000)
    .default([])
    .describe(
      'Who is believed about where a request came from (Forwarded, X-Forwarded-For): addresses, or prefixes as 10.0.0.0/8.',
    ),
});

type DeepReadonly<T> = { readonly [Key in keyof T]: T[Key] extends object ? DeepReadonly<T[Key]> : T[Key] };

/** The whole configuration, with its defaults. */
export type Config = DeepReadonly<z.output<typeof schema>>;
