// Which keys to publish were made, and which are revoked. A signed key is good without being written here; to be bad before its time it must be.

import { sha256 } from '../hash.ts';

export interface KeyRecord {
  /** See `keyIdOf`. */
  readonly id: string;
  readonly stream: string;
  /** Wall-clock times, ms since the Unix epoch. The record goes when the key has expired. */
  readonly madeAtMs: number;
  readonly expiresAtMs: number;
  /** Null: it is good. */
  readonly revokedAtMs: number | null;
}

/** So many are remembered at a time; then no more can be noted until some expire. A changed secret makes them all bad at once. */
export const MAX_KEYS = 10_000;

/** Every verb rejects with `state_unavailable` when the book can't be reached. */
export interface KeyBook {
  /** It replaces what was noted of the key before. Rejects with `too_many_keys`. */
  note(record: KeyRecord): Promise<void>;
  /** Those that have not expired, the newest first. */
  list(): Promise<KeyRecord[]>;
  /** Those of them that are revoked. */
  revoked(ids: readonly string[]): Promise<ReadonlySet<string>>;
}

/** Names a key without telling it. */
export function keyIdOf(key: string): string {
  return sha256(key, KEY_ID_DIGITS);
}

const KEY_ID_DIGITS = 16;

export const KEY_ID = /^[0-9a-f]{16}$/;

export function isKeyId(text: string): boolean {
  return KEY_ID.test(text);
}

/** What an operator's token is for who lists, notes and revokes keys: no server can be called so. */
export const KEYS_SCOPE = 'keys/';

export function inKeyOrder(records: readonly KeyRecord[], nowMs: number): KeyRecord[] {
  return records
    .filter(({ expiresAtMs }) => expiresAtMs > nowMs)
    .toSorted((one, other) => other.madeAtMs - one.madeAtMs || (one.id < other.id ? -1 : 1));
}
