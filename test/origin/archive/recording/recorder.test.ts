import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryCatalogue } from '../../../../network/archive/catalogue-memory.ts';
import { readIndex, segmentsOf } from '../../../../network/archive/index-file.ts';
import { assemble, LOST, type Recording } from '../../../../network/archive/recording.ts';
import { Feed } from '../../../../network/feed/feed.ts';
import { Metrics } from '../../../../network/metrics.ts';
import { Archive } from '../../../../origin/archive/archive.ts';
import { checksum, systemFiles } from '../../../../origin/archive/recording/files.ts';
import { filesIn } from '../../../../origin/archive/recording/recover.ts';
import { Broadcaster } from '../../../tools/media/feed.ts';
import { type Failing, failingFiles } from '../../../tools/world/failing-files.ts';
import { keepingLogger } from '../../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../../tools/world/scratch-folder.ts';

const STARTED_AT_MS = 1_795_213_440_000;
const ID = `alice.${STARTED_AT_MS.toString(36)}`;

let scratch: ScratchFolder;
let folder: string;
beforeEach(async () => {
  scratch = await ScratchFolder.make();
  folder = scratch.path;
});
afterEach(() => scratch[Symbol.asyncDispose]());

interface Archiving {
  readonly files: Failing;
  readonly lines: ReturnType<typeof keepingLogger>['lines'];
  readonly clock: ManualClock;
  readonly archive: Archive;
}

async function open(disks = ['a'], fileMs = 600_000, maxMs = Number.POSITIVE_INFINITY): Promise<Archiving> {
  const files = failingFiles(systemFiles);
  const { lines, ...logger } = keepingLogger();
  const clock = new ManualClock();
  const folders = disks.map((disk) => join(folder, disk));
  const archive = await Archive.open({
    folders,
    library: { find: async () => undefined, forget: () => {} },
    catalogue: new MemoryCatalogue(),
    keeper: 'here',
    fileMs,
    reserveBytes: 0,
    policy: (stream) => ({ isRecorded: stream !== 'private', maxMs, keepDays: null, renditions: 'source' }),
    clock,
    logger,
    metrics: new Metrics(),
    files,
  });
  return { files, lines, clock, archive };
}

/** What lies on the disks, each segment's bytes checked against its checksum. */
async function recordingOn(...disks: string[]): Promise<Recording | undefined> {
  const files = [];
  for (const disk of disks) {
    for (const path of await filesIn(join(folder, disk, ID), systemFiles)) {
      const index = readIndex((await systemFiles.read(`${path}.index`)).toString());
      const media = await systemFiles.read(`${path}.mp4`);
      for (const { at, bytes, crc } of segmentsOf(index))
        expect(checksum([media.subarray(at, at + bytes)])).toBe(crc);
      files.push({ name: path.slice(path.lastIndexOf('/') + 1), index });
    }
  }
  return assemble(files);
}

function msnsOf(recording: Recording | undefined): number[] {
  return recording?.renditions[0]?.segments.map(({ msn }) => msn) ?? [];
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('a recording', () => {
  test('holds the very bytes of every segment, over a reconnect with another picture', async () => {
    const { archive } = await open();
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(5).restart({ width: 320 }).play(3).end();
    await archive[Symbol.asyncDispose]();
    const recording = (await recordingOn('a'))!;
    const [source] = recording.renditions;
    expect(msnsOf(recording)).toEqual(range(0, 8));
    expect(source!.segments.map(({ init }) => init.width)).toEqual([
      ...Array(5).fill(640),
      ...Array(3).fill(320),
    ]);
    expect(source!.durationUs).toBe(8_000_000);
    expect(source!.gaps).toEqual([]);
    expect(recording.endedAtMs).toBeDefined();
    const [path] = await filesIn(join(folder, 'a', ID), systemFiles);
    const live = Buffer.concat(broadcaster.feed.wire(1, broadcaster.next));
    const recorded = await systemFiles.read(`${path}.mp4`);
    // One init is written before the feed's first chunk; a feed's wire has it there too.
    expect(recorded.equals(live)).toBe(true);
  });

  test('begins a new file at the segment that passes the length of one', async () => {
    const { archive } = await open(['a'], 3_000);
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(8).end();
    await archive[Symbol.asyncDispose]();
    const paths = await filesIn(join(folder, 'a', ID), systemFiles);
    expect(paths.map((path) => Number(path.slice(-10)))).toEqual([0, 3, 6]);
    expect(msnsOf(await recordingOn('a'))).toEqual(range(0, 8));
  });

  test('of a broadcast that goes on at another origin stops there without having ended', async () => {
    const { archive } = await open();
    const broadcaster = new Broadcaster();
    const stop = archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(4);
    await untilRecorded(3);
    stop();
    broadcaster.play(4);
    await archive[Symbol.asyncDispose]();
    const recording = await recordingOn('a');
    expect(msnsOf(recording)).toEqual(range(0, 3));
    expect(recording!.endedAtMs).toBeUndefined();
  });

  test('is not made of a stream that is not to be recorded', async () => {
    const { archive } = await open();
    const broadcaster = new Broadcaster();
    archive.record('private', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(3).end();
    await archive[Symbol.asyncDispose]();
    expect(await systemFiles.list(join(folder, 'a'))).toEqual([]);
  });

  test('ends where a stream may not be recorded any longer', async () => {
    const { archive } = await open(['a'], 600_000, 5_000);
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(9);
    await archive[Symbol.asyncDispose]();
    const recording = await recordingOn('a');
    expect(msnsOf(recording)).toEqual(range(0, 5));
    expect(recording!.endedAtMs).toBeDefined();
  });

  test('goes on on another disk when the one it is on is full, and misses nothing', async () => {
    const { archive, files, lines } = await open(['a', 'b']);
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(4);
    await untilRecorded(3);
    const [used, other] =
      (await systemFiles.list(join(folder, 'a', ID))).length > 0 ? ['a', 'b'] : ['b', 'a'];
    files.refusal = (path) =>
      path.startsWith(join(folder, used!)) ? new Error('ENOSPC: no space left') : undefined;
    broadcaster.play(4).end();
    await archive[Symbol.asyncDispose]();
    expect(msnsOf(await recordingOn(used!))).toEqual(range(0, 3));
    expect(msnsOf(await recordingOn(used!, other!))).toEqual(range(0, 8));
    expect(lines).toContainEqual(expect.objectContaining({ message: 'disk is taken out of recording' }));
  });

  test('lists what no disk took, with the reason, and goes on when one does again', async () => {
    const { archive, files, clock, lines } = await open();
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(4);
    await untilRecorded(3);
    files.refusal = () => new Error('EROFS: read-only file system');
    broadcaster.play(2);
    await expect.poll(() => lines.some(({ message }) => message === 'recording has a gap')).toBe(true);
    await new Promise(setImmediate);
    files.refusal = () => undefined;
    clock.advance(61_000);
    broadcaster.play(3).end();
    await archive[Symbol.asyncDispose]();
    const [source] = (await recordingOn('a'))!.renditions;
    expect(source!.segments.map(({ msn }) => msn)).toEqual([...range(0, 3), ...range(5, 9)]);
    expect(source!.gaps).toEqual([
      { kind: 'gap', fromMsn: 3, toMsn: 5, reason: expect.stringMatching(/EROFS|room/) },
    ]);
  });

  test('that has fallen behind catches up in few writes, over the end of a file', async () => {
    const { archive, files } = await open(['a'], 5_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    files.gate = promise;
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(2);
    await new Promise(setImmediate);
    broadcaster.play(20);
    let writes = 0;
    files.refusal = () => {
      writes += 1;
      return undefined;
    };
    resolve();
    broadcaster.end();
    await archive[Symbol.asyncDispose]();
    const [source] = (await recordingOn('a'))!.renditions;
    expect(source!.segments.map(({ msn }) => msn)).toEqual(range(0, 22));
    expect(source!.gaps).toEqual([]);
    // Five files of two names each; a write of each at a time and not of each segment, and the lines that begin and end a file.
    expect(writes).toBeLessThan(22 + 5 * 4);
    const firsts = (await filesIn(join(folder, 'a', ID), systemFiles)).map((path) => Number(path.slice(-10)));
    expect(firsts).toEqual([0, 5, 10, 15, 20]);
  });

  test('of a disk that is too slow has a gap, and the feed never waits', async () => {
    const { archive, files } = await open();
    const feed = new Feed({ windowMs: 5_000, minSegments: 2 });
    const broadcaster = new Broadcaster({}, feed);
    const { promise, resolve } = Promise.withResolvers<void>();
    files.gate = promise;
    archive.record('alice', feed, STARTED_AT_MS);
    broadcaster.play(2);
    await new Promise(setImmediate);
    broadcaster.play(28);
    expect(feed.segments[0]!.msn).toBeGreaterThan(20);
    resolve();
    broadcaster.end();
    await archive[Symbol.asyncDispose]();
    const [source] = (await recordingOn('a'))!.renditions;
    const [gap] = source!.gaps;
    expect(source!.gaps).toHaveLength(1);
    expect(gap).toMatchObject({ reason: 'the disks were too slow' });
    const there = source!.segments.map(({ msn }) => msn);
    expect([...there, ...range(gap!.fromMsn, gap!.toMsn)].sort((a, b) => a - b)).toEqual(range(0, 30));
  });
});

describe('after a stop at any byte', () => {
  test('every segment whose line was written is there, none twice, and recording goes on', async () => {
    const whole = await bytesOf();
    const random = seeded(7);
    for (let run = 0; run < 200; run++) {
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 5 });
      const first = await open(['a'], 2_000);
      first.files.diesAfterBytes = 1 + Math.floor(random() * whole);
      const broadcaster = new Broadcaster();
      first.archive.record('alice', broadcaster.feed, STARTED_AT_MS);
      broadcaster.play(6);
      const isOver = async (): Promise<boolean> => first.files.isDead || (await linesTold()).length === 5;
      await expect.poll(isOver, { interval: 2 }).toBe(true);
      await first.files.die();
      const told = await linesTold();
      const second = await open(['a'], 2_000);
      expect(msnsOf(await recordingOn('a'))).toEqual(told);
      second.archive.record('alice', resumed(broadcaster, 6), STARTED_AT_MS);
      broadcaster.play(3).end();
      await second.archive[Symbol.asyncDispose]();
      const recording = (await recordingOn('a'))!;
      const msns = msnsOf(recording);
      expect(new Set(msns).size).toBe(msns.length);
      const missing = recording.renditions[0]!.gaps;
      for (const gap of missing) expect(gap.reason).toBe(LOST);
      expect(msns.at(-1)).toBe(8);
      broadcaster.feed.end('over');
    }
  });

  test('a segment that the index has and the disk lost in a power cut is cut off', async () => {
    const { archive, files } = await open();
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(4);
    await untilRecorded(3);
    await files.die();
    const [path] = await filesIn(join(folder, 'a', ID), systemFiles);
    const index = readIndex((await systemFiles.read(`${path}.index`)).toString());
    const last = segmentsOf(index).at(-1)!;
    await systemFiles.truncate(`${path}.mp4`, last.at + last.bytes - 10);
    await open();
    expect(msnsOf(await recordingOn('a'))).toEqual([0, 1]);
  });

  test('a damaged index is told of and left as it is', async () => {
    const { archive } = await open();
    const broadcaster = new Broadcaster();
    archive.record('alice', broadcaster.feed, STARTED_AT_MS);
    broadcaster.play(3).end();
    await archive[Symbol.asyncDispose]();
    const [path] = await filesIn(join(folder, 'a', ID), systemFiles);
    await systemFiles.append(`${path}.index`, '{"kind":"segment","msn":-1}\n');
    const { lines } = await open();
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        fields: expect.objectContaining({ reason: expect.stringContaining("has a 'msn' below 0") }),
      }),
    );
  });
});

/** A feed begins anew at the server that started again. */
function resumed(broadcaster: Broadcaster, fromMsn: number): Feed {
  const feed = new Feed();
  const { feed: old } = broadcaster;
  const copy = (sequence: number): void => {
    const chunk = old.at(sequence)!;
    if (feed.next === 0 && (!chunk.startsSegment || chunk.msn < fromMsn)) return;
    if (feed.next === 0 || chunk.startsEpoch) feed.begin(old.initOf(chunk.epoch)!);
    feed.append(chunk);
  };
  for (let sequence = old.first; sequence < old.next; sequence++) copy(sequence);
  old.subscribe((chunk) => (chunk ? copy(chunk.sequence) : feed.end('over')));
  return feed;
}

async function untilRecorded(segments: number): Promise<void> {
  const count = async (): Promise<number> => (await linesTold('a')).length + (await linesTold('b')).length;
  await expect.poll(count).toBeGreaterThanOrEqual(segments);
}

/** Numbers of the segments of which a whole line was written. */
async function linesTold(disk = 'a'): Promise<number[]> {
  const msns: number[] = [];
  for (const path of await filesIn(join(folder, disk, ID), systemFiles)) {
    const text = (await systemFiles.read(`${path}.index`)).toString();
    if (text.includes('\n')) msns.push(...segmentsOf(readIndex(text)).map(({ msn }) => msn));
  }
  return msns.sort((one, other) => one - other);
}

/** Everything that six seconds write, media and index. */
async function bytesOf(): Promise<number> {
  const { archive } = await open(['a'], 2_000);
  const broadcaster = new Broadcaster();
  archive.record('alice', broadcaster.feed, STARTED_AT_MS);
  broadcaster.play(6).end();
  await archive[Symbol.asyncDispose]();
  let bytes = 0;
  for (const path of await filesIn(join(folder, 'a', ID), systemFiles))
    for (const end of ['.mp4', '.index']) bytes += (await systemFiles.read(path + end)).length;
  return bytes;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
