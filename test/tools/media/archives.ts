// An archive for tests: its disk in a folder, its clock in the test's hand.

import { join } from 'node:path';
import type { CatalogueEntry } from '../../../network/archive/catalogue.ts';
import { MemoryCatalogue } from '../../../network/archive/catalogue-memory.ts';
import { Library } from '../../../network/archive/library.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { Metrics } from '../../../network/metrics.ts';
import { Archive, type ArchiveOptions } from '../../../origin/archive/archive.ts';
import { Janitor } from '../../../origin/archive/keeping/janitor.ts';
import { Stock } from '../../../origin/archive/keeping/stock.ts';
import type { RecordingPolicy } from '../../../origin/archive/policy.ts';
import { systemFiles } from '../../../origin/archive/recording/files.ts';
import { keepingLogger } from '../world/keeping-logger.ts';
import { ManualClock } from '../world/manual-clock.ts';

export interface TestArchiveOptions extends Partial<ArchiveOptions> {
  readonly clock?: ManualClock;
}

/** All that an archive on the disk `folder/disk` is made of, and what tells of it. */
function ground(folder: string, given: TestArchiveOptions) {
  const { clock = new ManualClock(), storage } = given;
  const { lines, ...logger } = keepingLogger();
  const folders = [join(folder, 'disk')];
  const disk = new DirectoryStorage(folders);
  const shelves = [disk, ...(storage ? [storage] : [])].map((each) => ({
    shelf: new Shelf(each, logger),
    freshMs: 0,
    isHere: each === disk,
  }));
  const library = new Library({ shelves, clock });
  const catalogue = new MemoryCatalogue();
  const options = {
    folders,
    library,
    catalogue,
    keeper: 'here',
    fileMs: 600_000,
    reserveBytes: 0,
    policy: (): RecordingPolicy => ({
      isRecorded: true,
      maxMs: Number.POSITIVE_INFINITY,
      keepDays: 7,
      renditions: 'source',
    }),
    logger,
    metrics: new Metrics(),
    files: systemFiles,
    ...given,
    clock,
  };
  const listed = (stream = 'alice'): Promise<CatalogueEntry[]> => catalogue.list(stream);
  return { options, told: { clock, library, lines, disk, listed } };
}

export async function openTestArchive(folder: string, given: TestArchiveOptions = {}) {
  const { options, told } = ground(folder, given);
  return { archive: await Archive.open(options), ...told };
}

/** What lies in an archive, without anybody who records or goes on rounds. */
export function testStock(folder: string, given: TestArchiveOptions = {}) {
  const { options, told } = ground(folder, given);
  const stock = new Stock(options);
  return { stock, janitor: new Janitor({ ...options, stock }), ...told };
}
