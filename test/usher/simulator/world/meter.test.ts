import { expect, test } from 'vitest';
import { Meter } from '../../../../usher/simulator/world/meter.ts';

test('carries what it is given up to its capacity, and counts the time over it', () => {
  const meter = new Meter('uplink', 'ams/transit', 10);
  meter.add(5_000, 0);
  meter.add(10_000, 1_000);
  expect(meter.isOver).toBe(true);
  meter.add(-10_000, 3_000);
  expect(meter.carriedKbit(4_000)).toBe(5_000 + 2 * 10_000 + 5_000);
  expect(meter.troubles(4_000)).toEqual({ overMs: 2_000, worst: 1.5, lostKbit: 10_000 });
});

test('full to the brim is not over', () => {
  const meter = new Meter('server', 'ams-1', 10);
  expect(meter.hasRoom(10_000)).toBe(true);
  meter.add(10_000, 0);
  expect(meter.hasRoom(1)).toBe(false);
  expect(meter.troubles(1_000)).toEqual({ overMs: 0, worst: 1, lostKbit: 0 });
});

test('forgets its troubles, but not what goes through it', () => {
  const meter = new Meter('link', 'ams/nyc', 10);
  meter.add(20_000, 0);
  meter.add(-12_000, 1_000);
  meter.forget(2_000);
  expect(meter.troubles(2_000)).toEqual({ overMs: 0, worst: 0.8, lostKbit: 0 });
  expect(meter.carriedKbit(3_000)).toBe(10_000 + 8_000 + 8_000);
});
