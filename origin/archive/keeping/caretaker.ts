// Sees to the recordings in one storage: each has a true manifest, the catalogue knows of all, and what has expired goes.

import { type Catalogue, type CatalogueEntry, streamOf } from '../../../network/archive/catalogue.ts';
import {
  describeRecording,
  MANIFEST,
  MAX_MANIFEST_BYTES,
  type Manifest,
  NOTHING_SAID,
  readManifest,
  type Said,
  writeManifest,
} from '../../../network/archive/manifest.ts';
import { assemble } from '../../../network/archive/recording.ts';
import { mediaBytesOf, type Shelf, type Shelved, thumbnailIn } from '../../../network/archive/shelf.ts';
import type { Storage } from '../../../network/archive/storage.ts';
import type { Clock } from '../../../network/clock.ts';
import { CodedError, reasonOf } from '../../../network/errors.ts';
import type { Logger } from '../../../network/logger.ts';
import { type DaysOf, isExpired, isOldDebris, type Removal } from './retention.ts';

export interface CaretakerOptions {
  readonly storage: Storage;
  readonly shelf: Shelf;
  readonly catalogue: Catalogue;
  /** Whose storage it is, as the catalogue says it. */
  readonly keeper: string;
  readonly daysOf: DaysOf;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the catalogue says of this keeper's recordings of one stream; it is believed as long as the same bytes lie there. */
interface Known {
  readonly stream: string;
  readonly entries: readonly CatalogueEntry[];
}

const UNKNOWN: Known = { stream: '', entries: [] };

export class Caretaker {
  readonly #options: CaretakerOptions;

  constructor(options: CaretakerOptions) {
    this.#options = options;
  }

  /**
   * Goes through all there is; gives what was removed because it had expired, or would be. Rejects as storage and catalogue do,
   * and leaves alone what makes no sense.
   */
  async round({ dryRun = false } = {}): Promise<Removal[]> {
    const removals: Removal[] = [];
    const noted = new Set<string>();
    let known = UNKNOWN;
    for await (const shelved of this.#options.shelf.all()) {
      const stream = streamOf(shelved.id);
      if (stream !== known.stream) known = { stream, entries: await this.#known(stream) };
      const manifest = await this.#read(shelved, known);
      if (this.#isOver(shelved, manifest)) removals.push(await this.#expire(shelved, dryRun));
      else if (manifest && !dryRun) {
        await this.#note(manifest);
        noted.add(shelved.id);
      }
    }
    if (!dryRun) await this.#dropLost(noted);
    return removals;
  }

  /** Makes the manifest and the catalogue say what lies there. */
  async note(id: string): Promise<void> {
    const manifest = await this.manifest(id);
    if (manifest) await this.#note(manifest);
    else await this.#options.catalogue.drop(id, this.#options.keeper);
  }

  /** Tells the catalogue of all that lies here; gives how many recordings. What makes no sense is left out. */
  async noteAll(): Promise<number> {
    let count = 0;
    for await (const shelved of this.#options.shelf.all()) {
      const manifest = await this.#read(shelved, UNKNOWN);
      if (!manifest) continue;
      await this.#note(manifest);
      count += 1;
    }
    return count;
  }

  /** Undefined when there is no such recording here. */
  async manifest(id: string): Promise<Manifest | undefined> {
    const shelved = await this.#options.shelf.find(id);
    return shelved && this.#manifest(shelved);
  }

  /** What its owner says of it; undefined when there is no such recording here. */
  async say(id: string, said: Partial<Said>): Promise<Manifest | undefined> {
    const manifest = await this.manifest(id);
    if (!manifest) return undefined;
    const changed = { ...manifest, ...said };
    await this.#options.storage.put(keyOf(id), writeManifest(changed));
    await this.#note(changed);
    return changed;
  }

  /** What was not there is removed already. */
  async remove(id: string): Promise<void> {
    const { shelf, catalogue, keeper } = this.#options;
    const shelved = await shelf.find(id);
    if (shelved) await this.#remove(shelved);
    await catalogue.drop(id, keeper);
  }

  /** Before it decides that something goes, it does not believe the catalogue. */
  async #read(shelved: Shelved, { entries }: Known): Promise<Manifest | undefined> {
    const { daysOf, clock, logger } = this.#options;
    const lies = liesIn(shelved);
    const known = entries.find((entry) => entry.id === shelved.id && isOf(entry, lies));
    if (known && !isExpired(known, daysOf, clock.now())) return known;
    try {
      return await this.#manifest(shelved);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'bad_index') throw error;
      logger.error({ recording: shelved.id, reason: reasonOf(error) }, 'recording is left as it is');
      const written = await this.#written(shelved);
      return isWhole(written) ? written : undefined;
    }
  }

  #isOver({ id }: Shelved, manifest: Manifest | undefined): boolean {
    const { daysOf, clock } = this.#options;
    return manifest ? isExpired(manifest, daysOf, clock.now()) : isOldDebris(id, daysOf, clock.now());
  }

  async #note(manifest: Manifest): Promise<void> {
    const { catalogue, keeper } = this.#options;
    await catalogue.note({ ...manifest, keeper });
  }

  async #expire(shelved: Shelved, dryRun: boolean): Promise<Removal> {
    const { catalogue, keeper, logger } = this.#options;
    const { id, objects } = shelved;
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    const removal: Removal = { id, where: keeper, why: 'expired', bytes };
    if (dryRun) return removal;
    await this.#remove(shelved);
    await catalogue.drop(id, keeper);
    logger.info({ recording: id, where: keeper, why: removal.why, bytes }, 'recording is removed');
    return removal;
  }

  /** Indexes first: what is left of a removal that was cut off is found by nobody, and goes with the next. */
  async #remove({ objects }: Shelved): Promise<void> {
    const isIndex = (key: string): number => (key.endsWith('.index') ? 0 : 1);
    const ordered = objects.toSorted((one, other) => isIndex(one.key) - isIndex(other.key));
    for (const { key } of ordered) await this.#options.storage.remove(key);
  }

  /** What the catalogue says is here, and is not. */
  async #dropLost(noted: ReadonlySet<string>): Promise<void> {
    const { catalogue, keeper } = this.#options;
    for (const stream of await catalogue.streams(keeper))
      for (const { id } of await this.#known(stream)) if (!noted.has(id)) await this.note(id);
  }

  async #known(stream: string): Promise<CatalogueEntry[]> {
    const { catalogue, keeper } = this.#options;
    return (await catalogue.list(stream)).filter((entry) => entry.keeper === keeper);
  }

  /** The one that is written, unless files have come or gone since; then it is written anew, once all are closed. */
  async #manifest(shelved: Shelved): Promise<Manifest | undefined> {
    const lies = liesIn(shelved);
    if (lies.mediaBytes === 0) return undefined;
    const written = await this.#written(shelved);
    if (isWhole(written) && isOf(written, lies)) return written;
    const files = await this.#options.shelf.files(shelved);
    const recording = assemble(files);
    if (!recording) return undefined;
    const manifest = describeRecording(recording, lies, written);
    if (files.every(({ isClosed }) => isClosed))
      await this.#options.storage.put(keyOf(shelved.id), writeManifest(manifest));
    return manifest;
  }

  /** When nobody can tell any more what its owner said, a recording is kept. */
  async #written({ id, objects }: Shelved): Promise<Manifest | Said | undefined> {
    if (!objects.some(({ key }) => key === keyOf(id))) return undefined;
    try {
      const bytes = await this.#options.storage.read(keyOf(id), 0, MAX_MANIFEST_BYTES);
      return readManifest(Buffer.from(bytes).toString('utf8'), id);
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'bad_manifest') throw error;
      this.#options.logger.error({ recording: id, reason: reasonOf(error) }, 'recording is kept');
      return { ...NOTHING_SAID, isKept: true };
    }
  }
}

function isWhole(written: Manifest | Said | undefined): written is Manifest {
  return written !== undefined && 'mediaBytes' in written;
}

type Lies = Pick<Manifest, 'mediaBytes' | 'thumbnail'>;

function liesIn(shelved: Shelved): Lies {
  return { mediaBytes: mediaBytesOf(shelved), thumbnail: thumbnailIn(shelved) };
}

function isOf(manifest: Lies, { mediaBytes, thumbnail }: Lies): boolean {
  return manifest.mediaBytes === mediaBytes && manifest.thumbnail === thumbnail;
}

function keyOf(id: string): string {
  return `${id}/${MANIFEST}`;
}
