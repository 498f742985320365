// Recordings in directory trees, one on each disk: those of this server, or a mounted store.

import { mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CodedError, reasonOf } from '../errors.ts';
import { md5, randomName } from '../hash.ts';
import { quoted } from '../names.ts';
import { AT_ONCE, checkedKey, isKey, type Pace, type Storage, type StoredObject } from './storage.ts';

/** What is not whole yet: no key ends so. */
const PARTIAL = '.partial~';
const PIECE_BYTES = 8 * 1024 * 1024;

export class DirectoryStorage implements Storage {
  readonly #folders: readonly string[];
  readonly #pace: Pace;

  /** What is new goes to the folder whose disk has the most free space. */
  constructor(folders: readonly string[], pace = AT_ONCE) {
    this.#folders = folders.map((folder) => resolve(folder));
    this.#pace = pace;
  }

  async *list(prefix: string): AsyncGenerator<StoredObject> {
    for (const top of await this.#tops(prefix)) {
      const found = await Promise.all(this.#folders.map((folder) => walk(folder, top)));
      const objects = new Map(found.reverse().flatMap((each) => each.map((object) => [object.key, object])));
      const wanted = [...objects.values()].filter(({ key }) => key.startsWith(prefix));
      yield* wanted.sort((one, other) => (one.key < other.key ? -1 : 1));
    }
  }

  async read(key: string, from: number, to: number): Promise<Uint8Array> {
    const found = await this.#find(key);
    if (!found) throw new CodedError('not_stored', `${quoted(key)} is not stored here`);
    return readPiece(found.path, from, Math.max(0, Math.min(to, found.bytes) - from)).catch(asUnavailable);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#replace(key, (partial) => writeFile(partial, bytes, { flush: true }));
  }

  async upload(key: string, path: string): Promise<void> {
    await this.#replace(key, (partial) => this.#copy(path, partial));
  }

  async remove(key: string): Promise<void> {
    for (const folder of this.#folders) {
      const path = join(folder, checkedKey(key));
      await rm(path, { force: true }).catch(asUnavailable);
      if (dirname(path) !== folder) await removeEmpty(dirname(path)).catch(asUnavailable);
    }
  }

  /** Names at the top that keys with this prefix may begin with. */
  async #tops(prefix: string): Promise<string[]> {
    const slash = prefix.indexOf('/');
    if (slash >= 0) return [checkedKey(prefix.slice(0, slash))];
    const names = await Promise.all(this.#folders.map((folder) => readdir(folder).catch(missing)));
    return [...new Set(names.flatMap((each) => each ?? []))].filter(isKey).sort();
  }

  async #find(key: string): Promise<{ folder: string; path: string; bytes: number } | undefined> {
    for (const folder of this.#folders) {
      const path = join(folder, checkedKey(key));
      const found = await stat(path).catch(missing);
      if (found?.isFile()) return { folder, path, bytes: found.size };
    }
    return undefined;
  }

  async #replace(key: string, write: (partial: string) => Promise<void>): Promise<void> {
    const { folder } = (await this.#find(key)) ?? { folder: await this.#roomiest() };
    const target = join(folder, checkedKey(key));
    const partial = `${target}.${randomName(6)}${PARTIAL}`;
    try {
      await mkdir(dirname(target), { recursive: true });
      await write(partial);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true }).catch(() => {});
      asUnavailable(error);
    }
  }

  async #roomiest(): Promise<string> {
    const disks = await Promise.all(
      this.#folders.map(async (folder) => ({ folder, free: await free(folder) })),
    );
    return disks.reduce((best, disk) => (disk.free > best.free ? disk : best)).folder;
  }

  /** Each piece is read back from what was written. */
  async #copy(path: string, partial: string): Promise<void> {
    const { size } = await stat(path);
    const target = await open(partial, 'w+');
    try {
      for (let at = 0; at < size; at += PIECE_BYTES) {
        const piece = await readPiece(path, at, Math.min(PIECE_BYTES, size - at));
        await this.#pace(piece.length);
        await target.appendFile(piece);
        const written = await readPiece(partial, at, piece.length);
        if (md5(written) !== md5(piece)) throw new Error('the copy differs from what was copied');
      }
      await target.sync();
    } finally {
      await target.close();
    }
  }
}

/** What a stop has left of writing goes with the folder it is in. */
async function removeEmpty(folder: string): Promise<void> {
  const names = (await readdir(folder).catch(missing)) ?? [];
  if (names.every((name) => name.endsWith(PARTIAL))) await rm(folder, { recursive: true, force: true });
}

async function readPiece(path: string, at: number, bytes: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(bytes);
    const { bytesRead } = await handle.read(piece, 0, bytes, at);
    return piece.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The objects below one name at the top. */
async function walk(folder: string, top: string): Promise<StoredObject[]> {
  const entries = await readdir(join(folder, top), { withFileTypes: true, recursive: true }).catch(missing);
  const files = entries?.filter((entry) => entry.isFile());
  const paths = files?.map((entry) => join(entry.parentPath, entry.name)) ?? [join(folder, top)];
  const objects = await Promise.all(
    paths.map(async (path) => {
      const key = path.slice(folder.length + 1);
      const found = isKey(key) ? await stat(path).catch(missing) : undefined;
      return found?.isFile() ? [{ key, bytes: found.size }] : [];
    }),
  );
  return objects.flat();
}

/** A disk that is not there has no room. */
async function free(folder: string): Promise<number> {
  const found = await mkdir(folder, { recursive: true })
    .then(() => statfs(folder))
    .catch(() => undefined);
  return found ? found.bavail * found.bsize : -1;
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
