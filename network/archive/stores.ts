// Where recordings lie, as the configuration says it: this server's disks, long-term storage, and a library over both.

import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema/schema.ts';
import type { Logger } from '../logger.ts';
import { Library, type LibraryShelf } from './library.ts';
import { Shelf } from './shelf.ts';
import { AT_ONCE, type Pace, type Storage } from './storage.ts';
import { StorageCache } from './storage-cache.ts';
import { DirectoryStorage } from './storage-directory.ts';
import { type PeerOptions, PeerStorage } from './storage-peers.ts';
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
  /** Other servers that have recordings; undefined where there are none. */
  readonly peers?: Omit<PeerOptions, 'clock'> | undefined;
}

/** What grows on this server's disks is seen at once; what comes to storage comes there slowly. */
const OWN_FRESH_MS = 500;
const STORED_FRESH_MS = 30_000;
const PEERS_FRESH_MS = 2_000;

export function openStores(options: StoresOptions): Stores {
  const { config, clock, logger } = options;
  const { folders: configured } = config.archive;
  const folders = configured.length > 0 ? configured : [`${config.data}/recordings`];
  const storage = openStorage(options);
  const disks = new Shelf(new DirectoryStorage(folders), logger);
  const own = { shelf: disks, freshMs: OWN_FRESH_MS, isHere: true };
  const peers = options.peers ? [peerShelf(options.peers, options)] : [];
  const shelves = [own, ...peers, ...(storage ? [storedShelf(storage, options)] : [])];
  return { folders, storage, library: new Library({ shelves, clock }) };
}

function openStorage({ config, pace = AT_ONCE }: StoresOptions): Storage | undefined {
  const { directories, s3 } = config.archive.storage ?? {};
  if (directories) return new DirectoryStorage(directories, pace);
  return s3 && new S3Storage({ address: s3, fetch, pace });
}

/** Through a cache: many watch here what lies there once. */
function peerShelf(
  peers: Omit<PeerOptions, 'clock'>,
  { config, clock, logger }: StoresOptions,
): LibraryShelf {
  const { data, archive } = config;
  const storage = new PeerStorage({ ...peers, clock });
  const cache = {
    storage,
    folder: `${data}/peers-cache`,
    maxBytes: archive.cacheMb * 1_000_000,
    grows: true,
  };
  return { shelf: new Shelf(new StorageCache(cache), logger), freshMs: PEERS_FRESH_MS, isHere: false };
}

/** Folders are read as they are: the system keeps in memory what is hot of them. */
function storedShelf(storage: Storage, { config, logger }: StoresOptions): LibraryShelf {
  const { data, archive } = config;
  const cache = { storage, folder: `${data}/storage-cache`, maxBytes: archive.cacheMb * 1_000_000 };
  const readable = archive.storage?.s3 ? new StorageCache(cache) : storage;
  return { shelf: new Shelf(readable, logger), freshMs: STORED_FRESH_MS, isHere: false };
}
