// `headwater status`: asks an usher how the cluster is, and says so as text or JSON.

import { parseArgs } from 'node:util';
import type { GetText } from '../../network/dial.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import { quoted } from '../../network/names.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { statusText } from './status-text.ts';

export const STATUS_HELP = `  headwater status [--usher http://127.0.0.1:8080] [--json]
                           servers, streams and trees of a cluster, as one of its ushers sees them`;

const DEFAULT_USHER = 'http://127.0.0.1:8080';
const TIMEOUT_MS = 10_000;
/** About 30 times a cluster of 1,000 servers and 10,000 streams. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Throws `bad_usage`, or `no_status` when no usher answers there with a snapshot. */
export async function readStatus(args: readonly string[], getText: GetText): Promise<string> {
  const { usher, json } = readArgs(args);
  const url = new URL('/api/cluster', usher).href;
  const answer = await getText(url, TIMEOUT_MS, MAX_BYTES).catch((error: unknown) => {
    throw new CodedError('no_status', `no answer from ${url}: ${reasonOf(error)}`, { cause: error });
  });
  const snapshot = readSnapshot(url, answer);
  return json ? `${JSON.stringify(snapshot, undefined, 2)}\n` : statusText(snapshot);
}

function readArgs(args: readonly string[]): { usher: string; json: boolean } {
  const options = {
    usher: { type: 'string', default: DEFAULT_USHER },
    json: { type: 'boolean', default: false },
  } as const;
  try {
    const { usher, json } = parseArgs({ args: [...args], options, strict: true }).values;
    if (/^https?:$/.test(URL.parse(usher)?.protocol ?? '')) return { usher, json };
    throw new Error(`an usher's URL is http://<host>:<port>; got ${quoted(usher)}`);
  } catch (error) {
    throw new CodedError('bad_usage', `${reasonOf(error)}\n\n${STATUS_HELP}`, { cause: error });
  }
}

function readSnapshot(url: string, { status, text }: { status: number; text: string }): Snapshot {
  const value = parse(text);
  const hasAll =
    ['servers', 'streams'].every((field) => Array.isArray(value?.[field])) &&
    typeof value?.['plan'] === 'object';
  if (status === 200 && hasAll) return value as unknown as Snapshot;
  const detail = typeof value?.['detail'] === 'string' ? value['detail'] : quoted(text);
  throw new CodedError(
    'no_status',
    `${url} is no usher's, or the cluster state is away: status ${status}, ${detail}`,
  );
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
