import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordingId } from '../../../../network/archive/index-file.ts';
import type { DirectoryStorage } from '../../../../network/archive/storage-directory.ts';
import type { ClipRange } from '../../../../origin/archive/owners/clip-range.ts';
import { systemFiles } from '../../../../origin/archive/recording/files.ts';
import { openTestArchive } from '../../../tools/media/archives.ts';
import { writeRecording } from '../../../tools/media/recordings.ts';
import { ScratchFolder } from '../../../tools/world/scratch-folder.ts';

const T = 1_800_000_000_000 - 86_400_000;
const ID = recordingId('alice', T);

let scratch: ScratchFolder;
let folder: string;
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  folder = join(scratch.path, 'disk');
});
afterEach(() => scratch[Symbol.asyncDispose]());

const between = (fromS: number, toS: number): ClipRange => ({ kind: 'between', fromS, toS });

/** Ten seconds in two files, with segments 5 to 7 missing between them. */
async function openWithGap() {
  await writeRecording({ folder, stream: 'alice', startedAtMs: T, isLast: false });
  await writeRecording({ folder, stream: 'alice', startedAtMs: T, msn: 8 });
  return openTestArchive(scratch.path);
}

describe('a clip', () => {
  test.each([
    ['from within one segment to within another', between(1.5, 3.2), [1, 2, 3]],
    ['from a key frame to a key frame', between(2, 4), [2, 3]],
    ['over what is missing, which takes no time', between(4.5, 6.5), [4, 8, 9]],
    ['to beyond the end', between(8, 100), [11, 12]],
    ['of the end', { kind: 'last', lastS: 1.5 }, [11, 12]],
    ['of the end, longer than there is', { kind: 'last', lastS: 50 }, [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]],
  ] as const)('%s has the whole segments that show any of it', async (_, range, msns) => {
    const { archive, library } = await openWithGap();
    await using _archive = archive;
    const { id, durationMs, clipOf, isKept, title } = await archive.clips.cut(ID, range, 'The goal');
    expect({ durationMs, clipOf, isKept, title }).toEqual({
      durationMs: msns.length * 1000,
      clipOf: ID,
      isKept: true,
      title: 'The goal',
    });
    const { recording, files } = (await library.find(id))!;
    const { segments, gaps } = recording.renditions[0]!;
    expect(segments.map(({ msn }) => msn)).toEqual(msns);
    expect(gaps).toHaveLength(msns.some((msn, at) => at > 0 && msns[at - 1]! + 1 !== msn) ? 1 : 0);
    for (const { msn, file, at, bytes } of segments)
      expect(Buffer.from(await files.get(file)!.read(at, at + bytes))).toEqual(Buffer.alloc(1000, `${msn} `));
    expect(recording.startedAtMs).toBe(T + msns[0]! * 1000);
  });

  test.each([
    ['that begins where the recording has ended', between(10, 11), /10 s is not before the end/],
    ['that ends before it begins', between(3, 2), /ends after it begins/],
    ['of nothing', between(3, 3), /ends after it begins/],
    ['of nothing of the end', { kind: 'last', lastS: 0 } as const, /not before the end/],
  ])('%s is refused', async (_, range, reason) => {
    const { archive, disk } = await openWithGap();
    await using _archive = archive;
    await expect(archive.clips.cut(ID, range, '')).rejects.toMatchObject({
      code: 'bad_range',
      message: expect.stringMatching(reason),
    });
    expect(await idsOn(disk)).toEqual([ID]);
  });

  test('has bytes of its own: it stays when its recording expires, and plays on', async () => {
    const { archive, clock, disk, library } = await openWithGap();
    await using _archive = archive;
    const { id } = await archive.clips.cut(ID, between(1, 2), '');
    clock.set(T + 400 * 86_400_000);
    await archive.janitor.round();
    await archive.janitor.round();
    expect(await idsOn(disk)).toEqual([id]);
    expect((await library.find(id))!.recording.renditions[0]!.segments).toHaveLength(1);
  });

  test('without its manifest is still a clip, and kept', async () => {
    const { archive, disk, listed } = await openWithGap();
    await using _archive = archive;
    const { id } = await archive.clips.cut(ID, between(1, 2), 'gone');
    await disk.remove(`${id}/manifest.json`);
    await archive.stock.own.note(id);
    const entry = (await listed()).find((each) => each.id === id);
    expect(entry).toMatchObject({ clipOf: ID, isKept: true, title: '' });
  });

  test('each has a name of its own, also when the clock stands still', async () => {
    const { archive } = await openWithGap();
    await using _archive = archive;
    const cut = () => archive.clips.cut(ID, between(1, 2), '');
    const ids = [await cut(), await cut(), await cut()].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  test('of bytes that were damaged is refused, and nothing is left of it', async () => {
    const { archive, disk } = await openWithGap();
    await using _archive = archive;
    const path = join(folder, ID, 'source.0000000000.mp4');
    const bytes = await readFile(path);
    bytes.fill('x', 1_500, 1_600);
    await writeFile(path, bytes);
    await expect(archive.clips.cut(ID, between(0, 3), '')).rejects.toMatchObject({ code: 'damaged' });
    expect(await idsOn(disk)).toEqual([ID]);
  });

  test('finds no room on a disk that is full', async () => {
    await writeRecording({ folder, stream: 'alice', startedAtMs: T });
    const files = { ...systemFiles, freeBytes: async () => 10 };
    const { archive } = await openTestArchive(scratch.path, { files, reserveBytes: 100 });
    await using _archive = archive;
    await expect(archive.clips.cut(ID, between(0, 3), '')).rejects.toMatchObject({ code: 'no_room' });
  });
});

async function idsOn(disk: DirectoryStorage): Promise<string[]> {
  const keys = (await Array.fromAsync(disk.list(''))).map(({ key }) => key);
  return [...new Set(keys.map((key) => key.split('/')[0]!))];
}
