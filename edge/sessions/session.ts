// A viewer's session at this server, and what becomes of somebody who would begin one.

import { sha256 } from '../../network/hash.ts';

export type ViewerKind = 'hls' | 'progressive';

/** Somebody who watches a rendition: what a token says, or what is known of whoever holds a token that is for anybody. */
export interface Watcher {
  readonly session: string;
  readonly stream: string;
  readonly rendition: string;
}

export interface Session extends Watcher {
  readonly kind: ViewerKind;
  /** Wall clock, ms since the Unix epoch. */
  readonly sinceMs: number;
  /** As many as it counts for: progressive playback by connection, a shared token too; 0 of one that watches elsewhere. */
  readonly viewers: number;
}

export interface Refusal {
  readonly kind: 'refused';
  readonly status: 404 | 429 | 503;
  readonly reason: string;
  /** Undefined when there is no use in coming back. */
  readonly retryAfterS: number | undefined;
}

/** `end` may be called any number of times. */
export type Connection = { readonly kind: 'connected'; end(): void } | Refusal;

/** No session of a token begins with it: it is not in base64url. */
const SHARED = '~';

/**
 * The session of somebody whose token names none: a cache's, or a token that a site gives to all its viewers. Of one address there
 * are no more than 16, whatever it says its browser is: each takes room of its own.
 */
export function sharedSession(address: string, userAgent: string): string {
  return SHARED + sha256(address, 16) + sha256(userAgent, 1);
}

export function isShared(session: string): boolean {
  return session.startsWith(SHARED);
}
