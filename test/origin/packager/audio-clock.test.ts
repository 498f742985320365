// Audio counted in samples: jitter is ignored, gaps and overlaps are found.

import { expect, test } from 'vitest';
import { AudioClock } from '../../../origin/packager/audio-clock.ts';

const RATE = 48_000;
const FRAME = 1024;
const samples = (ms: number): number => (ms / 1000) * RATE;

/** Pushes a frame at each stamp; what is missing before it is skipped. Returns what the clock said of each. */
function push(clock: AudioClock, stampsMs: readonly number[]): (number | undefined)[] {
  return stampsMs.map((ms) => {
    const missing = clock.missingBefore(samples(ms), FRAME);
    if (missing !== undefined) clock.advance(missing + FRAME);
    return missing;
  });
}

function steady(count: number, startMs = 0): number[] {
  return Array.from({ length: count }, (_unused, index) =>
    Math.round(startMs + (index * FRAME * 1000) / RATE),
  );
}

test('rounded milliseconds over an hour leave frame behind frame', () => {
  const clock = new AudioClock(RATE, 0);
  const said = push(clock, steady(168_750));
  expect(said.every((missing) => missing === 0)).toBe(true);
  expect(clock.next).toBe(168_750 * FRAME);
});

test('the first frame is placed where its timestamp says', () => {
  const clock = new AudioClock(RATE, 0);
  expect(push(clock, [100])).toEqual([4800]);
});

test('jitter of 90 ms for nine frames is ignored, and believed at the tenth', () => {
  const clock = new AudioClock(RATE, 0);
  push(clock, steady(10));
  const late = steady(30)
    .slice(10)
    .map((ms) => ms + 90);
  const said = push(clock, late.slice(0, 9));
  expect(said).toEqual(new Array(9).fill(0));
  expect(push(clock, [late[9]!])[0]).toBeCloseTo(samples(90), -2);
});

test('a gap of 100 ms is found at once', () => {
  const clock = new AudioClock(RATE, 0);
  push(clock, steady(10));
  expect(push(clock, [steady(11)[10]! + 150])[0]).toBeCloseTo(samples(150), -2);
});

test('frames that overlap by more than half are dropped until they do not', () => {
  const clock = new AudioClock(RATE, 0);
  push(clock, steady(50));
  const again = steady(60).slice(40);
  const said = push(clock, again);
  expect(said.slice(0, 10)).toEqual(new Array(10).fill(undefined));
  expect(said.slice(10).every((missing) => missing !== undefined && missing < 100)).toBe(true);
});

test('frames before the start are dropped', () => {
  const clock = new AudioClock(RATE, samples(1_000));
  expect(push(clock, [900, 921, 943, 964, 985, 1_007])).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    expect.any(Number),
  ]);
});
