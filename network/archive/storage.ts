// Where recordings lie: keys with bytes, written whole and never changed. The seam between the archive and what keeps it.

/** `<recording>/<file>.mp4`, `<recording>/<file>.index`. */
export interface StoredObject {
  readonly key: string;
  readonly bytes: number;
}

/**
 * Keys are relative paths without `.` and `..` as parts. Every verb rejects with `storage_unavailable` when it can't be
 * reached, and with `storage_refused` when it says no (credentials, space).
 */
export interface Storage {
  /** All whose key begins with `prefix`, in order of their keys. */
  list(prefix: string): Promise<StoredObject[]>;
  /** Undefined when there is no such object. */
  stat(key: string): Promise<StoredObject | undefined>;
  /** The bytes in [from, to), or as many of them as there are. Rejects with `not_stored` when there is no such object. */
  read(key: string, from: number, to: number): Promise<Uint8Array>;
  /** Stores a file of this machine whole, or rejects and leaves nothing under the key. Resolves once its copy was verified. */
  write(key: string, path: string): Promise<void>;
  /** What is not there is removed already. */
  remove(key: string): Promise<void>;
}

const KEY = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}(?:\/[A-Za-z0-9][A-Za-z0-9_.-]{0,127})*$/;

/** Whether a key is one, and leads out of nothing. */
export function isKey(key: string): boolean {
  return KEY.test(key) && !key.split('/').some((part) => part.includes('..'));
}
