// `headwater keys`: makes keys to publish with, and tokens to play with and to operate with.

import { type Command, type CommandGroup, defineCommand } from '../../network/command/command.ts';
import { readDurationMs } from '../../network/command/durations.ts';
import { CodedError } from '../../network/errors.ts';
import { isPlaceName, isStreamName, PLACE_NAME_RULE, quoted, STREAM_NAME_RULE } from '../../network/names.ts';
import { SECRET_OPTIONS, sign, type UsherTools } from './ask-usher.ts';

export function keysCommands(tools: UsherTools): CommandGroup {
  return {
    name: 'keys',
    summary: 'keys to publish, tokens to play and to operate',
    commands: [makeCommand(tools)],
  };
}

const PURPOSES = ['publish', 'play', 'operate'] as const;

function makeCommand({ clock }: UsherTools): Command {
  return defineCommand({
    name: 'make',
    summary: 'make a key, signed with the secret of the cluster',
    arguments: {
      purpose: `what it is for: ${PURPOSES.join(', ')}`,
      name: 'of a stream; to operate, of a server',
    },
    options: {
      expires: { value: '<time>', help: 'as 90s, 15m, 12h, 30d', default: '30d' },
      ...SECRET_OPTIONS,
    },
    examples: [
      ['headwater keys make publish alice', 'push to rtmp://<server>/live/alice?key=<key>'],
      ['headwater keys make play alice --expires 12h', 'watch with ?token=<token>'],
      ['headwater keys make operate ams-1 --expires 1h', 'have it emptied over HTTP'],
    ],
    async run(given) {
      const grant = { ...asked(given.purpose, given.name), session: '' };
      const expiresAtMs = clock.now() + readDurationMs(given.expires);
      const key = await sign(given, { ...grant, expiresAtMs });
      const { purpose, stream: name } = grant;
      return { value: { key, purpose, name, expiresAtMs }, text: `${key}\n` };
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
  if (known === 'operate' ? isPlaceName(name) : isStreamName(name)) return { purpose: known, stream: name };
  const rule =
    known === 'operate'
      ? `the id of a server is ${PLACE_NAME_RULE}`
      : `a stream's name is ${STREAM_NAME_RULE}`;
  throw new CodedError('bad_usage', `${rule}; got ${quoted(name)}`);
}
