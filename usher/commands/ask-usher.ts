// What commands that ask an usher have in common: where it is, with what they sign, and how a refusal is told.

import type { Clock } from '../../network/clock.ts';
import type { Options } from '../../network/command/command.ts';
import { sign } from '../../network/command/signing.ts';
import type { Flags } from '../../network/config/options.ts';
import { CodedError, reasonOf } from '../../network/errors.ts';
import type { Answer, GetText, SendOrder } from '../../network/http/dial.ts';
import { quoted } from '../../network/names.ts';
import type { Grant } from '../../network/token.ts';
import { EVERYTHING } from '../operators/operators.ts';

/** What commands have of the world. */
export interface UsherTools {
  readonly getText: GetText;
  readonly sendOrder: SendOrder;
  readonly clock: Clock;
}

export const USHER_OPTIONS = {
  usher: { value: '<url>', help: 'one of the cluster’s ushers', default: 'http://127.0.0.1:8080' },
} as const satisfies Options;

/** What commands that only read have of the world. */
export type Reading = Pick<UsherTools, 'getText' | 'clock'>;

/** Which usher, and where the secret is that it knows operators by. */
export type GivenUsher = Pick<Flags, 'config' | 'data'> & { readonly usher: string };

export const TIMEOUT_MS = 10_000;
/** About 30 times a cluster of 1,000 servers and 10,000 streams. */
export const MAX_BYTES = 256 * 1024 * 1024;

/** Where a path is at an usher. Throws `bad_usage` when that is no usher's URL. */
export function usherUrl(usher: string, path: string): string {
  if (/^https?:$/.test(URL.parse(usher)?.protocol ?? '')) return new URL(path, usher).href;
  throw new CodedError('bad_usage', `an usher's URL is http://<host>:<port>; got ${quoted(usher)}`);
}

/** The order is for now. */
const ORDER_MS = 60_000;

/** The head of a request that only an operator may make, for what `stream` names. */
export async function signed(
  flags: Pick<Flags, 'config' | 'data'>,
  grant: Pick<Grant, 'purpose' | 'stream'>,
  clock: Clock,
): Promise<{ readonly Authorization: string }> {
  const token = await sign(flags, { ...grant, expiresAtMs: clock.now() + ORDER_MS, session: '' });
  return { Authorization: `Bearer ${token}` };
}

/** Of who may see and do everything. */
export function asOperator(given: GivenUsher, clock: Clock): Promise<{ readonly Authorization: string }> {
  return signed(given, { purpose: 'operate', stream: EVERYTHING }, clock);
}

/**
 * The JSON that is answered with 2xx. Throws `no_answer` when nobody answers, or with what the usher says is wrong; `not_found`
 * when that is that there is no such thing.
 */
export async function answerOf(
  url: string,
  asked: Promise<Answer>,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await asked.catch((error: unknown) => {
    throw new CodedError('no_answer', `no answer from ${url}: ${reasonOf(error)}`, { cause: error });
  });
  const value = parse(text);
  if (status >= 200 && status < 300 && value) return value;
  const detail = typeof value?.detail === 'string' ? value.detail : quoted(text);
  const isMissing = status === 404 && value !== undefined;
  throw new CodedError(
    isMissing ? 'not_found' : 'no_answer',
    isMissing ? detail : `${url} answers with status ${status}: ${detail}`,
  );
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
