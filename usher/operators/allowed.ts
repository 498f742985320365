// Which of those whom a provider knows may operate. Pure.

import type { Claims } from './oidc.ts';

export interface Allowed {
  readonly emails: readonly string[];
  readonly domains: readonly string[];
  readonly claim?: { readonly name: string; readonly value: string } | undefined;
}

export type Admission =
  | { readonly kind: 'allowed'; readonly name: string }
  /** In words for who signs in. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Anybody can have an account under any address: one counts only if the provider says that it was verified. */
export function admissionOf(claims: Claims, { emails, domains, claim }: Allowed): Admission {
  const { sub, email, email_verified: isVerified } = claims;
  const address = typeof email === 'string' ? email.toLowerCase() : '';
  const name = (address || String(sub)).slice(0, 100);
  if (claim && hasValue(claims[claim.name], claim.value)) return { kind: 'allowed', name };
  const domain = address.slice(address.lastIndexOf('@') + 1);
  const isListed = address !== '' && (has(emails, address) || has(domains, domain));
  if (isListed && isVerified === true) return { kind: 'allowed', name };
  const reason = isListed
    ? `the provider does not say that the address ${name} was verified`
    : `${name} is not among those who may operate this cluster`;
  return { kind: 'refused', reason };
}

function has(listed: readonly string[], name: string): boolean {
  return listed.some((each) => each.toLowerCase() === name);
}

function hasValue(claim: unknown, value: string): boolean {
  return Array.isArray(claim) ? claim.includes(value) : claim === value;
}
