// Asks an usher for the whole cluster.

import { CodedError } from '../../network/errors.ts';
import type { GetText } from '../../network/http/dial.ts';
import type { Snapshot } from '../../network/state/state.ts';
import { answerOf, MAX_BYTES, TIMEOUT_MS, usherUrl } from './ask-usher.ts';

/** Throws `bad_usage`, or `no_answer` when no usher answers there with a snapshot. */
export async function askCluster(usher: string, getText: GetText): Promise<Snapshot> {
  const url = usherUrl(usher, '/api/cluster');
  const value = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES));
  const hasAll =
    ['servers', 'streams'].every((field) => Array.isArray(value[field])) && typeof value.plan === 'object';
  if (hasAll) return value as unknown as Snapshot;
  throw new CodedError('no_answer', `${url} is no usher's: it answers with something else than a cluster`);
}
