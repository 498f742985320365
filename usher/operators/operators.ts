// Who may see and steer the cluster: an operator signed in on this browser, or whoever brings a token.

import type { Clock } from '../../network/clock.ts';
import { redirect, sendProblem } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import { signToken, verifyToken } from '../../network/token.ts';
import { cookieIn, setCookie } from './cookies.ts';
import { isOwnPages } from './request-origin.ts';
import { seal, unseal } from './sealed.ts';

export interface Operator {
  /** As it is shown: an address of mail, or `admin` with a token. */
  readonly name: string;
  readonly expiresAtMs: number;
}

export interface OperatorsOptions {
  readonly secrets: readonly string[];
  readonly clock: Clock;
  /** How long somebody stays signed in. */
  readonly sessionMs: number;
  /** Where operators reach usher from outside, without a slash at the end; undefined: as they ask. */
  readonly url?: string | undefined;
}

type Verdict =
  | { readonly kind: 'operator'; readonly operator: Operator }
  | { readonly kind: 'refused'; readonly status: 401 | 403; readonly reason: string };

/** The scope of a token that is good for all that operators do; it can't be the name of a server. */
export const EVERYTHING = '*';
const COOKIE = 'headwater_operator';
/** Of usher's API, for commands and scripts. */
const BEARER = /^Bearer (\S+)$/i;
const READS = ['GET', 'HEAD'];

export class Operators {
  readonly #options: OperatorsOptions;

  constructor(options: OperatorsOptions) {
    this.#options = options;
  }

  /** Undefined when it has been answered that this one may not. A token for `scope` alone, as the id of a server, will do. */
  admit(exchange: Exchange, scope = EVERYTHING): Operator | undefined {
    const verdict = this.#judge(exchange, scope);
    if (verdict.kind === 'operator') return verdict.operator;
    const { status, reason } = verdict;
    if (status === 401) exchange.response.setHeader('WWW-Authenticate', 'Bearer');
    sendProblem(exchange, status, status === 401 ? 'Unauthorized' : 'Forbidden', reason);
    return undefined;
  }

  /** Of a page: whoever is not signed in is sent to do that first. */
  admitToPage(exchange: Exchange): Operator | undefined {
    const verdict = this.#judge(exchange, EVERYTHING);
    if (verdict.kind === 'operator') return verdict.operator;
    const next = exchange.request.url ?? '';
    redirect(exchange, 302, `/console/sign-in?next=${encodeURIComponent(next)}`);
    return undefined;
  }

  /** What a token of the cluster's secret is good for: the operator that it makes of whoever has it. */
  ofToken(token: string, scope = EVERYTHING): Verdict {
    const { secrets, clock } = this.#options;
    const reasons: string[] = [];
    for (const stream of new Set([scope, EVERYTHING])) {
      const verdict = verifyToken(secrets, token, { purpose: 'operate', stream, nowMs: clock.now() });
      if (verdict.kind === 'refused') reasons.push(verdict.reason);
      else return { kind: 'operator', operator: { name: 'admin', expiresAtMs: verdict.grant.expiresAtMs } };
    }
    return { kind: 'refused', status: 401, reason: reasons[0]! };
  }

  /** A token for everything. */
  tokenUntil(expiresAtMs: number): string {
    const { secrets } = this.#options;
    return signToken(secrets, { purpose: 'operate', stream: EVERYTHING, expiresAtMs, session: '' });
  }

  /** Signs somebody in on this browser, for no longer than `atMostMs` from now. */
  signIn(exchange: Exchange, name: string, atMostMs = Number.POSITIVE_INFINITY): void {
    const { secrets, clock, sessionMs } = this.#options;
    const forMs = Math.min(sessionMs, atMostMs);
    const value = seal(secrets, 'operator', name, clock.now() + forMs);
    const operator = { name: COOKIE, value, path: '/', maxAgeS: Math.floor(forMs / 1000) };
    addCookie(exchange, setCookie({ ...operator, isSecure: this.isSecure(exchange) }));
  }

  signOut(exchange: Exchange): void {
    const nobody = { name: COOKIE, value: '', path: '/', maxAgeS: 0 };
    addCookie(exchange, setCookie({ ...nobody, isSecure: this.isSecure(exchange) }));
  }

  /** Whether the browser speaks TLS, with usher or with a proxy before it. */
  isSecure({ request }: Exchange): boolean {
    const { url } = this.#options;
    if (url !== undefined) return url.startsWith('https:');
    return 'encrypted' in request.socket || request.headers['x-forwarded-proto'] === 'https';
  }

  #judge(exchange: Exchange, scope: string): Verdict {
    const { headers, method = '' } = exchange.request;
    const [, token] = BEARER.exec(headers.authorization ?? '') ?? [];
    if (token !== undefined) {
      const verdict = this.ofToken(token, scope);
      return verdict.kind === 'operator' ? verdict : { ...verdict, reason: `${verdict.reason}: ${HINT}` };
    }
    const operator = this.#ofCookie(cookieIn(headers.cookie, COOKIE));
    if (!operator)
      return { kind: 'refused', status: 401, reason: `nobody is signed in on this browser, and ${HINT}` };
    if (READS.includes(method) || isOwnPages(headers)) return { kind: 'operator', operator };
    const reason = 'the request comes from another page than those of the console';
    return { kind: 'refused', status: 403, reason };
  }

  #ofCookie(sealed: string): Operator | undefined {
    const { secrets, clock } = this.#options;
    const found = unseal(secrets, 'operator', sealed, clock.now());
    if (!found) return undefined;
    const { value, expiresAtMs } = found;
    return typeof value === 'string' ? { name: value, expiresAtMs } : undefined;
  }
}

const HINT = 'Authorization: Bearer <token> takes one of `headwater keys make operate <server>`';

export function addCookie({ response }: Exchange, cookie: string): void {
  response.appendHeader('Set-Cookie', cookie);
}
