import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Storage } from '../../../network/archive/storage.ts';
import { DirectoryStorage } from '../../../network/archive/storage-directory.ts';
import { S3Storage } from '../../../network/archive/storage-s3.ts';
import { S3Server } from '../../tools/world/s3-server.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const PART_BYTES = 5 * 1024 * 1024;
const BIG = Buffer.alloc(2 * PART_BYTES + 1234, 'headwater');

let scratch: ScratchFolder;
let folder: string;
let s3: S3Server;
beforeAll(async () => {
  scratch = await ScratchFolder.make();
  folder = scratch.path;
  s3 = await S3Server.start(join(folder, 's3'));
});
afterAll(async () => {
  await s3.close();
  await scratch[Symbol.asyncDispose]();
});

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'file');
  await writeFile(path, bytes);
  return path;
}

const listed = (storage: Storage, prefix: string) => Array.fromAsync(storage.list(prefix));

function s3Storage(options: { user?: string; fetch?: typeof fetch } = {}): S3Storage {
  const address = { ...s3.address, ...(options.user ? { accessKeyId: options.user } : {}) };
  return new S3Storage({
    address,
    fetch: options.fetch ?? fetch,
    partBytes: PART_BYTES,
  });
}

const KINDS: readonly [name: string, open: () => Storage][] = [
  ['in a directory', () => new DirectoryStorage([join(folder, 'tree')])],
  ['in S3', () => s3Storage()],
];

describe.each(KINDS)('storage %s', (_, open) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = open();
    for (const { key } of await listed(storage, '')) await storage.remove(key);
  });

  test('gives back the bytes it was given, and any range of them', async () => {
    await storage.upload('alice.lx3k00/source.0000000000.mp4', await fileOf(BIG));
    const read = await storage.read('alice.lx3k00/source.0000000000.mp4', 0, BIG.length);
    expect(Buffer.compare(read, BIG)).toBe(0);
    const part = await storage.read('alice.lx3k00/source.0000000000.mp4', PART_BYTES - 5, PART_BYTES + 5);
    expect(Buffer.from(part)).toEqual(BIG.subarray(PART_BYTES - 5, PART_BYTES + 5));
  });

  test('lists what begins with a prefix, in order, with sizes', async () => {
    for (const key of ['b/2', 'a/2', 'a/1', 'ab/1']) await storage.put(key, Buffer.from(key));
    expect(await listed(storage, 'a/')).toEqual([
      { key: 'a/1', bytes: 3 },
      { key: 'a/2', bytes: 3 },
    ]);
    expect((await listed(storage, '')).map(({ key }) => key)).toEqual(['a/1', 'a/2', 'ab/1', 'b/2']);
    expect(await listed(storage, 'nothing/')).toEqual([]);
  });

  test('says what it has not, and removes what is not there', async () => {
    await storage.remove('a/1');
    await expect(storage.read('a/1', 0, 1)).rejects.toMatchObject({ code: 'not_stored' });
    await storage.put('a/1', Buffer.from('x'));
    expect(await listed(storage, '')).toEqual([{ key: 'a/1', bytes: 1 }]);
    await storage.remove('a/1');
    expect(await listed(storage, '')).toEqual([]);
  });

  test('replaces what was there before', async () => {
    await storage.put('a/1', Buffer.from('the first'));
    await storage.upload('a/1', await fileOf(Buffer.from('second')));
    expect(Buffer.from(await storage.read('a/1', 0, 100)).toString()).toBe('second');
    await storage.put('a/1', Buffer.from('the third'));
    expect(Buffer.from(await storage.read('a/1', 0, 100)).toString()).toBe('the third');
    expect((await storage.read('a/1', 100, 200)).length).toBe(0);
  });

  test.each(['../a', 'a/../../b', '/etc/passwd', 'a//b', '', '.hidden', 'a/..', 'a\0b'])(
    'refuses %j as a key',
    async (key) => {
      await expect(storage.read(key, 0, 1)).rejects.toMatchObject({ code: 'bad_key' });
      await expect(storage.remove(key)).rejects.toMatchObject({ code: 'bad_key' });
      await expect(storage.put(key, BIG)).rejects.toMatchObject({ code: 'bad_key' });
      await expect(storage.upload(key, await fileOf(BIG))).rejects.toMatchObject({ code: 'bad_key' });
    },
  );
});

describe('S3', () => {
  test('with wrong credentials is told so, and nothing is stored', async () => {
    const storage = s3Storage({ user: 'NOBODY' });
    await expect(storage.upload('a/9', await fileOf(BIG))).rejects.toMatchObject({ code: 'storage_refused' });
    expect(await listed(s3Storage(), '')).toEqual([]);
  });

  test('that can not be reached is told apart from one that says no', async () => {
    const address = { ...s3.address, endpoint: 'http://127.0.0.1:9/bucket' };
    const storage = new S3Storage({ address, fetch });
    await expect(listed(storage, '')).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  /** Counts what is sent, and breaks off before one of them. */
  function counting(breaksAt = Number.POSITIVE_INFINITY): { fetch: typeof fetch; puts: number } {
    const seen = {
      puts: 0,
      fetch: ((input, init) => {
        if (init?.method === 'PUT' && ++seen.puts === breaksAt)
          return Promise.reject(new Error('the network broke'));
        return fetch(input, init);
      }) as typeof fetch,
    };
    return seen;
  }

  test('an upload that was interrupted goes on with the part that is missing, and is not begun again', async () => {
    const path = await fileOf(BIG);
    const [first, second, third] = [counting(2), counting(), counting()];
    await expect(s3Storage(first).upload('a/10', path)).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(await listed(s3Storage(), 'a/10')).toEqual([]);
    await s3Storage(second).upload('a/10', path);
    expect(second.puts).toBe(2);
    expect(Buffer.compare(await s3Storage().read('a/10', 0, BIG.length), BIG)).toBe(0);
    await s3Storage(third).upload('a/10', path);
    expect(third.puts).toBe(0);
  });
});
