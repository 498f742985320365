// Asks an usher for the whole cluster.

import { CodedError } from '../../../network/errors.ts';
import type { Snapshot } from '../../../network/state/state.ts';
import {
  answerOf,
  asOperator,
  type GivenUsher,
  MAX_BYTES,
  type Reading,
  TIMEOUT_MS,
  usherUrl,
} from '../ask-usher.ts';

/** Throws `bad_usage`, or `no_answer` when no usher answers there with a snapshot. */
export async function askCluster(given: GivenUsher, { getText, clock }: Reading): Promise<Snapshot> {
  const url = usherUrl(given.usher, '/api/cluster');
  const value = await answerOf(url, getText(url, TIMEOUT_MS, MAX_BYTES, await asOperator(given, clock)));
  const hasAll =
    ['servers', 'streams'].every((field) => Array.isArray(value[field])) && typeof value.plan === 'object';
  if (hasAll) return value as unknown as Snapshot;
  throw new CodedError('no_answer', `${url} is no usher's: it answers with something else than a cluster`);
}
