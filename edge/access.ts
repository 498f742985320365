// Access: who may watch. Every address under /play/ carries a token in its path, so that relative addresses carry it too.

import type { Clock } from '../network/clock.ts';
import { sendProblem } from '../network/http/answers.ts';
import type { Exchange } from '../network/http/exchange.ts';
import { isStreamName, quoted, STREAM_NAME_RULE } from '../network/names.ts';
import { readSession } from '../network/session.ts';
import { type Verdict, verifyToken } from '../network/token.ts';
import { type Refusal, sharedSession, type Watcher } from './sessions/session.ts';

export interface Viewer extends Watcher {
  /** When the token expires. An answer that has a length and has begun by then goes on to its end. */
  readonly expiresAtMs: number;
}

/** Returns who asks, or undefined when it has already answered that they may not. */
export type Authorise = (exchange: Exchange) => Viewer | undefined;

export interface AccessOptions {
  /** The first signs; a second one is still accepted while a cluster changes its secret. */
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** Reads `token`, `stream` and `rendition` from the route's pattern. */
export function createAccess(options: AccessOptions): Authorise {
  const { clock, secrets } = options;
  const verify = rememberingVerifier(secrets);
  return (exchange) => {
    const { token = '', stream = '', rendition = '' } = exchange.params;
    const verdict = verify(token, stream, clock.now());
    if (verdict.kind === 'refused') {
      if (isStreamName(stream)) sendProblem(exchange, 403, 'Forbidden', verdict.reason);
      else sendProblem(exchange, 404, 'Not Found', nameless(stream));
      return undefined;
    }
    const { expiresAtMs, session: own } = verdict.grant;
    const session = own || sessionOf(exchange);
    exchange.subject = own ? verdict.subject : subjectOf(stream, session);
    return { session, stream, rendition, expiresAtMs };
  };
}

function nameless(stream: string): string {
  return `${quoted(stream)} is no name of a stream: ${STREAM_NAME_RULE}`;
}

const TITLES = { 404: 'Not Found', 429: 'Too Many Requests', 503: 'Service Unavailable' } as const;

/** Tells a viewer who is one too many when to come back. */
export function sendRefusal(exchange: Exchange, { status, reason, retryAfterS }: Refusal): void {
  if (retryAfterS !== undefined) exchange.response.setHeader('Retry-After', retryAfterS);
  sendProblem(exchange, status, TITLES[status], reason);
}

/** A token that is good, and what log lines say of who brought it. */
type Known = Verdict & { readonly kind: 'valid' } & { readonly subject: Exchange['subject'] };
type Verifier = (token: string, stream: string, nowMs: number) => Known | (Verdict & { kind: 'refused' });

/** More tokens than that are in use only for moments; the one that was verified first is then verified again. */
const TOKENS_REMEMBERED = 20_000;

/** A low-latency player asks ten times a second with one token: its signature is computed once, its expiry checked always. */
function rememberingVerifier(secrets: readonly string[]): Verifier {
  const verified = new Map<string, Known>();
  return (token, stream, nowMs) => {
    const known = verified.get(token);
    if (known && known.grant.stream === stream && known.grant.expiresAtMs > nowMs) return known;
    const verdict = verifyToken(secrets, token, { purpose: 'play', stream, nowMs });
    if (verdict.kind === 'refused') return verdict;
    if (verified.size >= TOKENS_REMEMBERED) verified.delete(verified.keys().next().value!);
    const subject = subjectOf(stream, verdict.grant.session);
    verified.set(token, { ...verdict, subject });
    return { ...verdict, subject };
  };
}

function subjectOf(stream: string, session: string): Exchange['subject'] {
  return { stream, session: readSession(session).id };
}

function sessionOf(exchange: Exchange): string {
  const { socket, headers } = exchange.request;
  return sharedSession(socket.remoteAddress ?? '', headers['user-agent'] ?? '');
}
