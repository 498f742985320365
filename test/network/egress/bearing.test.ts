// What a server's core can bear: told by what it bears.

import { expect, test } from 'vitest';
import { Bearing } from '../../../network/egress/bearing.ts';
import { Commitments } from '../../../network/egress/commitments.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

function setUp(cpuLimit = 0.9) {
  const clock = new ManualClock();
  const now = { share: 0, usedMbps: 0 };
  const bearing = new Bearing({
    clock,
    egressMbps: 10_000,
    cpuLimit,
    cpuLoad: now,
    usedMbps: () => now.usedMbps,
  });
  /** Time enough that what was before is forgotten. */
  const measure = (share: number, usedMbps: number): number => {
    Object.assign(now, { share, usedMbps });
    clock.advance(60_000);
    return bearing.mbps;
  };
  return { bearing, measure };
}

test('a core that is half used by what is sent bears less than twice that: a tenth of it stays free', () => {
  const { bearing, measure } = setUp();
  expect([measure(0.5, 2_000), bearing.isCpuBound]).toEqual([3_600, true]);
  expect(measure(0.95, 4_000)).toBe(3_790);
});

test('a core that has little to do says nothing, and one that can send more than the egress has is no limit', () => {
  const { bearing, measure } = setUp();
  expect([measure(0.29, 100), bearing.isCpuBound]).toEqual([10_000, false]);
  expect([measure(0.5, 8_000), bearing.isCpuBound]).toEqual([10_000, false]);
});

test('where something else keeps the core busy, a few viewers are taken all the same', () => {
  const { measure } = setUp();
  expect(measure(1, 0)).toBe(200);
});

test('with a limit of 1 nobody looks', () => {
  const { measure } = setUp(1);
  expect(measure(1, 500)).toBe(10_000);
});

test('beyond what the core bears no viewer is taken, and a server that would take viewers off it is', () => {
  const { bearing, measure } = setUp();
  const clock = new ManualClock();
  const commitments = new Commitments({
    ...{ egressMbps: 10_000, bearing, clock },
    bitrateMbps: () => 4,
    heaviestMbps: () => 4,
  });
  const use = { stream: 'alice', rendition: 'source', uplink: undefined };
  for (let viewer = 0; viewer < 500; viewer++) commitments.take({ ...use, by: 'viewer' });
  expect([commitments.usedMbps, commitments.limit]).toEqual([2_000, 'egress']);
  measure(0.9, commitments.usedMbps);
  expect(commitments.take({ ...use, by: 'viewer' })).toBeUndefined();
  expect(commitments.limit).toBe('cpu');
  expect(commitments.take({ ...use, by: 'server' })).toBeDefined();
});
