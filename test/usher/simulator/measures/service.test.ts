import { expect, test } from 'vitest';
import { costOf, unservedPercent } from '../../../../usher/simulator/measures/service.ts';

const costs = { transit: 700, links: 200, cdn: 100 };
const all = { ownHours: 90, cdnHours: 10, refusedHours: 0, lostHours: 0, unservedKbit: 0 };

test('who serves all has one price per hour, with a CDN in the network or without', () => {
  expect(unservedPercent(all)).toBe(0);
  for (const prices of [[], [12_000]])
    expect(costOf(costs, all, prices)).toMatchObject({ total: 1_000, perViewerHour: 10, perHourOfAll: 10 });
});

test('hours that were refused or lost make those that were served dearer, and the cheapest CDN would take them', () => {
  const half = { ...all, refusedHours: 60, lostHours: 20, unservedKbit: 8e6 };
  expect(unservedPercent(half)).toBe(50);
  expect(costOf(costs, half, [20_000, 3_000])).toMatchObject({
    perViewerHour: 12.5,
    unserved: 3_000,
    perHourOfAll: 25,
  });
});

test('without a CDN nobody knows what it would cost to serve all', () => {
  const half = { ...all, lostHours: 50, unservedKbit: 8e6 };
  expect(costOf(costs, half, [])).toMatchObject({ unserved: undefined, perHourOfAll: undefined });
});
