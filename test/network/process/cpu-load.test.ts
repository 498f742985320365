// How busy a process is, as it says it to the cluster.

import { expect, test } from 'vitest';
import { CpuLoad, type LoopTimes } from '../../../network/process/cpu-load.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('a process that is busy for half of the time says so after some seconds, and no more when it is not', () => {
  const clock = new ManualClock();
  let times: LoopTimes = { active: 100, idle: 900 };
  using load = new CpuLoad({ clock, read: () => times });
  const pass = (active: number): number => {
    times = { active: times.active + active, idle: times.idle + 1_000 - active };
    clock.advance(1_000);
    return load.share;
  };
  expect(load.share).toBe(0);
  expect(Array.from({ length: 4 }, () => pass(500))).toEqual([0.2, 0.32, 0.39, 0.44]);
  expect(Array.from({ length: 9 }, () => pass(0)).at(-1)).toBe(0);
  clock.advance(1_000);
  expect(load.share).toBe(0);
});

test('a process that has work is busier than one that waits', async () => {
  const clock = new ManualClock();
  const shareOf = async (turn: () => Promise<void>): Promise<number> => {
    using load = new CpuLoad({ clock });
    await turn();
    clock.advance(1_000);
    return load.share;
  };
  const waits = await shareOf(() => new Promise((resolve) => setTimeout(resolve, 40)));
  const works = await shareOf(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    const untilMs = performance.now() + 40;
    while (performance.now() < untilMs);
    await new Promise((resolve) => setImmediate(resolve));
  });
  expect(works).toBeGreaterThan(waits);
});
