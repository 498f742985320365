// `headwater recordings`: what is recorded of a stream, and what its owner does with it, by way of an usher.

import { parseArgs } from 'node:util';
import { streamOf } from '../../network/archive/catalogue.ts';
import { isRecordingId } from '../../network/archive/index-file.ts';
import type { Clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { loadSecrets } from '../../network/config/secrets.ts';
import type { GetText, Order, SendOrder } from '../../network/http/dial.ts';
import { isStreamName, quoted } from '../../network/names.ts';
import { signToken } from '../../network/token.ts';
import { answerOf, JSON_OPTION, readUsage, USHER_OPTION, usherUrl } from './ask-usher.ts';
import { type Listed, recordingsText } from './recordings-text.ts';

export const RECORDINGS_HELP = `  headwater recordings list <stream> [--json]
  headwater recordings keep <recording> [--title <title>]
  headwater recordings release <recording>
  headwater recordings clip <recording> (--from <s> --to <s> | --last <s>) [--title <title>]
  headwater recordings delete <recording>
                           all with [--usher http://127.0.0.1:8080]; the last four with [--key <key>], or with the secret
                           of [--config <file>] as the usher has it`;

export interface RecordingsTools {
  readonly getText: GetText;
  readonly sendOrder: SendOrder;
  readonly clock: Clock;
}

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 64 * 1024 * 1024;
/** The order is for now. */
const KEY_MS = 60_000;

const OPTIONS = {
  usher: USHER_OPTION,
  json: JSON_OPTION,
  key: { type: 'string' },
  config: { type: 'string' },
  title: { type: 'string' },
  from: { type: 'string' },
  to: { type: 'string' },
  last: { type: 'string' },
} as const;

/** Returns what to print. Throws `bad_usage`, or `no_answer` with what the usher says is wrong. */
export async function handleRecordings(args: readonly string[], tools: RecordingsTools): Promise<string> {
  const asked = readUsage(RECORDINGS_HELP, () => readArgs(args));
  const { command, name, values } = asked;
  const path = command === 'list' ? `/api/streams/${name}/recordings` : `/api/recordings/${name}`;
  const url = readUsage(RECORDINGS_HELP, () => usherUrl(values.usher, path));
  if (command === 'list') return list(url, values.json, tools);
  const order = readUsage(RECORDINGS_HELP, () => orderFor(asked, url));
  const headers = { Authorization: `Bearer ${await keyFor(asked, tools)}` };
  const answer = await answerOf(url, tools.sendOrder({ ...order, headers }, TIMEOUT_MS));
  return DONE[command](answer as unknown as Listed);
}

const DONE = {
  keep: ({ id }: Listed) => `${id} is kept for ever\n`,
  release: ({ id }: Listed) => `${id} goes when its days are over\n`,
  clip: ({ id, durationMs, url }: Listed) => `${id}: ${durationMs / 1000} s, at ${url}\n`,
  delete: ({ id }: Listed) => `${id} is gone\n`,
} as const;

type Command = 'list' | keyof typeof DONE;

interface Asked {
  readonly command: Command;
  /** Of a stream, or the id of a recording. */
  readonly name: string;
  readonly values: { readonly usher: string; readonly json: boolean } & Partial<
    Record<'key' | 'config' | 'title' | 'from' | 'to' | 'last', string>
  >;
}

function readArgs(args: readonly string[]): Asked {
  const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  const [command = '', name = '', ...more] = positionals;
  if (command !== 'list' && !Object.hasOwn(DONE, command))
    throw new Error(`recordings takes list, keep, release, clip or delete; got ${quoted(command)}`);
  if (command === 'list' ? !isStreamName(name) : !isRecordingId(name))
    throw new Error(
      `${command} takes ${command === 'list' ? 'a stream' : 'the id of a recording'}; got ${quoted(name)}`,
    );
  if (more.length > 0) throw new Error(`${quoted(more[0])} is too much`);
  return { command: command as Command, name, values };
}

function orderFor({ command, values }: Asked, url: string): Order {
  const { title } = values;
  const said = title === undefined ? {} : { title };
  if (command === 'delete') return { method: 'DELETE', url };
  if (command !== 'clip') return { method: 'PATCH', url, value: { ...said, isKept: command === 'keep' } };
  return { method: 'POST', url: `${url}/clips`, value: { ...said, ...rangeIn(values) } };
}

function rangeIn({ from, to, last }: Asked['values']): Record<string, number> {
  const texts = last === undefined ? { from, to } : { last };
  const range = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, secondsIn(name, text)]),
  );
  if (last === undefined || (from ?? to) === undefined) return range;
  throw new Error('a clip has --from and --to, or --last');
}

function secondsIn(name: string, text: string | undefined): number {
  if (text !== undefined && /^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new Error(`--${name} takes seconds; got ${quoted(text ?? '')}`);
}

async function keyFor({ name, values }: Asked, { clock }: RecordingsTools): Promise<string> {
  if (values.key !== undefined) return values.key;
  const config = readConfig(values.config === undefined ? [] : ['--config', values.config]);
  const secrets = await loadSecrets(config.secrets, config.data);
  const expiresAtMs = clock.now() + KEY_MS;
  return signToken(secrets, { purpose: 'publish', stream: streamOf(name), expiresAtMs, session: '' });
}

async function list(url: string, json: boolean, { getText }: RecordingsTools): Promise<string> {
  const answer = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES));
  const recordings = answer['recordings'] as readonly Listed[];
  return json ? `${JSON.stringify(recordings, undefined, 2)}\n` : recordingsText(recordings);
}
