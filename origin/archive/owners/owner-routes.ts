// What the owners of streams want of recordings that lie here, as usher passes it on: clips, titles, keeping, deletion.

import { streamOf } from '../../../network/archive/catalogue.ts';
import type { Manifest } from '../../../network/archive/manifest.ts';
import { CLIP_ORDER, SAID_ORDER } from '../../../network/archive/orders.ts';
import type { Clock } from '../../../network/clock.ts';
import type { z } from '../../../network/config/yaml.ts';
import { CodedError } from '../../../network/errors.ts';
import { sendJson, sendProblem } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import { quoted } from '../../../network/names.ts';
import { verifyToken } from '../../../network/token.ts';
import type { Archive } from '../archive.ts';

export interface OwnerOptions {
  readonly archive: Pick<Archive, 'stock' | 'clips' | 'isGrowing'>;
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

const RECORDING = '^/recordings/(?<token>[^/]+)/(?<recording>[^/]+)';
const MAX_BODY_BYTES = 4_096;

type Handle = (options: OwnerOptions, exchange: Exchange, recording: string) => Promise<void>;

export function ownerRoutes(options: OwnerOptions): Route[] {
  const route = (method: Route['method'], path: string, handle: Handle): Route => ({
    kind: 'recordings',
    method,
    pattern: new RegExp(`${RECORDING}${path}$`),
    handle: (exchange) => answer(options, exchange, handle),
  });
  return [route('POST', '/clips', cutClip), route('PATCH', '', say), route('DELETE', '', remove)];
}

async function cutClip({ archive }: OwnerOptions, exchange: Exchange, recording: string): Promise<void> {
  const order = await readOrder(exchange, CLIP_ORDER);
  if (!order) return;
  const range =
    'last' in order
      ? ({ kind: 'last', lastS: order.last } as const)
      : ({ kind: 'between', fromS: order.from, toS: order.to } as const);
  sendJson(exchange, await archive.clips.cut(recording, range, order.title ?? ''));
}

async function say({ archive }: OwnerOptions, exchange: Exchange, recording: string): Promise<void> {
  const order = await readOrder(exchange, SAID_ORDER);
  if (!order) return;
  const { title: said, isKept } = order;
  const manifest: Manifest | undefined = await archive.stock.say(recording, {
    ...(said === undefined ? {} : { title: said }),
    ...(isKept === undefined ? {} : { isKept }),
  });
  if (!manifest) throw new CodedError('no_recording', `there is no recording ${quoted(recording)}`);
  sendJson(exchange, manifest);
}

async function remove({ archive }: OwnerOptions, exchange: Exchange, recording: string): Promise<void> {
  if (archive.isGrowing(recording))
    return sendProblem(exchange, 409, 'Conflict', `${quoted(recording)} is being recorded`);
  await archive.stock.remove(recording);
  sendJson(exchange, {});
}

const STATUSES: Readonly<Record<string, readonly [status: number, title: string]>> = {
  no_recording: [404, 'Not Found'],
  bad_range: [400, 'Bad Request'],
  no_room: [507, 'Insufficient Storage'],
  storage_refused: [503, 'Service Unavailable'],
  storage_unavailable: [503, 'Service Unavailable'],
  state_unavailable: [503, 'Service Unavailable'],
};

async function answer(options: OwnerOptions, exchange: Exchange, handle: Handle): Promise<void> {
  const { token = '', recording = '' } = exchange.params;
  const { secrets, clock } = options;
  const wanted = { purpose: 'own', stream: streamOf(recording), nowMs: clock.now() } as const;
  const verdict = verifyToken(secrets, token, wanted);
  if (verdict.kind === 'refused') return sendProblem(exchange, 403, 'Forbidden', verdict.reason);
  try {
    await handle(options, exchange, recording);
  } catch (error) {
    const known = error instanceof CodedError ? STATUSES[error.code] : undefined;
    if (!known) throw error;
    sendProblem(exchange, ...known, (error as CodedError).message);
  }
}

/** Undefined when it has been answered that the body makes no sense. */
async function readOrder<Schema extends z.ZodType>(
  exchange: Exchange,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readText(exchange, MAX_BODY_BYTES);
  if (text === undefined) return undefined;
  const order = schema.safeParse(parse(text));
  if (order.success) return order.data;
  const problems = order.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  sendProblem(exchange, 400, 'Bad Request', `${problems} (got ${quoted(text)})`);
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
