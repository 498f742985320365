// `headwater keys`: makes keys to publish with, and tokens to play with and to operate with; lists and revokes keys to publish.

import type { Clock } from '../../network/clock.ts';
import { type Command, type CommandGroup, defineCommand } from '../../network/command/command.ts';
import { readDurationMs } from '../../network/command/durations.ts';
import { SECRET_OPTIONS, sign } from '../../network/command/signing.ts';
import { tableLines } from '../../network/command/table.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { randomName } from '../../network/hash.ts';
import { isKeyId, KEYS_SCOPE, type KeyRecord, keyIdOf } from '../../network/keys/keybook.ts';
import { isPlaceName, isStreamName, PLACE_NAME_RULE, quoted, STREAM_NAME_RULE } from '../../network/names.ts';
import { expiryOf } from '../../network/token.ts';
import { EVERYTHING } from '../operators/operators.ts';
import {
  answerOf,
  MAX_BYTES,
  signed,
  TIMEOUT_MS,
  USHER_OPTIONS,
  type UsherTools,
  usherUrl,
} from './ask-usher.ts';

export function keysCommands(tools: UsherTools): CommandGroup {
  return {
    name: 'keys',
    summary: 'make, list and revoke keys to publish; make tokens to play and to operate',
    commands: [makeCommand(tools), listCommand(tools), revokeCommand(tools)],
  };
}

const PURPOSES = ['publish', 'play', 'operate'] as const;
/** Two keys that are made for one stream in one second differ. */
const NAME_BYTES = 6;
const OPTIONS = { ...USHER_OPTIONS, ...SECRET_OPTIONS } as const;

function makeCommand(tools: UsherTools): Command {
  return defineCommand({
    name: 'make',
    summary: 'make a key, signed with the secret of the cluster',
    details:
      'Of keys to publish the cluster keeps a note, so that they can be listed and revoked: never the key itself.',
    arguments: {
      purpose: `what it is for: ${PURPOSES.join(', ')}`,
      name: 'of a stream; to operate, of a server, or * for all that operators do',
    },
    options: {
      expires: { value: '<time>', help: 'as 90s, 15m, 12h, 30d', default: '30d' },
      record: { isOn: true, help: 'do not tell an usher of a key to publish' },
      ...OPTIONS,
    },
    examples: [
      ['headwater keys make publish alice', 'push to rtmp://<server>/live/alice?key=<key>'],
      ['headwater keys make play alice --expires 12h', 'watch with ?token=<token>'],
      ['headwater keys make operate ams-1 --expires 1h', 'have it emptied over HTTP'],
      ["headwater keys make operate '*' --expires 12h", 'sign in to the console'],
    ],
    async run(given, { err }) {
      const { purpose, name } = asked(given.purpose, given.name);
      const expiresAtMs = tools.clock.now() + readDurationMs(given.expires);
      const session = purpose === 'publish' ? randomName(NAME_BYTES) : '';
      const key = await sign(given, { purpose, stream: name, expiresAtMs, session });
      const isNoted = purpose === 'publish' && given.record !== false;
      if (isNoted)
        await note(tools, given, key, name).catch((error) => err(`not noted: ${reasonOf(error)}\n`));
      return { value: { id: keyIdOf(key), key, purpose, name, expiresAtMs }, text: `${key}\n` };
    },
  });
}

function asked(purpose: string, name: string) {
  const known = PURPOSES.find((each) => each === purpose);
  if (!known)
    throw new CodedError(
      'bad_usage',
      `keys are for 'publish', 'play' or 'operate', not for ${quoted(purpose)}`,
    );
  const isGood = known === 'operate' ? name === EVERYTHING || isPlaceName(name) : isStreamName(name);
  if (isGood) return { purpose: known, name };
  const rule =
    known === 'operate'
      ? `the id of a server is ${PLACE_NAME_RULE}`
      : `a stream's name is ${STREAM_NAME_RULE}`;
  throw new CodedError('bad_usage', `${rule}; got ${quoted(name)}`);
}

type Given = Readonly<Record<'usher', string>> & Readonly<Record<'config' | 'data', string | undefined>>;

async function note(
  { sendOrder, clock }: UsherTools,
  given: Given,
  key: string,
  stream: string,
): Promise<void> {
  const url = usherUrl(given.usher, '/api/keys');
  const value = { id: keyIdOf(key), stream, expiresAtMs: expiryOf(key) };
  const headers = await operator(given, clock);
  await answerOf(url, sendOrder({ method: 'POST', url, headers, value }, TIMEOUT_MS));
}

function operator(given: Given, clock: Clock) {
  return signed(given, { purpose: 'operate', stream: KEYS_SCOPE }, clock);
}

function listCommand({ getText, clock }: UsherTools): Command {
  return defineCommand({
    name: 'list',
    summary: 'keys to publish that were made or revoked, and have not expired',
    details: 'As far as the cluster was told of them: whoever has its secret can make keys and tell nobody.',
    options: OPTIONS,
    examples: [['headwater keys list', 'the newest first']],
    async run(given) {
      const url = usherUrl(given.usher, '/api/keys');
      const answer = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES, await operator(given, clock)));
      const keys = answer['keys'] as readonly KeyRecord[];
      return { value: { keys }, text: keysText(keys) };
    },
  });
}

function keysText(keys: readonly KeyRecord[]): string {
  if (keys.length === 0) return 'no keys are noted\n';
  const timeText = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const rows = keys.map(({ id, stream, madeAtMs, expiresAtMs, revokedAtMs }) => [
    id,
    stream,
    timeText(madeAtMs),
    timeText(expiresAtMs),
    revokedAtMs === null ? '' : `revoked ${timeText(revokedAtMs)}`,
  ]);
  return `${tableLines([['KEY', 'STREAM', 'MADE', 'EXPIRES', ''], ...rows], []).join('\n')}\n`;
}

function revokeCommand(tools: UsherTools): Command {
  return defineCommand({
    name: 'revoke',
    summary: 'have every server refuse a key, and let go who publishes with it',
    arguments: { key: 'its id, as `list` has it; or the key itself' },
    options: {
      stream: { value: '<stream>', help: 'of a key itself that the cluster was not told of' },
      ...OPTIONS,
    },
    examples: [
      ['headwater keys revoke 0f2b6c1d9e8a7b3c', 'by its id'],
      ['headwater keys revoke tgrk3s.Zm9vYmFy.Xb9y... --stream alice', 'one that was found somewhere'],
    ],
    async run(given) {
      const { key, stream } = given;
      if (!isKeyId(key) && stream !== undefined) await note(tools, given, key, stream);
      const id = isKeyId(key) ? key : keyIdOf(key);
      const url = usherUrl(given.usher, `/api/keys/${id}`);
      const headers = await operator(given, tools.clock);
      const value = await answerOf(url, tools.sendOrder({ method: 'DELETE', url, headers }, TIMEOUT_MS));
      return { value, text: `${id} is revoked\n` };
    },
  });
}
