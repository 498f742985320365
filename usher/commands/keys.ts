// `headwater keys`: makes keys to publish with and tokens to play with.

import type { Clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config.ts';
import { CodedError } from '../../network/errors.ts';
import { isStreamName, quoted, STREAM_NAME_RULE } from '../../network/names.ts';
import { loadSecrets } from '../../network/secrets.ts';
import { signToken } from '../../network/token.ts';
import { readDurationMs } from './durations.ts';

export const KEYS_HELP = `  headwater keys publish <stream> [--expires 30d] [flags]
  headwater keys play <stream> [--expires 12h] [flags]
                           signed with the secret that the same flags give the server; time in s, m, h or d`;

const DEFAULT_EXPIRY = '30d';

/** Gives the key. Throws `bad_usage` when purpose, stream or time make no sense. */
export async function makeKey(options: {
  purpose: string | undefined;
  stream: string | undefined;
  rest: readonly string[];
  clock: Clock;
}): Promise<string> {
  const { purpose, stream, clock } = options;
  if (purpose !== 'publish' && purpose !== 'play') {
    throw new CodedError(
      'bad_usage',
      `keys are for 'publish' or 'play', not for ${quoted(purpose ?? '')}\n\n${KEYS_HELP}`,
    );
  }
  if (stream === undefined || !isStreamName(stream)) {
    throw new CodedError('bad_usage', `a stream's name is ${STREAM_NAME_RULE}; got ${quoted(stream ?? '')}`);
  }
  const { expiry, flags } = takeExpiry(options.rest);
  const config = readConfig(flags);
  const secrets = await loadSecrets(config.secrets, config.data);
  return signToken(secrets, {
    purpose,
    stream,
    expiresAtMs: clock.now() + readDurationMs(expiry),
    session: '',
  });
}

function takeExpiry(rest: readonly string[]): { expiry: string; flags: string[] } {
  const at = rest.indexOf('--expires');
  if (at < 0) return { expiry: DEFAULT_EXPIRY, flags: [...rest] };
  return { expiry: rest[at + 1] ?? '', flags: rest.toSpliced(at, 2) };
}
