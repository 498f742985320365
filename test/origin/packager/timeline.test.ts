// Timestamps that wrap, jump, go back and straggle, on one line of media time.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Timeline, type TrackKind } from '../../../origin/packager/timeline.ts';

function placeAll(stamps: readonly (readonly [TrackKind, number])[]): number[] {
  const timeline = new Timeline();
  return stamps.map(([kind, ms]) => timeline.place(kind, ms)!);
}

test('the first timestamp is zero, whatever it says', () => {
  expect(
    placeAll([
      ['video', 4_000_000_000],
      ['audio', 4_000_000_021],
    ]),
  ).toEqual([0, 21]);
});

test('the wrap of 2^32 ms is a step like any other', () => {
  expect(
    placeAll([
      ['video', 2 ** 32 - 20],
      ['video', 13],
      ['audio', 5],
      ['video', 46],
    ]),
  ).toEqual([0, 33, 25, 66]);
});

test('a jump is one step of its track, and the other track follows when it jumps', () => {
  const stamps = [
    ['video', 0],
    ['audio', 0],
    ['video', 40],
    ['audio', 21],
    ['video', 80],
    ['audio', 42],
    ['video', 900_000],
    ['audio', 63],
    ['audio', 84],
    ['audio', 899_985],
    ['video', 900_040],
  ] as const;
  expect(placeAll(stamps)).toEqual([0, 0, 40, 21, 80, 42, 120, 63, 84, 105, 160]);
});

test('one stray timestamp changes nothing for those behind it', () => {
  const stamps = [
    ['video', 2_000],
    ['video', 2_040],
    ['video', 0],
    ['video', 2_120],
    ['audio', 2_130],
    ['video', 2_160],
  ] as const;
  expect(placeAll(stamps)).toEqual([0, 40, 80, 120, 130, 160]);
});

test('a track that alone went back takes the other along a second later', () => {
  const timeline = new Timeline();
  const difference = (ms: number): number =>
    timeline.place('video', ms < 2_000 ? ms : ms - 500)! - timeline.place('audio', ms)!;
  const differences = Array.from({ length: 100 }, (_unused, index) => difference(index * 40));
  expect(differences.slice(0, 70)).toEqual(new Array(70).fill(0));
  expect(differences.at(-1)).toBe(-500);
});

test('a gap in one track while the other goes on is a gap', () => {
  const stamps: [TrackKind, number][] = [['video', 0]];
  for (let ms = 0; ms <= 10_000; ms += 20) stamps.push(['audio', ms]);
  stamps.push(['video', 10_010]);
  expect(placeAll(stamps).at(-1)).toBe(10_010);
});

test('beyond a limit nothing is placed and nothing remembered', () => {
  const timeline = new Timeline();
  timeline.place('video', 0);
  timeline.place('audio', 0);
  for (let ms = 20; ms < 60_000; ms += 20) {
    const placed = timeline.place('audio', ms, 1_000);
    expect(placed === undefined).toBe(ms > 1_000);
  }
  expect(timeline.place('video', 60_000)).toBe(750);
  expect(timeline.place('audio', 60_010)).toBe(760);
});

test('whatever the timestamps, a packet is placed at most three seconds ahead of the newest', () => {
  const stamp = fc.tuple(
    fc.constantFrom<TrackKind>('video', 'audio'),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(stamp, { minLength: 1, maxLength: 200 }), (stamps) => {
      let newest = 0;
      for (const ms of placeAll(stamps)) {
        expect(ms).toBeLessThanOrEqual(newest + 3_000);
        newest = Math.max(newest, ms);
      }
    }),
  );
});
