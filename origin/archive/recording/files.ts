// The door to files that grow: what the archive asks of a disk, so that a test can have one that fails.

import { type FileHandle, mkdir, open, readdir, readFile, rm, statfs, truncate } from 'node:fs/promises';
import { crc32 } from 'node:zlib';

/** A file that only grows. */
export interface GrowingFile {
  /** Appends all of it, or rejects. */
  append(views: readonly Uint8Array[]): Promise<void>;
  /** Returns once what was appended would outlive a power cut. */
  sync(): Promise<void>;
  /** Cuts off everything from `bytes` on. */
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export interface Files {
  /** Makes a new file, and the folders it is in. Rejects when it is there already. */
  create(path: string): Promise<GrowingFile>;
  /** All of it, or `bytes` from `at`. */
  read(path: string, at?: number, bytes?: number): Promise<Buffer>;
  /** Names in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  append(path: string, text: string): Promise<void>;
  truncate(path: string, bytes: number): Promise<void>;
  remove(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  freeBytes(folder: string): Promise<number>;
}

export const systemFiles: Files = {
  async create(path) {
    await makeFolder(path.slice(0, path.lastIndexOf('/')));
    return new Handle(await open(path, 'wx'));
  },
  async read(path, at, bytes) {
    if (at === undefined || bytes === undefined) return readFile(path);
    const handle = await open(path, 'r');
    try {
      const buffer = Buffer.alloc(bytes);
      const { bytesRead } = await handle.read(buffer, 0, bytes, at);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  },
  async list(folder) {
    return readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  },
  async append(path, text) {
    const handle = await open(path, 'a');
    try {
      await handle.appendFile(text);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  },
  truncate,
  remove: (path) => rm(path, { recursive: true, force: true }),
  makeFolder,
  async freeBytes(folder) {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  },
};

/** Of a disk that may only be read, a recursive `mkdir` says that there is no such folder; one by itself says what is the matter. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') await mkdir(path, { recursive: true });
    else if (code !== 'EEXIST') throw error;
  }
}

/** CRC-32 (ISO 3309) of views that follow one another. */
export function checksum(views: readonly Uint8Array[]): number {
  return views.reduce((crc, view) => crc32(view, crc), 0);
}

class Handle implements GrowingFile {
  readonly #handle: FileHandle;
  #bytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** A disk that is nearly full takes a part of it: the rest is tried again, which then says why. */
  async append(views: readonly Uint8Array[]): Promise<void> {
    let rest = views;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#bytes);
      this.#bytes += bytesWritten;
      rest = behind(rest, bytesWritten);
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  async truncate(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes);
    this.#bytes = bytes;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function behind(views: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  return views.flatMap((view) => {
    const from = Math.min(skip, view.length);
    skip -= from;
    return from === view.length ? [] : [view.subarray(from)];
  });
}
