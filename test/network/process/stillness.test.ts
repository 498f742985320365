// A process that stood still says so, and for how long.

import { expect, test } from 'vitest';
import type { Clock } from '../../../network/clock.ts';
import { Metrics } from '../../../network/metrics.ts';
import { Stillness } from '../../../network/process/stillness.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';

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
