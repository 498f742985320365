// Which recordings there are and who has their bytes, for quick answers. It is made of what lies in storage, and can be made again.

import type { Manifest } from './manifest.ts';

/** What one keeper of bytes has of a recording. */
export interface CatalogueEntry extends Manifest {
  /** Id of the server that has it on its disks; `storage` for what long-term storage has. */
  readonly keeper: string;
}

/** Long-term storage as a keeper. */
export const STORAGE = 'storage';

/** Every verb rejects with `state_unavailable` when the catalogue can't be reached. */
export interface Catalogue {
  /** Says what a keeper has; it replaces what that keeper said of the recording before. */
  note(entry: CatalogueEntry): Promise<void>;
  /** A keeper has it no longer. */
  drop(id: string, keeper: string): Promise<void>;
  /** All that is said of a stream's recordings, the newest recording first. */
  list(stream: string): Promise<CatalogueEntry[]>;
  /** All that is said of the newest `count` recordings of all streams, MAX_RECENT at most: fewer where some of them are gone. */
  recent(count: number): Promise<CatalogueEntry[]>;
  /** Streams that a keeper has said something of, and perhaps has nothing of any more. */
  streams(keeper: string): Promise<string[]>;
  /** Whether somebody may do what one server is to do for all: nobody else gets a yes for so long. */
  turn(task: string, forMs: number): Promise<boolean>;
}

/** Of which stream an id is. */
export function streamOf(id: string): string {
  return id.slice(0, id.lastIndexOf('.'));
}

/** So many are found without knowing their streams. */
export const MAX_RECENT = 100;

/** The newest recording first, one recording's keepers together: who has most of it first, a server before storage. */
export function inCatalogueOrder(entries: readonly CatalogueEntry[]): CatalogueEntry[] {
  const storageLast = (entry: CatalogueEntry): number => (entry.keeper === STORAGE ? 1 : 0);
  return entries.toSorted(
    (one, other) =>
      other.startedAtMs - one.startedAtMs ||
      (one.id < other.id ? -1 : Number(one.id > other.id)) ||
      other.durationMs - one.durationMs ||
      storageLast(one) - storageLast(other) ||
      (one.keeper < other.keeper ? -1 : 1),
  );
}
