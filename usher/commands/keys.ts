// `headwater keys`: makes keys to publish with, and tokens to play with and to operate with.

import type { Clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { loadSecrets } from '../../network/config/secrets.ts';
import { CodedError } from '../../network/errors.ts';
import { isPlaceName, isStreamName, PLACE_NAME_RULE, quoted, STREAM_NAME_RULE } from '../../network/names.ts';
import { signToken } from '../../network/token.ts';
import { takeOption } from './ask-usher.ts';
import { readDurationMs } from './durations.ts';

export const KEYS_HELP = `  headwater keys publish <stream> [--expires 30d] [flags]
  headwater keys play <stream> [--expires 12h] [flags]
  headwater keys operate <server> [--expires 1h] [flags]
                           signed with the secret that the same flags give the server; time in s, m, h or d`;

const DEFAULT_EXPIRY = '30d';

/** Gives the key. Throws `bad_usage` when purpose, name or time make no sense. `name` is that of a stream or a server. */
export async function makeKey(options: {
  purpose: string | undefined;
  name: string | undefined;
  rest: readonly string[];
  clock: Clock;
}): Promise<string> {
  const { purpose, name = '', clock } = options;
  if (purpose !== 'publish' && purpose !== 'play' && purpose !== 'operate') {
    throw new CodedError(
      'bad_usage',
      `keys are for 'publish', 'play' or 'operate', not for ${quoted(purpose ?? '')}\n\n${KEYS_HELP}`,
    );
  }
  if (purpose !== 'operate' && !isStreamName(name))
    throw new CodedError('bad_usage', `a stream's name is ${STREAM_NAME_RULE}; got ${quoted(name)}`);
  if (purpose === 'operate' && !isPlaceName(name))
    throw new CodedError('bad_usage', `of a server: ${PLACE_NAME_RULE}; got ${quoted(name)}`);
  const { value: expiry = DEFAULT_EXPIRY, rest: flags } = takeOption(options.rest, '--expires');
  const config = readConfig(flags);
  const secrets = await loadSecrets(config.secrets, config.data);
  return signToken(secrets, {
    purpose,
    stream: name,
    expiresAtMs: clock.now() + readDurationMs(expiry),
    session: '',
  });
}
