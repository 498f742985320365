// `headwater archive list`, `keep`, `release`, `clip` and `delete`: what owners do with recordings, by way of an usher.

import { streamOf } from '../../../network/archive/catalogue.ts';
import { isRecordingId } from '../../../network/archive/index-file.ts';
import { type Command, defineCommand, type Example, type Options } from '../../../network/command/command.ts';
import { SECRET_OPTIONS } from '../../../network/command/signing.ts';
import type { Flags } from '../../../network/config/options.ts';
import { CodedError } from '../../../network/errors.ts';
import type { Order } from '../../../network/http/dial.ts';
import { isStreamName, quoted } from '../../../network/names.ts';
import { answerOf, signed, USHER_OPTIONS, type UsherTools, usherUrl } from '../ask-usher.ts';
import { type Listed, recordingsText } from './recordings-text.ts';

const TIMEOUT_MS = 60_000;
const MAX_BYTES = 64 * 1024 * 1024;

const OWNER_OPTIONS = {
  key: { value: '<key>', help: 'to publish the stream with; made of the secret when it is not given' },
  ...USHER_OPTIONS,
  ...SECRET_OPTIONS,
} as const;
const TITLE_OPTION = { title: { value: '<title>', help: 'what it is called from now on' } } as const;

export function recordingCommands(tools: UsherTools): Command[] {
  return [
    listCommand(tools),
    keepCommand(tools),
    releaseCommand(tools),
    clipCommand(tools),
    deleteCommand(tools),
  ];
}

function listCommand({ getText }: UsherTools): Command {
  return defineCommand({
    name: 'list',
    summary: 'what is recorded of a stream',
    arguments: { stream: 'the name of a stream' },
    options: USHER_OPTIONS,
    examples: [['headwater archive list alice', 'the newest first']],
    async run({ stream, usher }) {
      if (!isStreamName(stream))
        throw new CodedError('bad_usage', `list takes a stream; got ${quoted(stream)}`);
      const url = usherUrl(usher, `/api/streams/${stream}/recordings`);
      const answer = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES));
      const recordings = answer['recordings'] as readonly Listed[];
      return { value: { recordings }, text: recordingsText(recordings) };
    },
  });
}

function keepCommand(tools: UsherTools): Command {
  return ownersCommand(tools, {
    name: 'keep',
    summary: 'keep a recording for ever',
    options: { ...OWNER_OPTIONS, ...TITLE_OPTION },
    examples: [["headwater archive keep alice.mwpjqbk0 --title 'The final'", '']],
    orderFor: (url, { title }) => ({ method: 'PATCH', url, value: { ...said({ title }), isKept: true } }),
    text: ({ id }) => `${id} is kept for ever\n`,
  });
}

function releaseCommand(tools: UsherTools): Command {
  return ownersCommand(tools, {
    name: 'release',
    summary: 'keep a recording no longer than others',
    options: OWNER_OPTIONS,
    examples: [['headwater archive release alice.mwpjqbk0', '']],
    orderFor: (url) => ({ method: 'PATCH', url, value: { isKept: false } }),
    text: ({ id }) => `${id} goes when its days are over\n`,
  });
}

function clipCommand(tools: UsherTools): Command {
  return ownersCommand(tools, {
    name: 'clip',
    summary: 'cut a clip out of a recording, also of what is live',
    options: {
      from: { value: '<s>', help: 'where it begins, in seconds' },
      to: { value: '<s>', help: 'where it ends' },
      last: { value: '<s>', help: 'or so much of the end' },
      ...TITLE_OPTION,
      ...OWNER_OPTIONS,
    },
    examples: [
      ['headwater archive clip alice.mwpjqbk0 --from 90 --to 120', ''],
      ["headwater archive clip alice.mwpjqbk0 --last 30 --title 'The goal'", 'what was live just now'],
    ],
    orderFor: (url, { title, from, to, last }) => {
      const value = { ...said({ title }), ...rangeIn({ from, to, last }) };
      return { method: 'POST', url: `${url}/clips`, value };
    },
    text: ({ id, durationMs, url }) => `${id}: ${durationMs / 1000} s, at ${url}\n`,
  });
}

function deleteCommand(tools: UsherTools): Command {
  return ownersCommand(tools, {
    name: 'delete',
    summary: 'delete a recording, wherever it lies',
    options: OWNER_OPTIONS,
    examples: [['headwater archive delete alice.mwpjqbk0', '']],
    orderFor: (url) => ({ method: 'DELETE', url }),
    text: ({ id }) => `${id} is gone\n`,
  });
}

type Said = Readonly<Record<'title' | 'from' | 'to' | 'last', string | undefined>>;

interface OwnersCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: typeof OWNER_OPTIONS & Options;
  readonly examples: readonly Example[];
  readonly orderFor: (url: string, said: Said) => Order;
  readonly text: (recording: Listed) => string;
}

function ownersCommand(tools: UsherTools, { orderFor, text, ...command }: OwnersCommand): Command {
  return defineCommand({
    ...command,
    arguments: { recording: 'the id of a recording, as `list` has it' },
    async run(given) {
      const { recording } = given;
      if (!isRecordingId(recording))
        throw new CodedError('bad_usage', `it takes the id of a recording; got ${quoted(recording)}`);
      const url = usherUrl(given.usher, `/api/recordings/${recording}`);
      const order = orderFor(url, given as unknown as Said);
      const headers = await headersFor(recording, given, tools);
      const value = (await answerOf(
        url,
        tools.sendOrder({ ...order, headers }, TIMEOUT_MS),
      )) as unknown as Listed;
      return { value, text: text(value) };
    },
  });
}

async function headersFor(
  recording: string,
  given: Pick<Flags, 'config' | 'data'> & { readonly key: string | undefined },
  { clock }: UsherTools,
) {
  if (given.key !== undefined) return { Authorization: `Bearer ${given.key}` };
  return signed(given, { purpose: 'publish', stream: streamOf(recording) }, clock);
}

function said(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Record<string, string>;
}

function rangeIn({ from, to, last }: Omit<Said, 'title'>): Record<string, number> {
  const texts = last === undefined ? { from, to } : { last };
  const range = Object.entries(texts).map(([name, text]) => [name, secondsIn(name, text)] as const);
  if (last === undefined || (from ?? to) === undefined) return Object.fromEntries(range);
  throw new CodedError('bad_usage', 'a clip has --from and --to, or --last');
}

function secondsIn(name: string, text: string | undefined): number {
  if (text !== undefined && /^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new CodedError('bad_usage', `--${name} takes seconds; got ${quoted(text ?? '')}`);
}
