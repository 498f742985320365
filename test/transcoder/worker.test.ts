// A worker: the jobs that the plan gives it, and how many it can have.

import { expect, test } from 'vitest';
import { cpuMsOf } from '../../transcoder/ffmpeg/ffmpeg.ts';
import { Speed } from '../../transcoder/speed.ts';
import { Worker } from '../../transcoder/worker.ts';
import {
  Bench,
  chunksOf,
  expectAligned,
  fileOf,
  newFeed,
  Publisher,
  SMALL,
  shownTicks,
  untilChunk,
} from '../tools/cluster/transcoding.ts';
import { readFlvFile } from '../tools/media/flv-file.ts';
import { clip, decodeComplaints, sources } from '../tools/media/media.ts';

const TINY = { ...SMALL, name: '46p30', width: 80, height: 46 };
const ENCODED = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-c:a', 'aac', '-f', 'flv'];

test('a rung goes on at the next segment while another comes and goes, and one that is wanted no more is gone at once', async () => {
  const source = newFeed();
  const bench = new Bench(source);
  await using worker = new Worker({ ...bench.options(), slots: 2, cores: 2, cpuMsOf });
  const publisher = new Publisher(source);
  const messages = readFlvFile(clip('flv', [...sources({ seconds: 4 }), ...ENCODED]));
  const publishTo = (endMs: number): void => {
    publisher.push(messages.splice(0, messages.filter(({ timestampMs }) => timestampMs < endMs).length));
  };
  const [small, tiny] = [await bench.adopt('alice', SMALL.name), await bench.adopt('alice', TINY.name)];
  const stages = [
    { endMs: 1_300, rungs: [SMALL] },
    { endMs: 2_600, rungs: [SMALL, TINY] },
    { endMs: 4_000, rungs: [SMALL] },
  ];
  for (const { endMs, rungs } of stages) {
    worker.assign([{ stream: 'alice', rungs }]);
    publishTo(endMs);
    await untilChunk(small, ({ decodeTime, trackId }) => trackId === 1 && decodeTime > (endMs - 200) * 90);
  }
  publisher.end();
  source.end('over');
  await expect.poll(() => small.ended).toBe('over');
  expect(shownTicks(small)).toEqual(shownTicks(source));
  for (const rung of [small, tiny]) {
    expectAligned(rung, source);
    expect(decodeComplaints(fileOf(rung))).toBe('');
  }
  expect(bench.dropped).toEqual([TINY.name]);
  expect(bench.released).toEqual([]);
  expect(bench.cut).toEqual([]);
  expect(chunksOf(small, 1).filter(({ keyframe, startsSegment }) => keyframe && !startsSegment)).toEqual([]);
  worker.assign([]);
  await expect.poll(() => worker.records).toEqual([]);
});

test('a server has a slot for every two cores, and then as many as the CPU that its jobs take leaves room for', () => {
  const speed = new Speed(8);
  expect(speed.slots).toBe(4);
  for (let second = 0; second <= 60; second++)
    speed.measure(
      new Map([
        [1, second * 500],
        [2, second * 300],
      ]),
      second * 1_000,
    );
  expect(speed.slots).toBe(Math.floor((8 * 0.85) / 0.4));
  for (let second = 61; second <= 200; second++)
    speed.measure(new Map([[3, second * 3_400]]), second * 1_000);
  expect(speed.slots).toBe(2);
});
