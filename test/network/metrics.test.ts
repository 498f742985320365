// The text of all metrics, which costs a millisecond and more to write.

import { expect, test } from 'vitest';
import { Metrics } from '../../network/metrics.ts';

test('is written once for all who ask for it meanwhile, and anew for who asks then', async () => {
  const metrics = new Metrics();
  let times = 0;
  metrics.gauge('times', 'How often it was written.', [], (gauge) => gauge.set(++times));
  const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.text()));
  expect(new Set(texts).size).toBe(1);
  expect(texts[0]).toContain('times 1\n');
  expect(await metrics.text()).toContain('times 2\n');
});
