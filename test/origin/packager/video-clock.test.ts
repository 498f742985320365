// Decode times of video against the milliseconds that RTMP gives.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FrameTime, VideoClock } from '../../../origin/packager/video-clock.ts';

/** Frames at these times in ms, as RTMP would round them. */
function place(timesMs: readonly number[], round: (ms: number) => number = Math.round): FrameTime[] {
  const stamps = timesMs.map((ms) => round(ms) * 90);
  const clock = new VideoClock(stamps.length > 1 ? stamps[1]! - stamps[0]! : undefined);
  return stamps.map((ticks) => clock.place(ticks));
}

function regular(rate: number, count: number, startMs = 0): number[] {
  return Array.from({ length: count }, (_unused, index) => startMs + (index * 1000) / rate);
}

function steps(frames: readonly FrameTime[]): number[] {
  return frames.slice(1).map((frame, index) => frame.decodeTicks - frames[index]!.decodeTicks);
}

const ROUNDINGS = { round: Math.round, floor: Math.floor, ceil: Math.ceil };

test.each(
  [10, 12, 15, 20, 24, 25, 30, 50, 60, 120].flatMap((rate) =>
    (['round', 'floor', 'ceil'] as const).map((rounding) => ({ rate, rounding })),
  ),
)('$rate Hz, made whole ms by $rounding, is $rate Hz from the first frame on', ({ rate, rounding }) => {
  for (const startMs of [0, 0.4, 0.7]) {
    const frames = place(regular(rate, 1_000, startMs), ROUNDINGS[rounding]);
    for (const step of steps(frames)) expect(step).toBe(90_000 / rate);
    for (const frame of frames) expect(frame.durationTicks).toBe(90_000 / rate);
  }
});

test.each([30_000 / 1001, 60_000 / 1001, 24_000 / 1001, 27, 59.3, 29.9999, 30.0003])(
  'over an hour %d Hz stays within 2.2 ms of RTMP time, and its steps within a tick once it is known',
  (rate) => {
    const timesMs = regular(rate, Math.round(rate * 3600));
    const frames = place(timesMs);
    let worstMs = 0;
    for (const [index, frame] of frames.entries())
      worstMs = Math.max(worstMs, Math.abs(frame.decodeTicks / 90 - Math.round(timesMs[index]!)));
    expect(worstMs).toBeLessThanOrEqual(2.21);
    const odd = steps(frames).filter((step) => Math.abs(step - 90_000 / rate) > 1.5);
    expect(odd.length).toBeLessThan(frames.length / 500);
  },
);

test('a frame that is left out is a longer step, and the beat goes on', () => {
  const timesMs = regular(30, 300).filter((_ms, index) => index < 10 || index % 11 !== 0);
  expect(new Set(steps(place(timesMs)))).toEqual(new Set([3000, 5999, 3001]));
});

test('a frame that is late is shown then, and decoded no more than two durations after the one before', () => {
  const clock = new VideoClock(3000);
  const placed = [0, 33, 133, 167, 200, 700, 733, 4_000].map((ms) => {
    const time = clock.place(ms * 90);
    return { ...time, shownTicks: time.decodeTicks + clock.composition(0) };
  });
  expect(placed.map(({ shownTicks }) => shownTicks)).toEqual([
    0, 3_000, 12_000, 15_000, 18_000, 63_000, 66_000, 360_000,
  ]);
  for (const [index, { decodeTicks }] of placed.slice(1, -1).entries())
    expect(decodeTicks - placed[index]!.decodeTicks).toBeLessThan(2 * placed[index]!.durationTicks);
  expect(placed.at(-1)!.decodeTicks).toBe(360_000);
});

test('a new rate is known after two frames', () => {
  const timesMs = [...regular(30, 90), ...regular(60, 120, 3_000), ...regular(15, 60, 5_000)];
  const frames = place(timesMs);
  expect(frames[95]!.durationTicks).toBe(1500);
  expect(frames[89 + 120 + 5]!.durationTicks).toBe(6000);
});

test('composition offsets that are whole frames, rounded to ms, become whole frames', () => {
  const clock = new VideoClock(3000);
  for (const ms of [0, 33, 67, 100, 133]) {
    clock.place(ms * 90);
    expect([33, 67, 100].map((compositionMs) => clock.composition(compositionMs))).toEqual([
      3000, 6000, 9000,
    ]);
    expect(clock.composition(50)).toBe(4500);
  }
});

test('whatever the timestamps, decode times grow, and stay near those that grow themselves', () => {
  const stepsMs = fc.array(
    fc.oneof(fc.integer({ min: -250, max: 3_000 }), fc.integer({ min: 10, max: 50 })),
    {
      maxLength: 300,
    },
  );
  fc.assert(
    fc.property(stepsMs, (deltas) => {
      let ms = 0;
      let latestMs = Number.NEGATIVE_INFINITY;
      const clock = new VideoClock();
      let last = Number.NEGATIVE_INFINITY;
      for (const delta of deltas) {
        ms += delta;
        const behind = latestMs - ms;
        latestMs = Math.max(latestMs, ms);
        const { decodeTicks, durationTicks } = clock.place(ms * 90);
        expect(decodeTicks).toBeGreaterThan(last);
        expect(durationTicks).toBeGreaterThan(0);
        last = decodeTicks;
        if (behind < 0) expect((decodeTicks + clock.composition(0)) / 90).toBeGreaterThan(ms - 2.3);
      }
    }),
  );
});
