// The recordings that a server can read: its own, then those in long-term storage.

import { type Clock, sleep } from '../clock.ts';
import { isRecordingId } from './index-file.ts';
import { assemble, type Recording } from './recording.ts';
import type { Shelf, ShelvedFile } from './shelf.ts';

export interface Found {
  readonly recording: Recording;
  /** By name, without `.mp4`. */
  readonly files: ReadonlyMap<string, FoundFile>;
}

export interface FoundFile extends ShelvedFile {
  /** It lies on a disk of this server. */
  readonly isHere: boolean;
}

/** A shelf, and how long what was found there may be taken for what there is. */
export interface LibraryShelf {
  readonly shelf: Pick<Shelf, 'find' | 'files'>;
  readonly freshMs: number;
  /** It is of this server's disks. */
  readonly isHere: boolean;
}

interface Look {
  readonly atMs: number;
  readonly files: Promise<readonly ShelvedFile[]>;
  isOver: boolean;
}

/** What was found last on each shelf; many viewers of one recording ask for it at a time. */
const LOOKS_KEPT = 500;
/** So long who has something of a recording waits to hear whether there is more of it on a later shelf. */
const PATIENCE_MS = 1_000;

export class Library {
  readonly #shelves: readonly LibraryShelf[];
  readonly #clock: Clock;
  readonly #looks: readonly Map<string, Look>[];

  /** In the order in which they are asked: what an earlier one has is not read from a later one. */
  constructor(options: { readonly shelves: readonly LibraryShelf[]; readonly clock: Clock }) {
    this.#shelves = options.shelves;
    this.#clock = options.clock;
    this.#looks = options.shelves.map(() => new Map());
  }

  /** Undefined when nothing of it is here. Rejects with `bad_index` for one that is damaged, and as storage does when that is needed. */
  async find(id: string): Promise<Found | undefined> {
    if (!isRecordingId(id)) return undefined;
    const looks = this.#shelves.map((_, at) => this.#look(at, id));
    const files = new Map<string, FoundFile>();
    let trouble: unknown;
    for (const [at, look] of looks.entries()) {
      const { isHere } = this.#shelves[at]!;
      try {
        for (const file of await this.#wait(look, files.size > 0)) add(files, { ...file, isHere });
      } catch (error) {
        trouble = error;
      }
    }
    const recording = assemble([...files.values()]);
    if (!recording && trouble) throw trouble;
    return recording && { recording, files };
  }

  /** It has changed here: it is looked at anew. */
  forget(id: string): void {
    for (const looks of this.#looks) looks.delete(id);
  }

  #look(at: number, id: string): Look {
    const { shelf, freshMs } = this.#shelves[at]!;
    const looks = this.#looks[at]!;
    const nowMs = this.#clock.monotonic();
    const known = looks.get(id);
    if (known && nowMs - known.atMs < freshMs) return known;
    const files = shelf.find(id).then((shelved) => (shelved ? shelf.files(shelved) : []));
    const look: Look = { atMs: nowMs, files, isOver: false };
    files
      .finally(() => {
        look.isOver = true;
      })
      .catch(() => {});
    looks.delete(id);
    looks.set(id, look);
    if (looks.size > LOOKS_KEPT) looks.delete(looks.keys().next().value!);
    return look;
  }

  #wait({ files, isOver }: Look, hasSome: boolean): Promise<readonly ShelvedFile[]> {
    if (isOver || !hasSome) return files;
    return Promise.race([files, sleep(this.#clock, PATIENCE_MS).then(() => [])]);
  }
}

/**
 * What several have is read from the first, unless another has more: a server that a broadcast moved to may have recorded what it had
 * of it before, too. It may have an address elsewhere none the less.
 */
function add(files: Map<string, FoundFile>, file: FoundFile): void {
  const { name, signedUrl, bytes } = file;
  const known = files.get(name);
  if (!known || bytes > known.bytes) files.set(name, file);
  else if (signedUrl && !known.signedUrl) files.set(name, { ...known, signedUrl });
}
