// Which values of the configuration are secrets: they are told to nobody. Pure.

import type { Path } from './yaml.ts';

/** By the key that a value, or the list that it is in, stands under. Where a key is kept (`keyFile`) is no secret. */
export function isSecretPath(path: Path): boolean {
  const key = path.findLast((step) => typeof step === 'string') ?? '';
  return isSecretKey(String(key));
}

export function isSecretKey(key: string): boolean {
  return /secret|key|password/i.test(key) && !/file$/i.test(key);
}

const MASK = '***';

/** The same with a mask in place of each secret. */
export function withoutSecrets(value: unknown, path: Path = []): unknown {
  if (Array.isArray(value)) return value.map((inner, at) => withoutSecrets(inner, [...path, at]));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSecrets(inner, [...path, key])]));
  }
  return isSecretPath(path) ? MASK : value;
}
