// Signed tokens: who may publish, play, relay or be steered on which stream, or operate which server, until when. Pure but for the signature.

import { CodedError } from './errors.ts';
import { equalSecrets, signature } from './hash.ts';

export interface Grant {
  /**
   * `relay` lets another server follow a stream's feeds, `steer` lets a player ask usher how to go on, and `operate` lets an
   * operator have a server emptied, whose id then stands for the stream. `own` lets usher tell a server what the owner of a
   * stream wants of its recordings. `picture` lets anybody see a picture of a live stream who may not play it.
   */
  readonly purpose: 'publish' | 'play' | 'relay' | 'steer' | 'operate' | 'own' | 'picture';
  readonly stream: string;
  readonly expiresAtMs: number;
  /** Names the viewer's session, up to 32 characters of base64url; empty in a token that is for anybody. */
  readonly session: string;
}

export type Verdict =
  | { readonly kind: 'valid'; readonly grant: Grant }
  /** The reason is fit to be told to whoever sent the token. */
  | { readonly kind: 'refused'; readonly reason: string };

const DOING = {
  publish: 'publishing',
  play: 'playing',
  relay: 'relaying',
  steer: 'steering on',
  operate: 'operating',
  own: 'owning',
  picture: 'seeing pictures of',
} as const;
export const TOKEN = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{0,32})\.([A-Za-z0-9_-]{22})$/;

/**
 * `<expiry>.<session>.<signature>`: expiry in Unix seconds, base 36. Purpose and stream are signed and not said, so that a
 * token is worth nothing for another stream. The first secret signs; rounds the expiry up to a whole second.
 */
export function signToken(secrets: readonly string[], grant: Grant): string {
  const [secret] = secrets;
  if (!secret) throw new Error('no secret to sign with');
  const expiry = Math.ceil(grant.expiresAtMs / 1000).toString(36);
  return `${expiry}.${grant.session}.${signature(secret, signedText(grant, expiry))}`;
}

/** Checks a token against every secret: holding the new and the old one lets a cluster change its secret while it runs. */
export function verifyToken(
  secrets: readonly string[],
  token: string,
  wanted: { readonly purpose: Grant['purpose']; readonly stream: string; readonly nowMs: number },
): Verdict {
  const [, expiry, session, mac] = TOKEN.exec(token) ?? [];
  if (expiry === undefined || session === undefined || mac === undefined) {
    return { kind: 'refused', reason: 'the token is malformed' };
  }
  const { purpose, stream } = wanted;
  const grant: Grant = { purpose, stream, session, expiresAtMs: Number.parseInt(expiry, 36) * 1000 };
  const text = signedText(grant, expiry);
  if (!secrets.some((secret) => equalSecrets(signature(secret, text), mac))) {
    return { kind: 'refused', reason: `the token is not for ${DOING[purpose]} '${stream}'` };
  }
  if (grant.expiresAtMs <= wanted.nowMs) {
    return { kind: 'refused', reason: `the token expired at ${new Date(grant.expiresAtMs).toISOString()}` };
  }
  return { kind: 'valid', grant };
}

/** When a token ends, by what it says itself, ms since the Unix epoch. Throws `bad_usage` when it is none. */
export function expiryOf(token: string): number {
  const [, expiry] = TOKEN.exec(token) ?? [];
  if (expiry === undefined) throw new CodedError('bad_usage', 'that is no key of ours');
  return Number.parseInt(expiry, 36) * 1000;
}

function signedText(grant: Grant, expiry: string): string {
  return [grant.purpose, grant.stream, expiry, grant.session].join('\n');
}
