// The recordings that a server can read: its own, then those in long-term storage.

import type { Clock } from '../clock.ts';
import { type FileIndex, isClosed, isFileName, isRecordingId, readIndex } from './index-file.ts';
import { assemble, type IndexedFile, type Recording } from './recording.ts';
import type { Storage } from './storage.ts';

/** A file's bytes, wherever they lie. */
export interface ReadableFile {
  readonly bytes: number;
  /** Nothing will be appended to it any more. */
  readonly isClosed: boolean;
  /** The bytes in [from, to). */
  read(from: number, to: number): Promise<Uint8Array>;
}

export interface Shelved {
  readonly recording: Recording;
  /** By name, without `.mp4`. */
  readonly files: ReadonlyMap<string, ReadableFile>;
}

interface KnownIndex {
  readonly bytes: number;
  readonly index: FileIndex;
}

/** An index of 10 min of 1 s segments has 150 KB; a file's index is read again when it has grown. */
const INDEXES_KEPT = 500;
/** Many viewers of one recording ask for it at a time. */
const SHELVED_MS = 500;
const SHELVED_KEPT = 200;

export class Library {
  readonly #storages: readonly Storage[];
  readonly #clock: Clock;
  readonly #indexes = new Map<string, KnownIndex>();
  readonly #shelved = new Map<
    string,
    { readonly atMs: number; readonly found: Promise<Shelved | undefined> }
  >();

  /** In the order in which they are asked: what an earlier one has is not read from a later one. */
  constructor(options: { readonly storages: readonly Storage[]; readonly clock: Clock }) {
    this.#storages = options.storages;
    this.#clock = options.clock;
  }

  /** Undefined when nothing of it is here. Rejects with `bad_index` for one that is damaged, and as its storage does. */
  find(id: string): Promise<Shelved | undefined> {
    if (!isRecordingId(id)) return Promise.resolve(undefined);
    const nowMs = this.#clock.monotonic();
    const known = this.#shelved.get(id);
    if (known && nowMs - known.atMs < SHELVED_MS) return known.found;
    const found = this.#find(id);
    this.#shelved.delete(id);
    this.#shelved.set(id, { atMs: nowMs, found });
    if (this.#shelved.size > SHELVED_KEPT) this.#shelved.delete(this.#shelved.keys().next().value!);
    return found;
  }

  async #find(id: string): Promise<Shelved | undefined> {
    const indexed = new Map<string, IndexedFile>();
    const files = new Map<string, ReadableFile>();
    for (const [at, storage] of this.#storages.entries()) {
      const objects = await Array.fromAsync(storage.list(`${id}/`));
      const sizes = new Map(objects.map(({ key, bytes }) => [key, bytes]));
      for (const { key, bytes } of objects) {
        const name = key.slice(id.length + 1).replace(/\.index$/, '');
        const mediaBytes = sizes.get(`${id}/${name}.mp4`);
        if (!key.endsWith('.index') || mediaBytes === undefined || indexed.has(name) || !isFileName(name))
          continue;
        const index = await this.#index(`${at} ${key}`, bytes, () => storage.read(key, 0, bytes));
        indexed.set(name, { name, index });
        const read = (from: number, to: number) => storage.read(`${id}/${name}.mp4`, from, to);
        files.set(name, { bytes: mediaBytes, isClosed: isClosed(index), read });
      }
    }
    const recording = assemble([...indexed.values()]);
    return recording && { recording, files };
  }

  async #index(place: string, bytes: number, read: () => Promise<Uint8Array>): Promise<FileIndex> {
    const known = this.#indexes.get(place);
    if (known?.bytes === bytes) return known.index;
    const index = readIndex(Buffer.from(await read()).toString('utf8'));
    this.#indexes.delete(place);
    this.#indexes.set(place, { bytes, index });
    if (this.#indexes.size > INDEXES_KEPT) this.#indexes.delete(this.#indexes.keys().next().value!);
    return index;
  }
}
