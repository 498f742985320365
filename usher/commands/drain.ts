// `headwater drain` and `undrain`: has an usher empty a server before work on it, or use it again.

import type { Clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { loadSecrets } from '../../network/config/secrets.ts';
import type { SendOrder } from '../../network/http/dial.ts';
import { isPlaceName, quoted } from '../../network/names.ts';
import { signToken } from '../../network/token.ts';
import { answerOf, readUsage, TIMEOUT_MS, takeOption, USHER_OPTION, usherUrl } from './ask-usher.ts';
import { durationText, readDurationMs } from './durations.ts';

export const DRAIN_HELP = `  headwater drain <server> [--deadline 2h] [--usher http://127.0.0.1:8080] [flags]
  headwater undrain <server> [--usher http://127.0.0.1:8080] [flags]
                           empty a server: no new viewers, those that watch move on, broadcasts stay until they end or
                           the deadline; with the secret that the same flags give the usher`;

/** The order is for now. */
const TOKEN_MS = 60_000;

export interface DrainTools {
  readonly sendOrder: SendOrder;
  readonly clock: Clock;
}

/** Returns what to print. Throws `bad_usage`, or `no_answer` with what the usher says is wrong. */
export async function orderDrain(
  command: 'drain' | 'undrain',
  args: readonly string[],
  { sendOrder, clock }: DrainTools,
): Promise<string> {
  const { server, url, deadlineMs, flags } = readUsage(DRAIN_HELP, () => readArgs(command, args));
  const config = readConfig(flags);
  const secrets = await loadSecrets(config.secrets, config.data);
  const expiresAtMs = clock.now() + TOKEN_MS;
  const token = signToken(secrets, { purpose: 'operate', stream: server, expiresAtMs, session: '' });
  const headers = { Authorization: `Bearer ${token}` };
  if (command === 'undrain') {
    await answerOf(url, sendOrder({ method: 'DELETE', url, headers }, TIMEOUT_MS));
    return `${server} takes viewers again\n`;
  }
  const value = deadlineMs === undefined ? {} : { deadlineS: deadlineMs / 1000 };
  await answerOf(url, sendOrder({ method: 'POST', url, headers, value }, TIMEOUT_MS));
  const end = deadlineMs === undefined ? 'until they end' : `for ${durationText(deadlineMs)} at most`;
  return `${server} is being emptied; its broadcasts stay ${end}. \`headwater status\` says what is left\n`;
}

interface Args {
  readonly server: string;
  readonly url: string;
  readonly deadlineMs: number | undefined;
  /** What is left is the configuration's. */
  readonly flags: readonly string[];
}

function readArgs(command: 'drain' | 'undrain', args: readonly string[]): Args {
  const [server = '', ...rest] = args;
  if (server.startsWith('-') || !isPlaceName(server))
    throw new Error(`${command} takes the id of a server; got ${quoted(server)}`);
  const usher = takeOption(rest, '--usher');
  const deadline = takeOption(usher.rest, '--deadline');
  if (command === 'undrain' && deadline.value !== undefined) throw new Error('undrain has no deadline');
  return {
    server,
    url: usherUrl(usher.value ?? USHER_OPTION.default, `/api/servers/${server}/drain`),
    deadlineMs: deadline.value === undefined ? undefined : readDurationMs(deadline.value),
    flags: deadline.rest,
  };
}
