// Configuration: command line over environment over file over defaults, validated and frozen. The door to process.env.

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { CodedError, reasonOf } from './errors.ts';
import { isStreamName, STREAM_NAME_RULE } from './names.ts';

const port = z.int().min(0).max(65_535);
const secret = z.string().min(16, 'a secret has at least 16 characters');
const baseUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

/** What the configuration file may say; everything has a default. */
const schema = z.strictObject({
  /** Address that all listeners bind to. */
  bind: z.string().min(1).default('127.0.0.1'),
  rtmpPort: port.default(1935),
  usherPort: port.default(8080),
  mediaPort: port.default(8081),
  /** Where players reach the media listener when that is not the host that they asked usher on. */
  mediaUrl: baseUrl.optional(),
  /** Folder of what this server keeps on disk. */
  data: z.string().min(1).default('./data'),
  /** Push the sample broadcast, as stream `sample`. */
  sample: z.boolean().default(true),
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
  feed: z
    .strictObject({
      /** Media time that each feed keeps in memory, seconds. */
      windowS: z.number().min(6).max(600).default(30),
    })
    .prefault({}),
});

type DeepReadonly<T> = { readonly [Key in keyof T]: T[Key] extends object ? DeepReadonly<T[Key]> : T[Key] };
export type Config = DeepReadonly<z.output<typeof schema>>;

/** What the command line may say. `flag` is the name of an option, `key` its place in the configuration. */
const FLAGS = [
  { flag: 'config', value: '<file>', help: 'read this YAML file first' },
  { flag: 'rtmp-port', key: 'rtmpPort', value: '<port>', help: 'where broadcasters push (1935)' },
  { flag: 'usher-port', key: 'usherPort', value: '<port>', help: 'pages, playlists and API (8080)' },
  { flag: 'media-port', key: 'mediaPort', value: '<port>', help: 'media for players (8081)' },
  {
    flag: 'media-url',
    key: 'mediaUrl',
    value: '<url>',
    help: 'how players reach the media port from outside',
  },
  { flag: 'bind', key: 'bind', value: '<address>', help: 'address to listen on (127.0.0.1)' },
  { flag: 'data', key: 'data', value: '<folder>', help: 'what is kept on disk (./data)' },
  { flag: 'no-sample', key: 'sample', help: 'do not push the sample broadcast' },
  { flag: 'beat-ms', key: 'playback.beatMs', value: '<ms>', help: 'write to progressive viewers this often' },
  { flag: 'log', key: 'log', value: '<level>', help: 'debug, info, warn, error or silent (info)' },
] as const;

export const FLAGS_HELP = FLAGS.map(
  (entry) => `  ${`--${entry.flag} ${'value' in entry ? entry.value : ''}`.padEnd(24)} ${entry.help}`,
).join('\n');

/** Reads the configuration. Throws `bad_config` with everything that is wrong, each with its place and value. */
export function readConfig(args: readonly string[], environment = process.env): Config {
  const flags = readFlags(args);
  const raw = typeof flags['config'] === 'string' ? readFile(flags['config']) : {};
  const fromEnvironment = environment['HEADWATER_SECRETS'];
  if (fromEnvironment) raw['secrets'] = fromEnvironment.split(',');
  for (const entry of FLAGS) {
    const value = flags[entry.flag];
    if ('key' in entry && value !== undefined) put(raw, entry.key.split('.'), flagValue(entry.flag, value));
  }
  const parsed = schema.safeParse(raw, { reportInput: true });
  if (!parsed.success) throw new CodedError('bad_config', explain(parsed.error));
  return deepFreeze(parsed.data);
}

function readFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(
    FLAGS.map((entry) => [entry.flag, { type: 'value' in entry ? 'string' : 'boolean' } as const]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new CodedError('bad_config', reasonOf(error), { cause: error });
  }
}

function readFile(file: string): Record<string, unknown> {
  try {
    const value: unknown = parseYaml(readFileSync(file, 'utf8')) ?? {};
    if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new Error('it should hold keys and values');
  } catch (error) {
    throw new CodedError('bad_config', `configuration file '${file}': ${reasonOf(error)}`, { cause: error });
  }
}

function flagValue(flag: string, value: string | boolean): unknown {
  if (flag === 'no-sample') return false;
  const isNumeric = flag.endsWith('-port') || flag.endsWith('-ms');
  return isNumeric && /^\d+$/.test(String(value)) ? Number(value) : value;
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path;
  if (rest.length === 0) target[key!] = value;
  else {
    target[key!] ??= {};
    put(target[key!] as Record<string, unknown>, rest, value);
  }
}

/** Secrets must not reach a log or a terminal. */
function explain(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const place = issue.path.join('.') || 'configuration';
      const isSecret = /secrets|key/.test(place);
      return `${place}: ${issue.message}${isSecret || issue.input === undefined ? '' : ` (got ${JSON.stringify(issue.input)})`}`;
    })
    .join('\n');
}

function deepFreeze<T extends object>(value: T): DeepReadonly<T> {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value) as DeepReadonly<T>;
}
