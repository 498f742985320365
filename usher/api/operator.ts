// Who may operate: who holds the cluster's secret, and says what for.

import type { Clock } from '../../network/clock.ts';
import { type Exchange, sendProblem } from '../../network/http/http.ts';
import { verifyToken } from '../../network/token.ts';

export interface OperatorOptions {
  readonly clock: Clock;
  readonly secrets: readonly string[];
}

/** Whether the request brings a token to operate what `name` names; if not, it has been answered. `hint` says who makes one. */
export function mayOperate(
  { secrets, clock }: OperatorOptions,
  exchange: Exchange,
  name: string,
  hint: string,
): boolean {
  const [, token = ''] = /^Bearer (\S+)$/i.exec(exchange.request.headers.authorization ?? '') ?? [];
  const verdict = verifyToken(secrets, token, { purpose: 'operate', stream: name, nowMs: clock.now() });
  if (verdict.kind === 'valid') return true;
  exchange.response.setHeader('WWW-Authenticate', 'Bearer');
  sendProblem(exchange, 401, 'Unauthorized', `${verdict.reason}: Authorization: Bearer <token>; ${hint}`);
  return false;
}
