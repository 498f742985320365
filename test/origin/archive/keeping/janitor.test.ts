import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { STORAGE } from '../../../../network/archive/catalogue.ts';
import { recordingId } from '../../../../network/archive/index-file.ts';
import type { Storage } from '../../../../network/archive/storage.ts';
import { DirectoryStorage } from '../../../../network/archive/storage-directory.ts';
import type { RecordingPolicy } from '../../../../origin/archive/policy.ts';
import { systemFiles } from '../../../../origin/archive/recording/files.ts';
import { openTestArchive, testStock } from '../../../tools/media/archives.ts';
import { writeRecording } from '../../../tools/media/recordings.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../../tools/world/scratch-folder.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const T = 1_800_000_000_000;

let scratch: ScratchFolder;
let folder: string;
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  folder = join(scratch.path, 'disk');
});
afterEach(() => scratch[Symbol.asyncDispose]());

async function idsIn(storage: Storage): Promise<string[]> {
  const keys = (await Array.fromAsync(storage.list(''))).map(({ key }) => key);
  return [...new Set(keys.filter((key) => key.endsWith('.mp4')).map((key) => key.split('/')[0]!))];
}

describe('over a year of a broadcast every third day', () => {
  test('three weeks are there, on the disk and in storage, and whatever was kept in time', async () => {
    const storage = new DirectoryStorage([join(scratch.path, 'store')]);
    const policy = (): RecordingPolicy => ({
      isRecorded: true,
      maxMs: Number.POSITIVE_INFINITY,
      keepDays: 21,
      renditions: 'source',
    });
    const ids: string[] = [];
    const kept: string[] = [];
    let removed = 0;
    for (let day = 0; day < 365; day += 3) {
      const startedAtMs = T + day * DAY_MS;
      const id = recordingId('alice', startedAtMs);
      ids.push(id);
      await writeRecording({ folder, stream: 'alice', startedAtMs, segments: 2, segmentBytes: 10 });
      const clock = new ManualClock(startedAtMs + HOUR_MS);
      const { archive, listed, lines } = await openTestArchive(scratch.path, { storage, policy, clock });
      const isStored = async () =>
        (await listed()).some((entry) => entry.id === id && entry.keeper === STORAGE);
      await expect.poll(isStored, { interval: 1 }).toBe(true);
      if (day % 90 === 0) {
        kept.push(id);
        await archive.stock.say(id, { isKept: true, title: `day ${day}` });
      }
      // The first began when this one may not have been there yet.
      for (const _ of [1, 2]) await archive.janitor.round();
      await archive[Symbol.asyncDispose]();
      const entries = await listed();
      for (const keeper of ['here', STORAGE]) {
        const there = entries.filter((entry) => entry.keeper === keeper).map((entry) => entry.id);
        expect(there.sort()).toEqual([...new Set([...kept, ...ids.slice(-7)])].sort());
      }
      removed += lines.filter(({ message }) => message === 'recording is removed').length;
    }
    const left = [...new Set([...kept, ...ids.slice(-7)])].sort();
    for (const each of [new DirectoryStorage([folder]), storage]) expect(await idsIn(each)).toEqual(left);
    expect(removed).toBe(2 * (ids.length - left.length));
    expect(kept).toHaveLength(5);
  });
});

describe('an operator who asks what would go', () => {
  test('is told, and nothing goes', async () => {
    const startedAtMs = T - 8 * DAY_MS;
    for (const each of [startedAtMs, T]) await writeRecording({ folder, stream: 'alice', startedAtMs: each });
    const { clock, disk, janitor } = testStock(scratch.path);
    clock.set(T);
    const wanted = { id: recordingId('alice', startedAtMs), where: 'here', why: 'expired' };
    expect(await janitor.clean({ dryRun: true })).toEqual([expect.objectContaining(wanted)]);
    expect(await idsIn(disk)).toHaveLength(2);
    expect(await janitor.clean()).toEqual([expect.objectContaining(wanted)]);
    expect(await idsIn(disk)).toEqual([recordingId('alice', T)]);
  });
});

describe('a disk that is short of space', () => {
  test('loses the oldest files that are in storage, and their recording plays on from there', async () => {
    const storage = new DirectoryStorage([join(scratch.path, 'store')]);
    let freeBytes = 10_000;
    const files = { ...systemFiles, freeBytes: async () => freeBytes };
    const options = { storage, files, reserveBytes: 1_000 };
    const { archive, clock, disk, library } = await openTestArchive(scratch.path, options);
    await using _ = archive;
    for (const day of [5, 4, 3])
      await writeRecording({ folder, stream: 'alice', startedAtMs: T - day * DAY_MS });
    clock.advance(600_000);
    await expect.poll(() => idsIn(storage)).toHaveLength(3);
    await expect.poll(() => marksIn(disk)).toBe(3);
    // 3,000 are wanted; each file has 5,007, and its index.
    freeBytes = 1_500;
    clock.advance(10_000);
    await expect.poll(() => idsIn(disk)).toHaveLength(2);
    freeBytes = 10_000;
    const oldest = recordingId('alice', T - 5 * DAY_MS);
    expect(await idsIn(disk)).not.toContain(oldest);
    expect((await library.find(oldest))!.recording.renditions[0]!.segments).toHaveLength(5);
  });

  test('and has nothing that is in storage loses nothing, and says so once', async () => {
    const files = { ...systemFiles, freeBytes: async () => 10 };
    const { archive, clock, disk, lines } = await openTestArchive(scratch.path, {
      files,
      reserveBytes: 1_000,
    });
    await using _ = archive;
    await writeRecording({ folder, stream: 'alice', startedAtMs: T - DAY_MS });
    const told = () => lines.filter(({ message }) => message.startsWith('disk is nearly full'));
    clock.advance(10_000);
    await expect.poll(told).toHaveLength(1);
    clock.advance(10_000);
    await new Promise(setImmediate);
    expect(await idsIn(disk)).toHaveLength(1);
    expect(told()).toHaveLength(1);
  });
});

describe('what was damaged', () => {
  test('a manifest that makes no sense is made anew, and the recording kept, for nobody knows what was said', async () => {
    await writeRecording({ folder, stream: 'alice', startedAtMs: T - 100 * DAY_MS });
    const id = recordingId('alice', T - 100 * DAY_MS);
    await writeFile(join(folder, id, 'manifest.json'), '{"id":"../../etc","isKept":fal');
    const { archive, lines, listed } = await openTestArchive(scratch.path);
    await using _ = archive;
    await expect.poll(() => listed()).toMatchObject([{ id, isKept: true, durationMs: 5000 }]);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'error', message: 'recording is kept' }));
    expect(JSON.parse(await readFile(join(folder, id, 'manifest.json'), 'utf8'))).toMatchObject({ id });
  });

  test('a file whose index makes no sense is left as it is; the others of its recording play, with a gap', async () => {
    const startedAtMs = T - HOUR_MS;
    const id = recordingId('alice', startedAtMs);
    for (const msn of [0, 5, 10])
      await writeRecording({ folder, stream: 'alice', startedAtMs, msn, isLast: msn === 10 });
    await appendFile(join(folder, id, 'source.0000000005.index'), '{"kind":"segment","msn":-1}\n');
    const { archive, lines, listed, library } = await openTestArchive(scratch.path);
    await using _ = archive;
    await expect.poll(() => listed()).toHaveLength(1);
    const [source] = (await library.find(id))!.recording.renditions;
    expect(source!.segments.map(({ msn }) => msn)).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
    expect(source!.gaps).toMatchObject([{ fromMsn: 5, toMsn: 10 }]);
    expect(lines).toContainEqual(expect.objectContaining({ message: 'recorded file is damaged' }));
    expect(await systemFiles.list(join(folder, id))).toContain('source.0000000005.mp4');
  });

  test('nothing that makes no sense at all is removed before its time', async () => {
    const id = recordingId('alice', T - HOUR_MS);
    await writeRecording({ folder, stream: 'alice', startedAtMs: T - HOUR_MS });
    await writeFile(join(folder, id, 'source.0000000000.index'), 'what?\n');
    const { archive, lines, disk, library } = await openTestArchive(scratch.path);
    await using _ = archive;
    await expect.poll(() => lines.map(({ message }) => message)).toContain('recording is left as it is');
    expect(await idsIn(disk)).toEqual([id]);
    await expect(library.find(id)).rejects.toMatchObject({ code: 'bad_index' });
  });
});

async function marksIn(disk: Storage): Promise<number> {
  const objects = await Array.fromAsync(disk.list(''));
  return objects.filter(({ key }) => key.endsWith('.stored')).length;
}
