// Signing in at a provider of OpenID Connect: there and back, with what only this browser knows in a cookie.

import type { Clock } from '../../network/clock.ts';
import { CodedError } from '../../network/errors.ts';
import { redirect } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Logger } from '../../network/logger.ts';
import { type Allowed, admissionOf } from './allowed.ts';
import { cookieIn, setCookie } from './cookies.ts';
import type { Challenge, Oidc } from './oidc.ts';
import { addCookie, type Operators } from './operators.ts';
import { safeNext } from './request-origin.ts';
import { seal, unseal } from './sealed.ts';

export interface ProviderOptions {
  readonly oidc: Oidc;
  readonly allowed: Allowed;
  readonly operators: Operators;
  readonly secrets: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Attempt {
  readonly challenge: Challenge;
  readonly next: string;
}

const COOKIE = 'headwater_sign_in';
const PATH = '/console/sign-in';
/** To type a password, and a second factor. */
const ATTEMPT_MS = 600_000;

/** Whichever usher the browser comes back to can end what another began: all there is of it is in the cookie. */
export class Provider {
  readonly #options: ProviderOptions;

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  async begin(exchange: Exchange): Promise<void> {
    const { oidc, secrets, clock } = this.#options;
    const { url, challenge } = await oidc.begin();
    const attempt: Attempt = { challenge, next: safeNext(exchange.query.get('next')) };
    this.#keep(exchange, seal(secrets, 'sign-in', attempt, clock.now() + ATTEMPT_MS), ATTEMPT_MS);
    redirect(exchange, 302, url.href);
  }

  async end(exchange: Exchange): Promise<void> {
    const { oidc, allowed, operators, logger } = this.#options;
    const { challenge, next } = this.#attempt(exchange);
    // It is good for one try.
    this.#keep(exchange, '', 0);
    const admission = admissionOf(await oidc.end(exchange.query, challenge), allowed);
    if (admission.kind === 'refused') throw new CodedError('not_allowed', admission.reason);
    operators.signIn(exchange, admission.name);
    logger.info({ operator: admission.name, by: 'oidc' }, 'an operator signed in');
    redirect(exchange, 302, next);
  }

  #attempt({ request }: Exchange): Attempt {
    const { secrets, clock } = this.#options;
    const sealed = cookieIn(request.headers.cookie, COOKIE);
    const found = unseal(secrets, 'sign-in', sealed, clock.now());
    if (found) return found.value as Attempt;
    const why = 'it was not begun on this browser within ten minutes: sign in again';
    throw new CodedError('bad_sign_in', `this sign-in can't be ended, ${why}`);
  }

  #keep(exchange: Exchange, value: string, forMs: number): void {
    const isSecure = this.#options.operators.isSecure(exchange);
    const maxAgeS = Math.floor(forMs / 1000);
    addCookie(exchange, setCookie({ name: COOKIE, value, path: PATH, maxAgeS, isSecure }));
  }
}
