import { expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { Metrics } from '../../../network/metrics.ts';
import { measured } from '../../../network/state/measured-state.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('each verb is timed, and what it fails of is counted by its code; the clock hears the time', async () => {
  const clock = new ManualClock();
  const metrics = new Metrics();
  const away = new CodedError('state_unavailable', 'Redis is away');
  const inner = new MemoryState(clock);
  inner.find = async () => {
    clock.advance(20);
    throw away;
  };
  const heard: number[] = [];
  const state = measured(inner, {
    metrics,
    clock: { monotonic: () => clock.monotonic(), hear: (...times) => heard.push(...times) },
  });
  const { nowMs } = await state.snapshot();
  expect(heard).toEqual([nowMs, clock.monotonic(), clock.monotonic()]);
  await expect(state.find('alice')).rejects.toBe(away);
  const text = await metrics.text();
  expect(text).toContain('headwater_state_request_duration_seconds_count{verb="snapshot"} 1');
  expect(text).toContain('headwater_state_request_duration_seconds_bucket{le="0.01",verb="find"} 0');
  expect(text).toContain('headwater_state_request_duration_seconds_bucket{le="0.03",verb="find"} 1');
  expect(text).toContain('headwater_state_failures_total{verb="find",code="state_unavailable"} 1');
});
