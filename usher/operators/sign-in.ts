// Signing in: the page, with a token or at a provider of OpenID Connect, and signing out.

import { readFileSync } from 'node:fs';
import type { Clock } from '../../network/clock.ts';
import { CodedError } from '../../network/errors.ts';
import { redirect, send, sendProblem } from '../../network/http/answers.ts';
import { readText } from '../../network/http/body.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import type { Logger } from '../../network/logger.ts';
import { fill } from '../pages/html.ts';
import type { Allowed } from './allowed.ts';
import type { Oidc } from './oidc.ts';
import type { Operators } from './operators.ts';
import { Provider } from './provider.ts';
import { isOwnPages, safeNext } from './request-origin.ts';

export interface SignInOptions {
  readonly operators: Operators;
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: tokens alone. */
  readonly provider?: { readonly oidc: Oidc; readonly name: string; readonly allowed: Allowed } | undefined;
  /** Where the administrator's token lies, as the page says it; undefined: commands make them. */
  readonly tokenFile?: string | undefined;
}

const PATH = '/console/sign-in';
const PAGE = readFileSync(new URL('sign-in.html', import.meta.url), 'utf8');
const MAX_BODY_BYTES = 4_096;
/** Nothing runs here, nobody frames it, and what is typed goes nowhere else. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export function signInRoutes(options: SignInOptions): Route[] {
  const page = new SignIn(options);
  const provider = options.provider && new Provider({ ...options, ...options.provider });
  const atProvider = (handle: (provider: Provider, exchange: Exchange) => Promise<void>) => ({
    kind: 'sign-in',
    method: 'GET' as const,
    handle: (exchange: Exchange) =>
      provider ? page.tell(exchange, () => handle(provider, exchange)) : nowhere(exchange),
  });
  return [
    {
      kind: 'sign-in',
      method: 'GET',
      pattern: /^\/console\/sign-in$/,
      handle: (exchange) => page.show(exchange, 200),
    },
    {
      kind: 'sign-in',
      method: 'POST',
      pattern: /^\/console\/sign-in$/,
      handle: (exchange) => page.take(exchange),
    },
    {
      kind: 'sign-in',
      method: 'POST',
      pattern: /^\/console\/sign-out$/,
      handle: (exchange) => page.signOut(exchange),
    },
    {
      ...atProvider((known, exchange) => known.begin(exchange)),
      pattern: /^\/console\/sign-in\/provider$/,
    },
    {
      ...atProvider((known, exchange) => known.end(exchange)),
      pattern: /^\/console\/sign-in\/callback$/,
    },
  ];
}

class SignIn {
  readonly #options: SignInOptions;

  constructor(options: SignInOptions) {
    this.#options = options;
  }

  show(exchange: Exchange, status: number, problem = '', next = exchange.query.get('next')): void {
    const { provider, tokenFile } = this.#options;
    const where = safeNext(next);
    const page = fill(PAGE, {
      problem,
      provider: provider?.name ?? '',
      next: where,
      nextQuery: encodeURIComponent(where),
      whereToken: tokenFile
        ? `It lies in ${tokenFile} on the machine that runs this.`
        : '`headwater keys` makes one with the secret of the cluster.',
    });
    const { response } = exchange;
    response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Referrer-Policy', 'no-referrer');
    send(exchange, status, 'text/html; charset=utf-8', page, 'no-store');
  }

  async take(exchange: Exchange): Promise<void> {
    const { operators, clock, logger } = this.#options;
    if (!this.#isOwn(exchange)) return;
    const text = await readText(exchange, MAX_BODY_BYTES);
    if (text === undefined) return;
    const form = new URLSearchParams(text);
    const verdict = operators.ofToken(form.get('token')?.trim() ?? '');
    if (verdict.kind === 'refused') {
      this.show(exchange, 403, verdict.reason, form.get('next'));
      return;
    }
    const { name, expiresAtMs } = verdict.operator;
    operators.signIn(exchange, name, expiresAtMs - clock.now());
    logger.info({ operator: name, by: 'token' }, 'an operator signed in');
    redirect(exchange, 303, safeNext(form.get('next')));
  }

  signOut(exchange: Exchange): void {
    if (!this.#isOwn(exchange)) return;
    this.#options.operators.signOut(exchange);
    redirect(exchange, 303, PATH);
  }

  /** What goes wrong at the provider is told on the page, and is in the log. */
  async tell(exchange: Exchange, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const { code, message } = error;
      this.#options.logger.warn({ code, reason: message }, 'nobody was signed in');
      this.show(exchange, code === 'no_provider' ? 502 : 403, message, null);
    }
  }

  /** Another site's page could sign a browser in as somebody, or out. False: it was answered. */
  #isOwn(exchange: Exchange): boolean {
    if (isOwnPages(exchange.request.headers)) return true;
    sendProblem(exchange, 403, 'Forbidden', 'this is sent by a page of the console alone');
    return false;
  }
}

function nowhere(exchange: Exchange): void {
  sendProblem(exchange, 404, 'Not Found', 'no provider is configured: see `operators.oidc`');
}
