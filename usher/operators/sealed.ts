// Small values that a browser keeps for usher in cookies: signed with the cluster's secret, for one purpose, until a time.

import { equalSecrets, signature } from '../../network/hash.ts';

/** What they are sealed for: one is worth nothing as another. */
export type SealPurpose = 'operator' | 'sign-in';

export interface Sealed {
  readonly value: unknown;
  readonly expiresAtMs: number;
}

/** Longer than any that usher makes. */
const MAX_LENGTH = 3_000;
const SEALED = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})$/;

/** Signed, not encrypted: whoever has it can read it. The first secret signs. */
export function seal(
  secrets: readonly string[],
  purpose: SealPurpose,
  value: unknown,
  expiresAtMs: number,
): string {
  const [secret] = secrets;
  if (!secret) throw new Error('no secret to sign with');
  const sealed: Sealed = { value, expiresAtMs };
  const text = Buffer.from(JSON.stringify(sealed)).toString('base64url');
  return `${text}.${signature(secret, signedText(purpose, text))}`;
}

/** Undefined when it is none of usher's, was sealed for something else, or has expired. */
export function unseal(
  secrets: readonly string[],
  purpose: SealPurpose,
  sealed: string,
  nowMs: number,
): Sealed | undefined {
  const [, text, mac] = sealed.length <= MAX_LENGTH ? (SEALED.exec(sealed) ?? []) : [];
  if (text === undefined || mac === undefined) return undefined;
  const isOurs = secrets.some((secret) => equalSecrets(signature(secret, signedText(purpose, text)), mac));
  if (!isOurs) return undefined;
  const found = JSON.parse(Buffer.from(text, 'base64url').toString()) as Sealed;
  return found.expiresAtMs > nowMs ? found : undefined;
}

function signedText(purpose: SealPurpose, text: string): string {
  return `cookie ${purpose}\n${text}`;
}
