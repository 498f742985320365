// Segments and parts: where they begin, and how long they may get.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PART_MAX_MS } from '../../../network/feed/hls-limits.ts';
import type { Mark } from '../../../network/media/chunk.ts';
import { Cuts, type LeadFrame } from '../../../origin/packager/cuts.ts';

const NONE = { msn: 0, discontinuitySequence: 0, targetDurationS: 0 };

/** Marks of frames at a constant rate, a key frame every `gop` frames. */
function marks(rate: number, gop: number, count: number, cuts = new Cuts(NONE)): Mark[] {
  const durationTicks = 90_000 / rate;
  return Array.from({ length: count }, (_unused, index) => {
    const frame: LeadFrame = { ticks: index * durationTicks, durationTicks, keyframe: index % gop === 0 };
    return index === 0 ? cuts.beginEpoch(1_700_000_000, false, 0) : cuts.lead(frame);
  });
}

/** Frames from each start to the next. */
function lengths(all: readonly Mark[], of: 'startsSegment' | 'startsPart'): number[] {
  const starts = all.flatMap((mark, index) => (mark[of] ? [index] : []));
  return starts.slice(1).map((start, index) => start - starts[index]!);
}

test.each([
  { rate: 30, frames: 6 },
  { rate: 60, frames: 12 },
  { rate: 25, frames: 5 },
  { rate: 24, frames: 5 },
  { rate: 50, frames: 10 },
  { rate: 120, frames: 24 },
  { rate: 10, frames: 2 },
])('at $rate Hz every part is $frames frames', ({ rate, frames }) => {
  expect(new Set(lengths(marks(rate, frames * 5, frames * 50), 'startsPart'))).toEqual(new Set([frames]));
});

test('from 4.5 to 240 Hz no part is longer than is advertised', () => {
  for (let rate = 4.5; rate < 240; rate += 0.1) {
    const frames = Math.max(...lengths(marks(rate, 1_000_000, Math.round(rate * 8)), 'startsPart'));
    expect((frames * 1000) / rate).toBeLessThanOrEqual(PART_MAX_MS);
  }
});

test('at usual rates, the parts of a segment but its last are 85 % of the maximum or longer', () => {
  for (const rate of [
    15,
    20,
    24_000 / 1001,
    24,
    25,
    30_000 / 1001,
    30,
    48,
    50,
    60_000 / 1001,
    60,
    90,
    100,
    120,
  ]) {
    const frames = Math.min(...lengths(marks(rate, 1_000_000, Math.round(rate * 8)), 'startsPart'));
    expect((frames * 1000) / rate).toBeGreaterThanOrEqual(0.85 * PART_MAX_MS);
  }
});

test.each([
  { rate: 30, gop: 60, targetDurationS: 2 },
  { rate: 30_000 / 1001, gop: 60, targetDurationS: 2 },
  { rate: 30_000 / 1001, gop: 30, targetDurationS: 1 },
  { rate: 30, gop: 8, targetDurationS: 1 },
  { rate: 30, gop: 45, targetDurationS: 2 },
  { rate: 25, gop: 250, targetDurationS: 10 },
])(
  'a first GOP of $gop frames at $rate Hz fixes $targetDurationS s, from the next segment on',
  ({ rate, gop, targetDurationS }) => {
    const all = marks(rate, gop, gop * 5);
    const second = all.findIndex((mark, index) => index > 0 && mark.startsSegment);
    for (const [index, mark] of all.entries())
      expect(mark.targetDurationS).toBe(index < second ? 0 : targetDurationS);
  },
);

test('no segment rounds to more than the target duration, however key frames come', () => {
  const frames = fc.array(fc.record({ durationMs: fc.integer({ min: 5, max: 120 }), isKey: fc.boolean() }), {
    minLength: 400,
    maxLength: 800,
  });
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 40 }), (list, rarity) => {
      const cuts = new Cuts(NONE);
      let ticks = 0;
      let started = 0;
      cuts.beginEpoch(1, false, 0);
      for (const [index, { durationMs, isKey }] of list.entries()) {
        const keyframe = isKey && index % rarity === 0;
        const mark =
          index === 0 ? cuts.follow() : cuts.lead({ ticks, durationTicks: durationMs * 90, keyframe });
        if (mark.startsSegment) {
          expect(Math.round((ticks - started) / 90_000)).toBeLessThanOrEqual(mark.targetDurationS);
          started = ticks;
        }
        ticks += durationMs * 90;
      }
    }),
    { numRuns: 50 },
  );
});

test('a segment begins by key frames half a second apart or more', () => {
  expect(new Set(lengths(marks(30, 1, 300), 'startsSegment'))).toEqual(new Set([15]));
  expect(new Set(lengths(marks(60, 10, 600), 'startsSegment'))).toEqual(new Set([30]));
});

test('the numbers go on from one epoch to the next', () => {
  const cuts = new Cuts({ msn: 40, discontinuitySequence: 2, targetDurationS: 2 });
  const all = marks(30, 60, 180, cuts);
  expect(all[0]).toMatchObject({
    msn: 40,
    part: 0,
    discontinuitySequence: 2,
    targetDurationS: 2,
    startsEpoch: true,
  });
  expect(all.at(-1)).toMatchObject({ msn: 42, part: 9, startsEpoch: false });
  expect(cuts.numbers).toEqual({ msn: 43, discontinuitySequence: 3, targetDurationS: 2 });
});
