// Storage read through a disk: blocks that were read lately lie there, and what is hot the system keeps in memory.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../hash.ts';
import type { Readable, Storage } from './storage.ts';

export interface StorageCacheOptions {
  readonly storage: Readable;
  /** Only this process may use it; what lies there from before is removed. */
  readonly folder: string;
  readonly maxBytes: number;
  /** Objects may get longer: then nobody may ask for more of them than there is. */
  readonly grows?: boolean;
}

/** A few segments. */
const BLOCK_BYTES = 1024 * 1024;

export class StorageCache implements Readable {
  readonly #options: StorageCacheOptions;
  /** Bytes by file name, what was read last at the end. */
  readonly #blocks = new Map<string, number>();
  readonly #reading = new Map<string, Promise<Uint8Array>>();
  readonly #cleared: Promise<void>;
  readonly signedUrl: Readable['signedUrl'];
  #bytes = 0;

  constructor(options: StorageCacheOptions) {
    this.#options = options;
    const { storage } = options;
    this.signedUrl = storage.signedUrl && ((key, forS) => storage.signedUrl!(key, forS));
    this.#cleared = rm(options.folder, { recursive: true, force: true }).catch(() => {});
  }

  list(prefix: string): ReturnType<Storage['list']> {
    return this.#options.storage.list(prefix);
  }

  async read(key: string, from: number, to: number): Promise<Uint8Array> {
    const first = Math.floor(from / BLOCK_BYTES);
    const last = Math.ceil(to / BLOCK_BYTES);
    const blocks = await Promise.all(
      Array.from({ length: last - first }, (_, at) => {
        const number = first + at;
        const wanted = Math.min(BLOCK_BYTES, to - number * BLOCK_BYTES);
        return this.#block(key, number, this.#options.grows ? wanted : 0);
      }),
    );
    const start = from - first * BLOCK_BYTES;
    return Buffer.concat(blocks).subarray(start, start + to - from);
  }

  /** Who asks for what is being read waits for it. The last block of an object that grows may be short of what is wanted by now. */
  #block(key: string, number: number, leastBytes: number): Promise<Uint8Array> {
    const name = `${sha256(key, 32)}.${number}`;
    const known = this.#reading.get(name);
    if (known)
      return known.then((block) =>
        block.length < leastBytes ? this.#block(key, number, leastBytes) : block,
      );
    const reading = this.#read(key, number, name, leastBytes).finally(() => this.#reading.delete(name));
    this.#reading.set(name, reading);
    return reading;
  }

  async #read(key: string, number: number, name: string, leastBytes: number): Promise<Uint8Array> {
    await this.#cleared;
    if ((this.#blocks.get(name) ?? -1) >= leastBytes) {
      const known = await readFile(this.#pathOf(name)).catch(() => undefined);
      if (known) return this.#touch(name, known);
    }
    const block = await this.#options.storage.read(key, number * BLOCK_BYTES, (number + 1) * BLOCK_BYTES);
    // A disk that is full or broken makes reading slower, and no worse.
    await this.#keep(name, block).catch(() => {});
    return block;
  }

  #touch(name: string, block: Uint8Array): Uint8Array {
    this.#blocks.delete(name);
    this.#blocks.set(name, block.length);
    return block;
  }

  async #keep(name: string, block: Uint8Array): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true });
    await writeFile(this.#pathOf(name), block);
    this.#bytes += block.length - (this.#blocks.get(name) ?? 0);
    this.#touch(name, block);
    for (const [oldest, bytes] of this.#blocks) {
      if (this.#bytes <= this.#options.maxBytes) break;
      this.#blocks.delete(oldest);
      this.#bytes -= bytes;
      await rm(this.#pathOf(oldest), { force: true });
    }
  }

  #pathOf(name: string): string {
    return join(this.#options.folder, name);
  }
}
