// Configuration: command line over environment over file over defaults, validated and frozen. The door to process.env.

import { readFileSync } from 'node:fs';
import type { Options } from '../command/command.ts';
import { CodedError, reasonOf } from '../errors.ts';
import { parsePrefix } from '../map/address.ts';
import { isPlaceName, isStreamName, PLACE_NAME_RULE, STREAM_NAME_RULE } from '../names.ts';
import type { RedisAddress } from '../state/redis/redis-client.ts';
import { explain, parseYaml, type Whereabouts, z } from './yaml.ts';

const port = z.int().min(0).max(65_535);
const secret = z.string().min(16, 'a secret has at least 16 characters');
const REDIS_ADDRESS = /^(?:unix:\/.+|(?:\[[0-9A-Fa-f:.]+\]|[^\s:[\]]+):\d{1,5})$/;
const REDIS_PREFIX = /^[A-Za-z0-9_.:-]{1,64}$/;
const baseUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const placeName = z.string().refine(isPlaceName, PLACE_NAME_RULE);

const file = z.string().min(1);
const files = z
  .union([z.array(file).max(16), file], 'a file, or a list of files')
  .transform((one) => [one].flat());
const prefix = z.string().transform((text, context) => {
  const range = parsePrefix(text);
  if (!range)
    context.addIssue({ code: 'custom', message: 'an address, or a prefix as 10.0.0.0/8', input: text });
  return range ?? z.NEVER;
});
const pemFile = file.optional();
const rungName = z
  .string()
  .regex(
    /^(?:audio|\d{2,4}p\d{1,3})$/,
    'a rung is named by its lines and frames per second, as 720p30, or is audio',
  );
const ladder = z
  .array(
    z
      .union(
        [
          rungName,
          z.strictObject({
            name: rungName,
            codec: z.enum(['h264', 'hevc', 'av1']).optional(),
            videoKbps: z.number().positive().max(100_000).optional(),
          }),
        ],
        'a rung: its name, or { name, codec, videoKbps }',
      )
      .transform((rung) => (typeof rung === 'string' ? { name: rung } : rung)),
  )
  .max(12);
const when = z.enum(['always', 'on-demand']);
const redis = z
  .strictObject({
    /** `host:port` of one server, of Sentinels or of nodes of a Redis Cluster; `unix:<path>` of one server on this machine. */
    addresses: z
      .array(z.string().regex(REDIS_ADDRESS, 'an address is host:port or unix:<path>'))
      .min(1)
      .max(64),
    kind: z.enum(['single', 'sentinel', 'cluster']).default('single'),
    /** The name that Sentinels know the server by. */
    master: z.string().min(1).optional(),
    database: z.int().min(0).default(0),
    username: z.string().min(1).optional(),
    password: z.string().min(1).optional(),
    sentinelUsername: z.string().min(1).optional(),
    sentinelPassword: z.string().min(1).optional(),
    /** `true`, or files in PEM and the name in the server's certificate. */
    tls: z
      .union([
        z.boolean(),
        z.strictObject({ caFile: pemFile, certFile: pemFile, keyFile: pemFile, serverName: pemFile }),
      ])
      .default(false),
    /** Clusters that share a Redis differ in it. */
    prefix: z
      .string()
      .regex(REDIS_PREFIX, 'a prefix is 1 to 64 letters, digits, "_", "-", "." and ":"')
      .default('headwater'),
  })
  .refine(({ kind, addresses }) => kind !== 'single' || addresses.length === 1, {
    path: ['addresses'],
    error: 'several addresses are those of `kind: sentinel` or `kind: cluster`',
  })
  .refine(
    ({ kind, addresses }) => kind === 'single' || !addresses.some((address) => address.startsWith('unix:')),
    {
      path: ['addresses'],
      error: 'a Unix socket is of a single server',
    },
  )
  .refine(({ kind, master }) => (kind === 'sentinel') === (master !== undefined), {
    path: ['master'],
    error: '`kind: sentinel` takes the name of the server, and no other kind does',
  })
  .refine(({ kind, database }) => kind !== 'cluster' || database === 0, {
    path: ['database'],
    error: 'a Redis Cluster has database 0 only',
  }) satisfies z.ZodType<RedisAddress>;

const recordedRenditions = z.enum(['source', 'all']);
/** A name may end in `*`. */
const recordingRule = z.strictObject({
  stream: z.string().min(1).max(65),
  record: z.boolean().optional(),
  maxHours: z.number().positive().nullable().optional(),
  keepDays: z.number().positive().nullable().optional(),
  renditions: recordedRenditions.optional(),
});
const longTermStorage = z
  .strictObject({
    /** Folders of mounted disks, each with the same right to new files. */
    directories: z.array(file).min(1).max(64).optional(),
    /** An S3-compatible object store. */
    s3: z
      .strictObject({
        /** With the bucket: `https://s3.example.org/recordings`. */
        endpoint: baseUrl,
        region: z.string().min(1).default('auto'),
        accessKeyId: z.string().min(1, 'it is given here, or by HEADWATER_S3_ACCESS_KEY_ID'),
        secretAccessKey: z.string().min(1, 'it is given here, or by HEADWATER_S3_SECRET_ACCESS_KEY'),
      })
      .optional(),
  })
  .refine(({ directories, s3 }) => (directories === undefined) !== (s3 === undefined), {
    error: 'storage is either `directories` or `s3`',
  });

/** What the configuration file may say; everything has a default. */
const schema = z.strictObject({
  /** Address that all listeners bind to. */
  bind: z.string().min(1).default('127.0.0.1'),
  rtmpPort: port.default(1935),
  usherPort: port.default(8080),
  mediaPort: port.default(8081),
  /** This server among others; made anew at each start when it is not given. */
  id: placeName.optional(),
  /** What this server does. */
  roles: z
    .array(z.enum(['origin', 'edge', 'transcoder']))
    .min(1)
    .default(['origin', 'edge']),
  /** Datacenter and machine that it stands in: servers of one site are near, those of one host share a network card. */
  site: placeName.default('local'),
  host: placeName.default('local'),
  /** What it may send. */
  egressMbps: z.number().positive().default(1_000),
  /** Where players reach the media listener when that is not the host that they asked usher on. */
  mediaUrl: baseUrl.optional(),
  /** Where other servers reach the media listener, and broadcasters the RTMP listener, when that is not `bind`. */
  relayUrl: baseUrl.optional(),
  rtmpUrl: z.url({ protocol: /^rtmp$/ }).optional(),
  /** Folder of what this server keeps on disk. */
  data: z.string().min(1).default('./data'),
  /** Push the sample broadcast, as stream `sample`. */
  sample: z.boolean().default(true),
  metrics: z
    .strictObject({
      /** So many of the most watched streams have figures of their own in Prometheus, told by ushers. */
      topStreams: z.int().min(0).max(100).default(0),
    })
    .prefault({}),
  log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Secrets that sign tokens: the first signs, each is accepted. Made and kept under `data` when none is given. */
  secrets: z.array(secret).max(2).default([]),
  publish: z
    .strictObject({
      /** Keys that are valid for one stream for ever. */
      keys: z
        .array(
          z.strictObject({
            stream: z.string().refine(isStreamName, STREAM_NAME_RULE),
            key: z.string().min(8),
          }),
        )
        .default([]),
      /** Asked by POST whether a key is good: any 2xx means yes. */
      webhook: z.url({ protocol: /^https?$/ }).optional(),
      /** How long a stream waits for its broadcaster to come back, seconds. */
      graceS: z.number().min(0).max(3_600).default(60),
    })
    .prefault({}),
  playback: z
    .strictObject({
      /** `open`: anybody may play. `signed`: only who brings a token for the stream. */
      access: z.enum(['open', 'signed']).default('open'),
      /** How often progressive viewers are written to, ms; by the number of viewers when it is not given. */
      beatMs: z.int().min(0).max(1_000).optional(),
    })
    .prefault({}),
  drain: z
    .strictObject({
      /** After SIGTERM: seconds until broadcasts that are still there have to go; null: never. */
      deadlineS: z.number().min(0).max(86_400).nullable().default(60),
    })
    .prefault({}),
  /** Where servers and ushers of several processes meet; without it they are all in this one. */
  state: z.strictObject({ redis: redis.optional() }).prefault({}),
  archive: z
    .strictObject({
      /** Whether streams are recorded. */
      record: z.boolean().default(true),
      /** Of a broadcast, what comes later is not recorded; null: no limit. */
      maxHours: z.number().positive().nullable().default(null),
      /** How long recordings are kept on disks and in storage, days; null: for ever. */
      keepDays: z.number().positive().nullable().default(7),
      /** `all`: also those that are made of it; they cost as much space again, and `source` can be watched by all whom it suits. */
      renditions: recordedRenditions.default('source'),
      /** What is otherwise for some streams: the first rule that fits a stream's name and says something holds. */
      perStream: z.array(recordingRule).max(10_000).default([]),
      /** One folder on each disk; `recordings` in `data` when none is given. */
      folders: z.array(file).max(64).default([]),
      /** Make pictures of what is recorded, where ffmpeg is. */
      pictures: z.boolean().default(true),
      /** Media time in one file, seconds. */
      fileS: z.number().min(10).max(86_400).default(600),
      /** A disk with less free space takes no new files, MB. */
      reserveMb: z.number().min(0).default(1_024),
      /** Where recorded files are copied to when they are complete, to be kept there. */
      storage: longTermStorage.optional(),
      /** What uploads to storage may take, with nobody watching. */
      uploadMbps: z.number().positive().default(200),
      /** What of storage is kept in `data` while it is watched, MB. */
      cacheMb: z.number().min(64).default(2_048),
    })
    .prefault({}),
  /** What usher knows of networks and places: see `map/atlas.ts`, and `map/example.yaml` for a topology. */
  map: z
    .strictObject({
      topology: file.optional(),
      /** MaxMind DB files of cities or countries, and of networks (ASN). What is installed when they are not given. */
      cityDb: files.optional(),
      asnDb: files.optional(),
      /** Texts of prefixes and their networks, which go before `asnDb`. */
      routes: files.optional(),
    })
    .prefault({}),
  /** Prices by which viewers are placed: see `usher/placement/price/policy-file.ts`. */
  policies: file.optional(),
  /** Who is believed about where a request came from (`Forwarded`, `X-Forwarded-For`): addresses, or prefixes as `10.0.0.0/8`. */
  trustedProxies: z.array(prefix).max(1_000).default([]),
  /** Which renditions are made of which streams, by servers with the role `transcoder`. */
  transcode: z
    .strictObject({
      /** Of every stream: names as `720p30`, or `audio`. None: `[]`. */
      ladder: ladder.default([]),
      /** `on-demand`: only while somebody watches the stream. */
      when: when.default('always'),
      /** Of streams with one of these names instead; a name may end in `*`. The first that fits counts. */
      perStream: z
        .array(z.strictObject({ stream: z.string().min(1).max(65), ladder, when: when.default('always') }))
        .max(10_000)
        .default([]),
      /** Of this worker: jobs at a time. By what its CPU can when it is not given. */
      slots: z.int().min(0).max(1_000).optional(),
      /** Of this worker: encoders that go before those in software, as `h264_nvenc`; what those spend on a frame; the program. */
      encoders: z.array(z.string().min(1)).max(16).default([]),
      preset: z.enum(['ultrafast', 'superfast', 'veryfast', 'faster', 'fast', 'medium']).default('veryfast'),
      ffmpeg: z.string().min(1).default('ffmpeg'),
      /** Memory of one ffmpeg, MB. */
      memoryMb: z.number().min(64).default(2_048),
    })
    .prefault({}),
  feed: z
    .strictObject({
      /** Media time that each feed keeps in memory, seconds. */
      windowS: z.number().min(6).max(600).default(30),
    })
    .prefault({}),
});

type DeepReadonly<T> = { readonly [Key in keyof T]: T[Key] extends object ? DeepReadonly<T[Key]> : T[Key] };
export type Config = DeepReadonly<z.output<typeof schema>>;

/** What the command line may say of the configuration. */
export const CONFIG_OPTIONS = {
  config: { value: '<file>', help: 'read this YAML file first' },
  rtmpPort: { value: '<port>', help: 'where broadcasters push (1935)' },
  usherPort: { value: '<port>', help: 'pages, playlists and API (8080)' },
  mediaPort: { value: '<port>', help: 'media for players (8081)' },
  mediaUrl: { value: '<url>', help: 'how players reach the media port from outside' },
  bind: { value: '<address>', help: 'address to listen on (127.0.0.1)' },
  data: { value: '<folder>', help: 'what is kept on disk (./data)' },
  sample: { isOn: true, help: 'do not push the sample broadcast' },
  beatMs: { value: '<ms>', help: 'write to progressive viewers this often' },
  log: { value: '<level>', help: 'debug, info, warn, error or silent (info)' },
} as const satisfies Options;

export type Flags = { readonly [Name in keyof typeof CONFIG_OPTIONS]?: string | boolean | undefined };

/** Reads the configuration. Throws `bad_config` with everything that is wrong, each with its place and value. */
export function readConfig(flags: Flags = {}, environment = process.env): Config {
  const { value: raw, whereabouts } = readFile(flags.config);
  const overridden = override(raw, flags, environment);
  const parsed = schema.safeParse(raw, { reportInput: true });
  if (parsed.success) return deepFreeze(parsed.data);
  const ofFile: Whereabouts = (path) =>
    path.some((_, index) => overridden.has(path.slice(0, index + 1).join('.'))) ? '' : whereabouts(path);
  const isSecret = (key: string): boolean => /secrets|key|password/i.test(key);
  throw new CodedError('bad_config', explain(parsed.error, ofFile, isSecret));
}

function readFile(file: unknown): { value: Record<string, unknown>; whereabouts: Whereabouts } {
  if (typeof file !== 'string') return { value: {}, whereabouts: () => '' };
  try {
    const { value, lineOf } = parseYaml(readFileSync(file, 'utf8'));
    if (Array.isArray(value) || typeof (value ?? {}) !== 'object') {
      throw new Error('it should hold keys and values');
    }
    const whereabouts: Whereabouts = (path) => `${file}:${lineOf(path)}: `;
    return { value: (value ?? {}) as Record<string, unknown>, whereabouts };
  } catch (error) {
    throw new CodedError('bad_config', `configuration file '${file}': ${reasonOf(error)}`, { cause: error });
  }
}

/** Puts over the values of the file what the environment and then the flags say. Returns the keys of those. */
function override(
  raw: Record<string, unknown>,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): ReadonlySet<string> {
  const values = new Map<string, unknown>();
  const secrets = environment['HEADWATER_SECRETS'];
  if (secrets) values.set('secrets', secrets.split(','));
  for (const [key, password] of redisPasswords(raw, environment)) values.set(key, password);
  for (const [key, credential] of s3Credentials(raw, environment)) values.set(key, credential);
  const { config: _, ...said } = flags;
  for (const [name, value] of Object.entries(said))
    if (value !== undefined) values.set(PLACES[name] ?? name, flagValue(name, value));
  for (const [key, value] of values) put(raw, key.split('.'), value);
  return new Set(values.keys());
}

/** Where an option stands in the configuration that has another name there. */
const PLACES: Readonly<Record<string, string>> = { beatMs: 'playback.beatMs' };

function flagValue(name: string, value: string | boolean): unknown {
  const isNumeric = /(?:Port|Ms)$/.test(name);
  return isNumeric && /^\d+$/.test(String(value)) ? Number(value) : value;
}

/** For the Redis that the file names: where none is, they are meant for another process. */
function redisPasswords(
  raw: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): readonly (readonly [key: string, password: string])[] {
  const { redis } = (raw['state'] ?? {}) as { readonly redis?: unknown };
  if (typeof redis !== 'object' || redis === null) return [];
  const { HEADWATER_REDIS_PASSWORD: password, HEADWATER_REDIS_SENTINEL_PASSWORD: sentinelPassword } =
    environment;
  return [
    ...(password ? [['state.redis.password', password] as const] : []),
    ...(sentinelPassword ? [['state.redis.sentinelPassword', sentinelPassword] as const] : []),
  ];
}

/** For the object store that the file names. */
function s3Credentials(
  raw: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): readonly (readonly [key: string, credential: string])[] {
  const { storage } = (raw['archive'] ?? {}) as { readonly storage?: { readonly s3?: unknown } };
  if (typeof storage?.s3 !== 'object' || storage.s3 === null) return [];
  const { HEADWATER_S3_ACCESS_KEY_ID: id, HEADWATER_S3_SECRET_ACCESS_KEY: secret } = environment;
  return [
    ...(id ? [['archive.storage.s3.accessKeyId', id] as const] : []),
    ...(secret ? [['archive.storage.s3.secretAccessKey', secret] as const] : []),
  ];
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (rest.length === 0) target[key!] = value;
  else {
    target[key!] ??= {};
    const inner = target[key!];
    if (typeof inner === 'object') put(inner as Record<string, unknown>, rest, value);
  }
}

function deepFreeze<T extends object>(value: T): DeepReadonly<T> {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value) as DeepReadonly<T>;
}
