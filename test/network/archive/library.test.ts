import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordingId } from '../../../network/archive/index-file.ts';
import { Library } from '../../../network/archive/library.ts';
import { Shelf } from '../../../network/archive/shelf.ts';
import type { Storage } from '../../../network/archive/storage.ts';
import { StorageCache } from '../../../network/archive/storage-cache.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { writeRecording } from '../../tools/media/recordings.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const T = 1_800_000_000_000;
const ID = recordingId('alice', T);
const MB = 1024 * 1024;

let scratch: ScratchFolder;
beforeEach(async () => {
  scratch = await ScratchFolder.make();
});
afterEach(() => scratch[Symbol.asyncDispose]());

function libraryOf(...storages: Pick<Storage, 'list' | 'read'>[]) {
  const clock = new ManualClock();
  const shelves = storages.map((storage, at) => ({
    shelf: new Shelf(storage, keepingLogger()),
    freshMs: 500,
    isHere: at === 0,
  }));
  return { clock, library: new Library({ shelves, clock }) };
}

describe('the library', () => {
  test('puts a recording together of what is here and what is in storage alone', async () => {
    const [here, there] = [join(scratch.path, 'here'), join(scratch.path, 'there')];
    for (const msn of [0, 5]) await writeRecording({ folder: there, stream: 'alice', startedAtMs: T, msn });
    for (const msn of [5, 10]) await writeRecording({ folder: here, stream: 'alice', startedAtMs: T, msn });
    const read: string[] = [];
    const stored = new DirectoryStorage([there]);
    const watched: Pick<Storage, 'list' | 'read'> = {
      list: (prefix) => stored.list(prefix),
      read: (key, ...range) => {
        read.push(key);
        return stored.read(key, ...range);
      },
    };
    const { library } = libraryOf(new DirectoryStorage([here]), watched);
    const { recording, files } = (await library.find(ID))!;
    expect(recording.renditions[0]!.segments).toHaveLength(15);
    read.length = 0;
    for (const file of files.values()) await file.read(0, 100);
    expect(read).toEqual([`${ID}/source.0000000000.mp4`]);
  });

  test('does without a storage that does not answer, for what is here', async () => {
    const here = join(scratch.path, 'here');
    await writeRecording({ folder: here, stream: 'alice', startedAtMs: T });
    const silent: Pick<Storage, 'list' | 'read'> = {
      list: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
      read: () => new Promise(() => {}),
    };
    const { clock, library } = libraryOf(new DirectoryStorage([here]), silent);
    const found = library.find(ID);
    await expect.poll(() => clock.pending).toBe(1);
    clock.advance(1_000);
    expect((await found)!.recording.id).toBe(ID);
  });

  test('sees what has grown once what it saw is not fresh any more, or it is told', async () => {
    const here = join(scratch.path, 'here');
    const { clock, library } = libraryOf(new DirectoryStorage([here]));
    const count = async (): Promise<number> => {
      const [source] = (await library.find(ID))?.recording.renditions ?? [];
      return source?.segments.length ?? 0;
    };
    expect(await count()).toBe(0);
    await writeRecording({ folder: here, stream: 'alice', startedAtMs: T });
    expect(await count()).toBe(0);
    clock.advance(500);
    expect(await count()).toBe(5);
    await writeRecording({ folder: here, stream: 'alice', startedAtMs: T, msn: 5 });
    library.forget(ID);
    expect(await count()).toBe(10);
  });

  test.each(['../secrets', 'alice', `${ID}/x`, `..${ID}`])('has nothing by the name %j', async (id) => {
    expect(await libraryOf(new DirectoryStorage([scratch.path])).library.find(id)).toBeUndefined();
  });
});

describe('the cache of storage', () => {
  const object = Buffer.alloc(5 * MB + 100, 'headwater');

  function cacheOf(maxBytes: number, folder = join(scratch.path, 'cache')) {
    const reads: number[] = [];
    const storage: Pick<Storage, 'list' | 'read'> = {
      list: () => new Blob([]).stream() as never,
      read: async (_, from, to) => {
        reads.push(from / MB);
        return object.subarray(from, to);
      },
    };
    return { reads, cache: new StorageCache({ storage, folder, maxBytes }) };
  }

  test('gives any range, and asks storage once for each block', async () => {
    const { cache, reads } = cacheOf(100 * MB);
    const ranges = [
      [0, 10],
      [MB - 5, MB + 5],
      [3 * MB, 5 * MB + 100],
      [5 * MB + 90, 6 * MB],
      [10, 20],
    ] as const;
    const all = await Promise.all(ranges.map(([from, to]) => cache.read('a/1', from, to)));
    for (const [at, [from, to]] of ranges.entries())
      expect(Buffer.compare(all[at]!, object.subarray(from, to))).toBe(0);
    for (const [from, to] of ranges) await cache.read('a/1', from, to);
    expect(reads.sort()).toEqual([0, 1, 3, 4, 5]);
  });

  test('keeps no more than it may, and of that what was read last', async () => {
    const { cache, reads } = cacheOf(2 * MB);
    for (const block of [0, 1, 0, 2]) await cache.read('a/1', block * MB, block * MB + 1);
    expect(await readdir(join(scratch.path, 'cache'))).toHaveLength(2);
    reads.length = 0;
    for (const block of [0, 2, 1]) await cache.read('a/1', block * MB, block * MB + 1);
    expect(reads).toEqual([1]);
  });

  test('reads on where there is no disk to keep anything on', async () => {
    const file = join(scratch.path, 'file');
    await writeFile(file, '');
    const { cache } = cacheOf(2 * MB, join(file, 'cache'));
    expect(Buffer.from(await cache.read('a/1', 5, 10))).toEqual(object.subarray(5, 10));
  });
});
