// Where recordings lie: keys with bytes, written whole and never in part. The seam between the archive and what keeps it.

import { CodedError } from '../errors.ts';
import { quoted } from '../names.ts';

/** `<recording>/<file>.mp4`, `<recording>/<file>.index`, `<recording>/manifest.json`. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

/**
 * Keys are relative paths without `.` and `..` as parts: `bad_key`. Every verb rejects with `storage_unavailable` when it can't be
 * reached, and with `storage_refused` when it says no (credentials, space).
 */
export interface Storage {
  /** All whose key begins with `prefix`: those of one folder one after the other, in order of their keys. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** The bytes in [from, to), or as many of them as there are. Rejects with `not_stored` when there is no such object. */
  read(key: string, from: number, to: number): Promise<Uint8Array>;
  /** Stores a few bytes, in place of what was under the key. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Stores a file of this machine, or rejects and leaves nothing new under the key. Resolves once its copy was verified. */
  upload(key: string, path: string): Promise<void>;
  /** What is not there is removed already. */
  remove(key: string): Promise<void>;
  /** An address at which whoever has it may read the object for so long; only of storage that gives any. */
  readonly signedUrl?: ((key: string, forS: number) => Promise<string>) | undefined;
}

/** Storage that is only read. */
export type Readable = Pick<Storage, 'list' | 'read' | 'signedUrl'>;

/** Resolves when so many bytes may be sent: uploads yield to viewers. */
export type Pace = (bytes: number) => Promise<void>;

export const AT_ONCE: Pace = async () => {};

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9_.-]{0,127})*$/;

/** Whether a key is one, and leads out of nothing. */
export function isKey(key: string): boolean {
  return KEY.test(key) && !key.split('/').some((part) => part.includes('..'));
}

/** Throws `bad_key`. */
export function checkedKey(key: string): string {
  if (!isKey(key)) throw new CodedError('bad_key', `${quoted(key)} is no key of a stored object`);
  return key;
}
