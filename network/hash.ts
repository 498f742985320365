// The door to cryptography and chance: digests, signatures, random names.

import { createHash, createHmac, randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto';

/** The first `digits` hexadecimal digits of the SHA-256 of `bytes`. */
export function sha256(bytes: Uint8Array | string, digits: number): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, digits);
}

/** HMAC-SHA256, the first 16 bytes, as 22 characters of base64url. */
export function signature(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest().subarray(0, 16).toString('base64url');
}

/** Compares two strings in a time that tells nothing about where they differ. */
export function equalSecrets(one: string, other: string): boolean {
  const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digestOf(one), digestOf(other));
}

/** Random characters of base64url that nobody can guess, 4 for every 3 bytes. */
export function randomName(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** Random hexadecimal digits, 2 for every byte, not all of them 0. */
export function randomHex(bytes: number): string {
  const digits = randomBytes(bytes).toString('hex');
  return /^0+$/.test(digits) ? randomHex(bytes) : digits;
}

/** When the first certificate in a text of PEM ends, ms since the Unix epoch. */
export function certificateEndMs(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime();
}

/** As object stores name what they hold; no protection against anybody. */
export function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
