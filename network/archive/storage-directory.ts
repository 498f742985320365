// Recordings in directory trees, one on each disk: those of this server, or a mounted store.

import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CodedError, reasonOf } from '../errors.ts';
import { sha256Of } from '../hash.ts';
import { quoted } from '../names.ts';
import { isKey, type Storage, type StoredObject } from './storage.ts';

/** A copy that is not whole yet: no key ends so. */
const PARTIAL = '.partial~';

export class DirectoryStorage implements Storage {
  readonly #folders: readonly string[];

  /** What is written goes to the first folder; the others may hold objects too. */
  constructor(folders: readonly string[]) {
    this.#folders = folders;
  }

  async list(prefix: string): Promise<StoredObject[]> {
    const found = await Promise.all(this.#folders.map((folder) => walk(folder, prefix)));
    return found.flat().sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  async stat(key: string): Promise<StoredObject | undefined> {
    const found = await this.#find(key);
    return found && { key, bytes: found.bytes };
  }

  async read(key: string, from: number, to: number): Promise<Uint8Array> {
    const found = await this.#find(key);
    if (!found) throw new CodedError('not_stored', `${quoted(key)} is not stored here`);
    const handle = await open(found.path, 'r').catch(asUnavailable);
    try {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to, found.bytes) - from));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  }

  async write(key: string, path: string): Promise<void> {
    const target = join(this.#folders[0]!, checked(key));
    const partial = `${target}${PARTIAL}`;
    try {
      await mkdir(dirname(target), { recursive: true });
      await copyFile(path, partial);
      await sync(partial);
      const [wanted, written] = await Promise.all(
        [path, partial].map((file) => sha256Of(createReadStream(file))),
      );
      if (wanted !== written) throw new Error('the copy differs from what was copied');
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      asUnavailable(error);
    }
  }

  async remove(key: string): Promise<void> {
    for (const folder of this.#folders)
      await rm(join(folder, checked(key)), { force: true }).catch(asUnavailable);
  }

  async #find(key: string): Promise<{ path: string; bytes: number } | undefined> {
    for (const folder of this.#folders) {
      const path = join(folder, checked(key));
      const found = await stat(path).catch(missing);
      if (found?.isFile()) return { path, bytes: found.size };
    }
    return undefined;
  }
}

function checked(key: string): string {
  if (!isKey(key)) throw new CodedError('bad_key', `${quoted(key)} is no key of a stored object`);
  return key;
}

/** Keys below the folder that `prefix` names, of those that begin with it. */
async function walk(folder: string, prefix: string): Promise<StoredObject[]> {
  const within = prefix.includes('/') ? prefix.slice(0, prefix.lastIndexOf('/')) : '';
  if (within !== '') checked(within);
  const entries =
    (await readdir(join(folder, within), { withFileTypes: true, recursive: true }).catch(missing)) ?? [];
  const objects: StoredObject[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = path.slice(folder.length + 1);
    if (!key.startsWith(prefix) || !isKey(key)) continue;
    const found = await stat(path).catch(missing);
    if (found) objects.push({ key, bytes: found.size });
  }
  return objects;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function missing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
  asUnavailable(error);
}

const REFUSED = ['EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'EROFS'];

function asUnavailable(error: unknown): never {
  if (error instanceof CodedError) throw error;
  const { code } = error as NodeJS.ErrnoException;
  const kind = REFUSED.includes(code ?? '') ? 'storage_refused' : 'storage_unavailable';
  throw new CodedError(kind, reasonOf(error), { cause: error });
}
