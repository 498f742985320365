import { expect, test } from 'vitest';
import { billedMbps, transitPrice, volumePrice } from '../../../../usher/simulator/measures/bill.ts';

const MONTH_MS = 30 * 86_400_000;
const percentile = {
  kind: 'percentile',
  percentile: 95,
  microUsdPerMbpsMonth: 300_000,
  commitMbps: 100,
} as const;

/** A day of 5-minute intervals at one level, some of them higher. */
function day(mbps: number, peaks: number, peakMbps: number): number[] {
  return Array.from({ length: 288 }, (_, index) => (index < peaks ? peakMbps : mbps));
}

test('the highest 5 % of intervals are not billed: 14 of a day of 288', () => {
  expect(billedMbps(day(1_000, 14, 9_000), 95)).toBe(1_000);
  expect(billedMbps(day(1_000, 15, 9_000), 95)).toBe(9_000);
  expect(billedMbps(day(1_000, 28, 9_000), 90)).toBe(1_000);
  expect(billedMbps(day(1_000, 29, 9_000), 90)).toBe(9_000);
});

test('less than 20 intervals leave none out at 95 %', () => {
  expect(billedMbps([1, 5, 3], 95)).toBe(5);
  expect(billedMbps([], 95)).toBe(0);
});

test('a day costs a 30th of the month, at least the commit', () => {
  expect(transitPrice(percentile, day(1_000, 14, 9_000), 0, MONTH_MS / 30)).toBe((1_000 * 300_000) / 30);
  expect(transitPrice(percentile, day(10, 0, 0), 0, MONTH_MS)).toBe(100 * 300_000);
});

test('volume is billed by the gigabyte of 10^9 bytes, whenever it was carried', () => {
  expect(volumePrice(8e6, 10_000)).toBe(10_000);
  expect(transitPrice({ kind: 'volume', microUsdPerGb: 10_000 }, [9_000], 4e6, 1)).toBe(5_000);
});
