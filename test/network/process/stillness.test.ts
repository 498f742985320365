// A process that stood still says so, and for how long; one that is about to run out of file descriptors, too.

import { expect, test } from 'vitest';
import type { Clock } from '../../../network/clock.ts';
import { Metrics } from '../../../network/metrics.ts';
import { type DescriptorCount, Descriptors } from '../../../network/process/descriptors.ts';
import { Stillness } from '../../../network/process/stillness.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('an event loop that was held up for two seconds is counted and logged once; one that is a little late is not', async () => {
  let nowMs = 5_000;
  let look = (): void => {};
  const clock: Clock = {
    now: () => 0,
    monotonic: () => nowMs,
    after: () => ({ cancel: () => {} }),
    every(_, run) {
      look = run;
      return { cancel: () => {} };
    },
  };
  const metrics = new Metrics();
  const logger = keepingLogger();
  using _stillness = new Stillness({ clock, logger, metrics });
  for (const passedMs of [250, 900, 250, 2_250, 250]) {
    nowMs += passedMs;
    look();
  }
  expect(logger.lines).toEqual([
    { level: 'warn', fields: { stillMs: 2_000 }, message: 'this process stood still' },
  ]);
  expect(await metrics.total(['headwater_standstills_total'])).toBe(1);
  expect(await metrics.total(['headwater_standstill_seconds_total'])).toBe(2);
});

test('with 5 % of its descriptors left a process says so once, and is to get no new work until it has 10 % again', async () => {
  let count: DescriptorCount | undefined;
  const logger = keepingLogger();
  using descriptors = new Descriptors({ clock: new ManualClock(), logger, read: async () => count });
  const conditions = [];
  for (const open of [undefined, 949, 950, 1_000, 940, 900, 899, 949]) {
    count = open === undefined ? undefined : { open, limit: 1_000 };
    await descriptors.look();
    conditions.push(descriptors.condition?.detail.slice(0, 11));
  }
  const none = undefined;
  expect(conditions).toEqual([
    none,
    none,
    '950 of 1000',
    '1000 of 100',
    '940 of 1000',
    '900 of 1000',
    none,
    none,
  ]);
  expect(logger.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['error', { open: 950, limit: 1_000 }],
    ['info', { open: 899, limit: 1_000 }],
  ]);
});
