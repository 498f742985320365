// Where recordings lie, as the configuration says it: this server's disks, long-term storage, and a library over both.

import type { Clock } from '../clock.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../logger.ts';
import { Library, type LibraryShelf } from './library.ts';
import { Shelf } from './shelf.ts';
import { AT_ONCE, type Pace, type Storage } from './storage.ts';
import { StorageCache } from './storage-cache.ts';
import { DirectoryStorage } from './storage-directory.ts';
import { S3Storage } from './storage-s3.ts';

export interface Stores {
  /** One on each disk of this server. */
  readonly folders: readonly string[];
  readonly storage: Storage | undefined;
  readonly library: Library;
}

export interface StoresOptions {
  readonly config: Pick<Config, 'archive' | 'data'>;
  readonly pace?: Pace;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What grows on this server's disks is seen at once; what comes to storage comes there slowly. */
const OWN_FRESH_MS = 500;
const STORED_FRESH_MS = 30_000;

export function openStores(options: StoresOptions): Stores {
  const { config, clock, logger } = options;
  const { folders: configured } = config.archive;
  const folders = configured.length > 0 ? configured : [`${config.data}/recordings`];
  const storage = openStorage(options);
  const own = { shelf: new Shelf(new DirectoryStorage(folders), logger), freshMs: OWN_FRESH_MS };
  const shelves = storage ? [own, storedShelf(storage, options)] : [own];
  return { folders, storage, library: new Library({ shelves, clock }) };
}

function openStorage({ config, pace = AT_ONCE }: StoresOptions): Storage | undefined {
  const { directories, s3 } = config.archive.storage ?? {};
  if (directories) return new DirectoryStorage(directories, pace);
  return s3 && new S3Storage({ address: s3, fetch, pace });
}

/** Folders are read as they are: the system keeps in memory what is hot of them. */
function storedShelf(storage: Storage, { config, logger }: StoresOptions): LibraryShelf {
  const { data, archive } = config;
  const cache = { storage, folder: `${data}/storage-cache`, maxBytes: archive.cacheMb * 1_000_000 };
  const readable = archive.storage?.s3 ? new StorageCache(cache) : storage;
  return { shelf: new Shelf(readable, logger), freshMs: STORED_FRESH_MS };
}
