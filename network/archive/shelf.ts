// A shelf: the recordings in one storage, each with what its files say of it.

import { CodedError, reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { type FileIndex, isClosed, isFileName, isRecordingId, readIndex } from './index-file.ts';
import { PICTURES, type Picture, THUMBNAIL } from './pictures.ts';
import type { IndexedFile } from './recording.ts';
import type { Readable, StoredObject } from './storage.ts';

/** What lies in the folder of one recording. */
export interface Shelved {
  readonly id: string;
  readonly objects: readonly StoredObject[];
}

/** A file with its index, its bytes wherever they lie. */
export interface ShelvedFile extends IndexedFile {
  readonly bytes: number;
  /** Nothing will be appended to it any more. */
  readonly isClosed: boolean;
  /** Those that lie beside it. */
  readonly pictures: readonly Picture[];
  /** The bytes in [from, to). */
  read(from: number, to: number): Promise<Uint8Array>;
  /** A JPEG, whole. */
  readPicture(picture: Picture): Promise<Uint8Array>;
  /** An address at which whoever has it may read the file for so long; where it is complete, and lies in storage that gives any. */
  signedUrl?(forS: number): Promise<string>;
}

interface KnownIndex {
  readonly bytes: number;
  readonly index: FileIndex;
}

/** An index of 10 min of 1 s segments has 150 KB; a file's index is read again when it has grown. */
const INDEXES_KEPT = 500;

export class Shelf {
  readonly #storage: Readable;
  readonly #logger: Logger;
  readonly #indexes = new Map<string, KnownIndex>();

  constructor(storage: Readable, logger: Logger) {
    this.#storage = storage;
    this.#logger = logger;
  }

  /** Everything whose folder is named like a recording. */
  async *all(): AsyncGenerator<Shelved> {
    let id = '';
    let objects: StoredObject[] = [];
    for await (const object of this.#storage.list('')) {
      const folder = object.key.slice(0, object.key.indexOf('/'));
      if (folder !== id) {
        if (objects.length > 0 && isRecordingId(id)) yield { id, objects };
        id = folder;
        objects = [];
      }
      objects.push(object);
    }
    if (objects.length > 0 && isRecordingId(id)) yield { id, objects };
  }

  async find(id: string): Promise<Shelved | undefined> {
    if (!isRecordingId(id)) return undefined;
    const objects = await Array.fromAsync(this.#storage.list(`${id}/`));
    return objects.length > 0 ? { id, objects } : undefined;
  }

  /**
   * The files that have an index, in order of their names. One whose index is damaged is told of and left out; rejects with
   * `bad_index` when that is all there is, and as the storage does.
   */
  async files({ id, objects }: Shelved): Promise<ShelvedFile[]> {
    const sizes = new Map(objects.map(({ key, bytes }) => [key.slice(id.length + 1), bytes]));
    const files: ShelvedFile[] = [];
    let damage: unknown;
    for (const name of filesAmong(sizes)) {
      try {
        const index = await this.#index(`${id}/${name}.index`, sizes.get(`${name}.index`)!);
        files.push(this.#file(id, name, index, sizes));
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'bad_index') throw error;
        this.#logger.error(
          { recording: id, file: name, reason: reasonOf(error) },
          'recorded file is damaged',
        );
        damage = error;
      }
    }
    if (files.length === 0 && damage) throw damage;
    return files;
  }

  #file(id: string, name: string, index: FileIndex, sizes: ReadonlyMap<string, number>): ShelvedFile {
    const read = (ending: string, from: number, to: number): Promise<Uint8Array> =>
      this.#storage.read(`${id}/${name}${ending}`, from, to);
    const { signedUrl } = this.#storage;
    const isWhole = isClosed(index);
    return {
      name,
      index,
      bytes: sizes.get(`${name}.mp4`)!,
      isClosed: isWhole,
      pictures: PICTURES.filter((picture) => sizes.has(name + picture)),
      read: (from, to) => read('.mp4', from, to),
      readPicture: (picture) => read(picture, 0, sizes.get(name + picture) ?? 0),
      ...(signedUrl && isWhole
        ? { signedUrl: (forS: number) => signedUrl.call(this.#storage, `${id}/${name}.mp4`, forS) }
        : {}),
    };
  }

  async #index(key: string, bytes: number): Promise<FileIndex> {
    const known = this.#indexes.get(key);
    if (known?.bytes === bytes) return known.index;
    const index = readIndex(Buffer.from(await this.#storage.read(key, 0, bytes)).toString('utf8'));
    this.#indexes.delete(key);
    this.#indexes.set(key, { bytes, index });
    if (this.#indexes.size > INDEXES_KEPT) this.#indexes.delete(this.#indexes.keys().next().value!);
    return index;
  }
}

/** Bytes of media that lie there. */
export function mediaBytesOf({ objects }: Shelved): number {
  return objects.reduce((sum, { key, bytes }) => sum + (key.endsWith('.mp4') ? bytes : 0), 0);
}

/** The file whose picture shows the recording: the first that has one; null when none has. */
export function thumbnailIn({ id, objects }: Shelved): string | null {
  const names = objects.flatMap(({ key }) =>
    key.endsWith(THUMBNAIL) ? [key.slice(id.length + 1, -THUMBNAIL.length)] : [],
  );
  return names.filter(isFileName).sort()[0] ?? null;
}

/** Names without `.mp4` and `.index` of files that have both. */
function filesAmong(sizes: ReadonlyMap<string, number>): string[] {
  const stems = [...sizes.keys()].flatMap((name) => (name.endsWith('.index') ? [name.slice(0, -6)] : []));
  return stems.filter((stem) => isFileName(stem) && sizes.has(`${stem}.mp4`)).sort();
}
