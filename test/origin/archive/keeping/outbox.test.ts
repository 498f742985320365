import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STORAGE } from '../../../../network/archive/catalogue.ts';
import { recordingId } from '../../../../network/archive/index-file.ts';
import type { Storage } from '../../../../network/archive/storage.ts';
import { S3Storage } from '../../../../network/archive/storage-s3.ts';
import { openTestArchive } from '../../../tools/media/archives.ts';
import { writeRecording } from '../../../tools/media/recordings.ts';
import { S3Server } from '../../../tools/world/s3-server.ts';
import { ScratchFolder } from '../../../tools/world/scratch-folder.ts';

const PART_BYTES = 5 * 1024 * 1024;
const T = 1_800_000_000_000;

let scratch: ScratchFolder;
let s3: S3Server;
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  s3 = await S3Server.start(join(scratch.path, 's3'));
});
afterEach(async () => {
  await s3.close();
  await scratch[Symbol.asyncDispose]();
});

/** One of 12 MB, and two that are small. */
async function writeThree(): Promise<void> {
  const folder = join(scratch.path, 'disk');
  const big = { segments: 6, segmentBytes: 2_000_000 };
  await writeRecording({ folder, stream: 'alice', startedAtMs: T - 3_000_000, ...big });
  await writeRecording({ folder, stream: 'alice', startedAtMs: T - 2_000_000 });
  await writeRecording({ folder, stream: 'bob', startedAtMs: T - 1_000_000 });
}

function storageIn(server: S3Server, fetchOf = fetch, user = 'S3RVER'): S3Storage {
  const address = { ...server.address, accessKeyId: user };
  return new S3Storage({ address, fetch: fetchOf, partBytes: PART_BYTES });
}

/** Digests by key, without the marks of what was stored. */
async function digestsOf(storage: Storage): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for await (const { key, bytes } of storage.list(''))
    if (!key.endsWith('.stored'))
      digests[key] = createHash('sha256')
        .update(await storage.read(key, 0, bytes))
        .digest('hex');
  return digests;
}

describe('recorded files go to storage', () => {
  test('once each, whole, also when it is away for a minute in the middle of an upload', async () => {
    await writeThree();
    const sent: string[] = [];
    let stopsAt = 2;
    const watched: typeof fetch = async (input, init) => {
      if (init?.method === 'PUT' && String(input).includes('partNumber')) {
        if (--stopsAt === 0) await s3.close();
        const answer = await fetch(input, init);
        sent.push(String(input).replace(/uploadId=[^&]*/, ''));
        return answer;
      }
      return fetch(input, init);
    };
    await using opened = new AsyncDisposableStack();
    const storage = storageIn(s3, watched);
    const { archive, clock, lines, disk } = await openTestArchive(scratch.path, { storage });
    opened.use(archive);
    const waits = (): number => lines.filter(({ message }) => message.includes('wait for storage')).length;
    let tries = 0;
    for (const restMs of [1_000, 2_000, 4_000, 8_000, 16_000]) {
      await expect.poll(waits).toBe(++tries);
      clock.advance(restMs);
    }
    await expect.poll(waits).toBe(6);
    expect(sent).toHaveLength(1);
    s3 = await S3Server.start(join(scratch.path, 's3'), s3.port);
    clock.advance(32_000);
    await untilStored(disk);
    expect(new Set(sent).size).toBe(sent.length);
    expect(sent).toHaveLength(3);
    // The last manifest follows the mark of the last file.
    await expect.poll(() => digestsOf(storageIn(s3))).toEqual(await digestsOf(disk));
  });

  test('of which storage refuses to know anything stay here, and go when it knows us', async () => {
    await writeThree();
    const storage = storageIn(s3, fetch, 'NOBODY');
    const first = await openTestArchive(scratch.path, { storage });
    await expect
      .poll(() => first.lines.map(({ message }) => message))
      .toContain('recordings wait for storage');
    await first.archive[Symbol.asyncDispose]();
    const before = await digestsOf(first.disk);
    expect(Object.keys(before).filter((key) => key.endsWith('.mp4'))).toHaveLength(3);
    expect(await listKeys(storageIn(s3))).toEqual([]);
    await using second = (await openTestArchive(scratch.path, { storage: storageIn(s3) })).archive;
    await expect.poll(() => digestsOf(storageIn(s3))).toEqual(before);
    void second;
  });

  test('and are found there by a catalogue that knows nothing, of storage alone', async () => {
    await writeThree();
    const first = await openTestArchive(scratch.path, { storage: storageIn(s3) });
    await untilStored(first.disk);
    await first.archive.stock.say(recordingId('bob', T - 1_000_000), { title: 'Hello', isKept: true });
    await first.archive[Symbol.asyncDispose]();
    const other = join(scratch.path, 'other');
    const second = await openTestArchive(other, { storage: storageIn(s3) });
    await using _ = second.archive;
    await expect.poll(async () => (await second.listed('bob')).length).toBe(1);
    expect(await second.listed('bob')).toMatchObject([
      { keeper: STORAGE, title: 'Hello', isKept: true, durationMs: 5000 },
    ]);
    expect((await second.listed('alice')).map(({ bytes }) => bytes)).toEqual([5_000, 12_000_000]);
    const found = await second.library.find(recordingId('bob', T - 1_000_000));
    expect(found!.recording.renditions[0]!.segments).toHaveLength(5);
  });
});

async function untilStored(disk: Storage): Promise<void> {
  const count = async (): Promise<number> =>
    (await listKeys(disk)).filter((key) => key.endsWith('.stored')).length;
  await expect.poll(count).toBe(3);
}

async function listKeys(storage: Storage): Promise<string[]> {
  return (await Array.fromAsync(storage.list(''))).map(({ key }) => key);
}
