// Servers as operators handle them: emptied before work on them, and put back to use. Who operates one alone may do so by its token.

import type { Clock } from '../../network/clock.ts';
import { z } from '../../network/config/yaml.ts';
import { CodedError } from '../../network/errors.ts';
import { sendJson, sendProblem } from '../../network/http/answers.ts';
import { readText } from '../../network/http/body.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { quoted } from '../../network/names.ts';
import type { ClusterState, Drain } from '../../network/state/state.ts';
import type { Operators } from '../operators/operators.ts';

export interface ServerOptions {
  readonly state: Pick<ClusterState, 'drain'>;
  readonly clock: Clock;
  readonly operators: Operators;
}

const DRAIN = /^\/api\/servers\/(?<server>[^/]+)\/drain$/;
const MAX_BODY_BYTES = 1_024;
/** A drain may end broadcasts a month later. */
const MAX_DEADLINE_S = 31 * 86_400;
/** How a server is to be emptied. */
export const DRAIN_ORDER = z.strictObject({ deadlineS: z.number().min(0).max(MAX_DEADLINE_S).optional() });

export function serverRoutes(options: ServerOptions): Route[] {
  return [
    { kind: 'drain', method: 'POST', pattern: DRAIN, handle: (exchange) => drain(options, exchange) },
    { kind: 'drain', method: 'DELETE', pattern: DRAIN, handle: (exchange) => undrain(options, exchange) },
  ];
}

async function drain(options: ServerOptions, exchange: Exchange): Promise<void> {
  if (!options.operators.admit(exchange, exchange.params.server!)) return;
  const text = await readText(exchange, MAX_BODY_BYTES);
  if (text === undefined) return;
  const deadlineS = readDeadlineS(text);
  if (deadlineS === 'bad') {
    const detail = `the body is nothing or {"deadlineS": <seconds, at most ${MAX_DEADLINE_S}>}; got ${quoted(text)}`;
    sendProblem(exchange, 400, 'Bad Request', detail);
    return;
  }
  const sinceMs = options.clock.now();
  const deadlineMs = deadlineS === undefined ? null : sinceMs + deadlineS * 1000;
  await wish(options, exchange, { sinceMs, deadlineMs });
}

async function undrain(options: ServerOptions, exchange: Exchange): Promise<void> {
  if (options.operators.admit(exchange, exchange.params.server!)) await wish(options, exchange, null);
}

async function wish({ state }: ServerOptions, exchange: Exchange, drain: Drain | null): Promise<void> {
  const server = exchange.params.server!;
  try {
    await state.drain(server, drain);
  } catch (error) {
    if (!(error instanceof CodedError && error.code === 'unknown_server')) throw error;
    sendProblem(exchange, 404, 'Not Found', `no server ${quoted(server)} is known`);
    return;
  }
  sendJson(exchange, { server, drain });
}

function readDeadlineS(text: string): number | undefined | 'bad' {
  if (text === '') return undefined;
  try {
    const order = DRAIN_ORDER.safeParse(JSON.parse(text));
    return order.success ? order.data.deadlineS : 'bad';
  } catch {
    return 'bad';
  }
}
