// Keys to publish as operators handle them: which were made, and which are revoked.

import type { Clock } from '../../network/clock.ts';
import { z } from '../../network/config/yaml.ts';
import { CodedError } from '../../network/errors.ts';
import { sendJson, sendProblem } from '../../network/http/answers.ts';
import { readText } from '../../network/http/body.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { KEY_ID, KEYS_SCOPE, type KeyBook, type KeyRecord } from '../../network/keys/keybook.ts';
import { quoted, STREAM_NAME } from '../../network/names.ts';
import type { Operators } from '../operators/operators.ts';

export interface KeyOptions {
  readonly operators: Operators;
  readonly clock: Clock;
  readonly keyBook: KeyBook;
}

const ALL = /^\/api\/keys$/;
const ONE = /^\/api\/keys\/(?<key>[^/]+)$/;
const MAX_BODY_BYTES = 1_024;
/** What is told of a key, which itself is told to nobody. */
export const KEY_NOTE = z.strictObject({
  id: z.string().regex(KEY_ID),
  stream: z.string().regex(STREAM_NAME),
  expiresAtMs: z.number().positive(),
});

export function keyRoutes(options: KeyOptions): Route[] {
  return [
    { kind: 'keys', method: 'GET', pattern: ALL, handle: (exchange) => list(options, exchange) },
    { kind: 'keys', method: 'POST', pattern: ALL, handle: (exchange) => note(options, exchange) },
    { kind: 'keys', method: 'DELETE', pattern: ONE, handle: (exchange) => revoke(options, exchange) },
  ];
}

async function list(options: KeyOptions, exchange: Exchange): Promise<void> {
  if (!options.operators.admit(exchange, KEYS_SCOPE)) return;
  sendJson(exchange, { keys: await options.keyBook.list() });
}

/** What is noted of a key already stays: a revoked one is not good again. */
async function note(options: KeyOptions, exchange: Exchange): Promise<void> {
  if (!options.operators.admit(exchange, KEYS_SCOPE)) return;
  const { clock, keyBook } = options;
  const text = await readText(exchange, MAX_BODY_BYTES);
  if (text === undefined) return;
  const wanted = readNote(text);
  if (!wanted) {
    const detail = `the body is {"id", "stream", "expiresAtMs"} of a key; got ${quoted(text)}`;
    sendProblem(exchange, 400, 'Bad Request', detail);
    return;
  }
  const known = (await keyBook.list()).find(({ id }) => id === wanted.id);
  const record = known ?? { ...wanted, madeAtMs: clock.now(), revokedAtMs: null };
  if (known || (await write(keyBook, record, exchange))) sendJson(exchange, record);
}

async function revoke(options: KeyOptions, exchange: Exchange): Promise<void> {
  if (!options.operators.admit(exchange, KEYS_SCOPE)) return;
  const { clock, keyBook } = options;
  const key = exchange.params.key!;
  const known = (await keyBook.list()).find(({ id }) => id === key);
  if (!known) {
    sendProblem(exchange, 404, 'Not Found', `no key ${quoted(key)} is known`);
    return;
  }
  const record = { ...known, revokedAtMs: known.revokedAtMs ?? clock.now() };
  if (await write(keyBook, record, exchange)) sendJson(exchange, record);
}

async function write(keyBook: KeyBook, record: KeyRecord, exchange: Exchange): Promise<boolean> {
  try {
    await keyBook.note(record);
    return true;
  } catch (error) {
    if (!(error instanceof CodedError && error.code === 'too_many_keys')) throw error;
    sendProblem(exchange, 507, 'Insufficient Storage', error.message);
    return false;
  }
}

function readNote(text: string): z.output<typeof KEY_NOTE> | undefined {
  try {
    return KEY_NOTE.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
