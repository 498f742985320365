// Access: who may watch. Every address under /play/ carries a token in its path, so that relative addresses carry it too.

import type { Clock } from '../network/clock.ts';
import { type Exchange, sendProblem } from '../network/http/http.ts';
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
  const verify = cachedVerifier(secrets);
  return (exchange) => {
    const { token = '', stream = '', rendition = '' } = exchange.params;
    if (!isStreamName(stream)) {
      const detail = `${quoted(stream)} is no name of a stream: ${STREAM_NAME_RULE}`;
      sendProblem(exchange, 404, 'Not Found', detail);
      return undefined;
    }
    const verdict = verify(token, stream, clock.now());
    if (verdict.kind === 'refused') {
      sendProblem(exchange, 403, 'Forbidden', verdict.reason);
      return undefined;
    }
    const { expiresAtMs, session } = verdict.grant;
    const viewer = { session: session || sessionOf(exchange), stream, rendition, expiresAtMs };
    exchange.subject = { stream, session: readSession(viewer.session).id };
    return viewer;
  };
}

const TITLES = { 404: 'Not Found', 429: 'Too Many Requests', 503: 'Service Unavailable' } as const;

/** Tells a viewer who is one too many when to come back. */
export function sendRefusal(exchange: Exchange, { status, reason, retryAfterS }: Refusal): void {
  if (retryAfterS !== undefined) exchange.response.setHeader('Retry-After', retryAfterS);
  sendProblem(exchange, status, TITLES[status], reason);
}

type Verifier = (token: string, stream: string, nowMs: number) => Verdict;

/** More tokens than that are in use only for moments; the one that was verified first is then verified again. */
const TOKENS_REMEMBERED = 20_000;

/** A low-latency player asks ten times a second with one token: its signature is computed once, its expiry checked always. */
function cachedVerifier(secrets: readonly string[]): Verifier {
  const verified = new Map<string, Verdict & { kind: 'valid' }>();
  return (token, stream, nowMs) => {
    const key = `${stream}/${token}`;
    const known = verified.get(key);
    if (known && known.grant.expiresAtMs > nowMs) return known;
    verified.delete(key);
    const verdict = verifyToken(secrets, token, { purpose: 'play', stream, nowMs });
    if (verdict.kind === 'refused') return verdict;
    if (verified.size >= TOKENS_REMEMBERED) verified.delete(verified.keys().next().value!);
    verified.set(key, verdict);
    return verdict;
  };
}

function sessionOf(exchange: Exchange): string {
  const { socket, headers } = exchange.request;
  return sharedSession(socket.remoteAddress ?? '', headers['user-agent'] ?? '');
}
