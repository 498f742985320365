// `headwater status`: asks an usher how the cluster is, and says so as text or JSON.

import { parseArgs } from 'node:util';
import { CodedError } from '../../network/errors.ts';
import type { GetText } from '../../network/http/dial.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { answerOf, JSON_OPTION, readUsage, TIMEOUT_MS, USHER_OPTION, usherUrl } from './ask-usher.ts';
import { statusText } from './status-text.ts';

export const STATUS_HELP = `  headwater status [--usher http://127.0.0.1:8080] [--json]
                           servers, streams and trees of a cluster, as one of its ushers sees them`;

/** About 30 times a cluster of 1,000 servers and 10,000 streams. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Throws `bad_usage`, or `no_answer` when no usher answers there with a snapshot. */
export async function readStatus(args: readonly string[], getText: GetText): Promise<string> {
  const { url, json } = readUsage(STATUS_HELP, () => {
    const options = { usher: USHER_OPTION, json: JSON_OPTION };
    const { values } = parseArgs({ args: [...args], options, strict: true });
    return { url: usherUrl(values.usher, '/api/cluster'), json: values.json };
  });
  const snapshot = snapshotIn(url, await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES)));
  return json ? `${JSON.stringify(snapshot, undefined, 2)}\n` : statusText(snapshot);
}

function snapshotIn(url: string, value: Readonly<Record<string, unknown>>): Snapshot {
  const hasAll =
    ['servers', 'streams'].every((field) => Array.isArray(value[field])) && typeof value.plan === 'object';
  if (hasAll) return value as unknown as Snapshot;
  throw new CodedError('no_answer', `${url} is no usher's: it answers with something else than a cluster`);
}
