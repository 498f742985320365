// Recording on file systems of its own: small ones in memory that really become full, and one that may only be read.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Gap, readIndex } from '../../../../network/archive/index-file.ts';
import { assemble } from '../../../../network/archive/recording.ts';
import { checksum, systemFiles } from '../../../../origin/archive/recording/files.ts';
import { filesIn } from '../../../../origin/archive/recording/recover.ts';
import { openTestArchive } from '../../../tools/media/archives.ts';
import { Broadcaster } from '../../../tools/media/feed.ts';
import { lastingFolder } from '../../../tools/world/scratch-folder.ts';

const STARTED_AT_MS = 1_795_213_440_000;
const ID = `alice.${STARTED_AT_MS.toString(36)}`;
/** Of one second of the broadcast, with its indexes; disks are so many of them. */
const SEGMENT_BYTES = 30 * 3_000 + 20_000;

let folder: string;
let mounted: string[];
beforeEach(() => {
  folder = lastingFolder();
  mounted = [];
});
afterEach(() => {
  for (const disk of mounted) execFileSync('umount', ['-l', disk]);
});

/** Undefined where it is done; otherwise why not. */
function mount(disk: string, options: string): string | undefined {
  const path = join(folder, disk);
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
    if (!mounted.includes(path)) mounted.push(path);
    return undefined;
  } catch (error) {
    return `mounting is not permitted here: ${String((error as { stderr?: Buffer }).stderr).trim()}`;
  }
}

const sizeOf = (segments: number): string => `size=${Math.ceil((segments * SEGMENT_BYTES) / 4096) * 4096}`;

interface Recorded {
  readonly msns: readonly number[];
  readonly gaps: readonly Gap[];
  /** Names of the disks that have something of it, in the order in which that follows. */
  readonly disks: readonly string[];
}

/** What lies on the disks, each segment's bytes checked against its checksum. */
async function recordedOn(...disks: string[]): Promise<Recorded> {
  const files = [];
  const diskOf = new Map<string, string>();
  for (const disk of disks)
    for (const path of await filesIn(join(folder, disk, ID), systemFiles)) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      files.push({ name, index: readIndex((await systemFiles.read(`${path}.index`)).toString()) });
      diskOf.set(name, disk);
    }
  const [source] = assemble(files)!.renditions;
  for (const { file, at, bytes, crc } of source!.segments) {
    const media = await systemFiles.read(join(folder, diskOf.get(file)!, ID, `${file}.mp4`), at, bytes);
    expect(checksum([media])).toBe(crc);
  }
  const used = source!.segments.map(({ file }) => diskOf.get(file)!);
  return { msns: source!.segments.map(({ msn }) => msn), gaps: source!.gaps, disks: [...new Set(used)] };
}

async function record(disks: readonly string[]) {
  const folders = disks.map((disk) => join(folder, disk));
  const opened = await openTestArchive(folder, { folders });
  const broadcaster = new Broadcaster({ frameBytes: 3_000, hasAudio: false });
  opened.archive.record('alice', broadcaster.feed, STARTED_AT_MS);
  const untilWritten = (segments: number): Promise<unknown> =>
    expect
      .poll(async () => (await recordedOn(...disks).catch(() => undefined))?.msns.length ?? 0)
      .toBe(segments);
  return { ...opened, broadcaster, untilWritten };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

describe('a recording', () => {
  test('goes on on another disk when a small one is full, and nothing is missing', async ({ skip }) => {
    const refusal = mount('a', sizeOf(6)) ?? mount('b', sizeOf(5));
    skip(refusal !== undefined, refusal);
    const { archive, broadcaster, lines, untilWritten } = await record(['a', 'b']);
    for (let second = 0; second < 9; second++) {
      broadcaster.play(1);
      await untilWritten(second);
    }
    broadcaster.end();
    await archive[Symbol.asyncDispose]();
    expect(await recordedOn('a', 'b')).toEqual({ msns: range(0, 9), gaps: [], disks: ['a', 'b'] });
    const told = lines.find(({ message }) => message === 'disk is taken out of recording');
    expect(told).toMatchObject({
      fields: { disk: join(folder, 'a'), reason: expect.stringContaining('ENOSPC') },
    });
  });

  test('has a gap with its reason while the only disk is full, and goes on when there is room', async ({
    skip,
  }) => {
    const refusal = mount('a', sizeOf(4));
    skip(refusal !== undefined, refusal);
    const { archive, broadcaster, clock, lines } = await record(['a']);
    broadcaster.play(8);
    const hasGap = (): boolean => lines.some(({ message }) => message === 'recording has a gap');
    await expect.poll(hasGap).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 50));
    mount('a', `remount,${sizeOf(40)}`);
    clock.advance(6_000);
    broadcaster.play(4).end();
    await archive[Symbol.asyncDispose]();
    const { msns, gaps } = await recordedOn('a');
    const [gap] = gaps;
    expect(gaps).toHaveLength(1);
    expect(gap!.reason).toMatch(/ENOSPC|no disk has room/);
    expect(gap!.fromMsn).toBeGreaterThanOrEqual(3);
    expect([...msns, ...range(gap!.fromMsn, gap!.toMsn)].sort((one, other) => one - other)).toEqual(
      range(0, 12),
    );
  });

  test('is written elsewhere when the disk with the most room may only be read', async ({ skip }) => {
    const refusal = mount('a', `${sizeOf(100)},ro`) ?? mount('b', sizeOf(20));
    skip(refusal !== undefined, refusal);
    const { archive, broadcaster, lines } = await record(['a', 'b']);
    broadcaster.play(5).end();
    await archive[Symbol.asyncDispose]();
    expect(await recordedOn('a', 'b')).toEqual({ msns: range(0, 5), gaps: [], disks: ['b'] });
    const told = lines.find(({ message }) => message === 'disk is taken out of recording');
    expect(told).toMatchObject({
      fields: { disk: join(folder, 'a'), reason: expect.stringContaining('EROFS') },
    });
  });
});
