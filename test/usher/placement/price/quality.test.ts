import { expect, test } from 'vitest';
import { Quality } from '../../../../usher/placement/price/quality.ts';

const NOW_MS = 1_800_000_000_000;
const at = { site: 'fra1', asn: 64_500 };

test('one bad player says little of a network, a hundred of them say it all', () => {
  const quality = new Quality();
  const report = { ...at, playedMs: 54_000, stalledMs: 6_000 };
  quality.report(report, NOW_MS);
  expect(quality.of('fra1', 64_500, NOW_MS)!.stallRatio).toBeCloseTo(6 / 660, 6);
  for (let player = 1; player < 100; player++) quality.report(report, NOW_MS);
  expect(quality.of('fra1', 64_500, NOW_MS)!.stallRatio).toBeCloseTo(0.09, 2);
});

test('is of one site and one network', () => {
  const quality = new Quality();
  quality.report({ ...at, playedMs: 1, stalledMs: 60_000, rttMs: 30 }, NOW_MS);
  expect(quality.of('fra1', 64_501, NOW_MS)).toBeUndefined();
  expect(quality.of('ams1', 64_500, NOW_MS)).toBeUndefined();
  expect(quality.of('fra1', undefined, NOW_MS)).toBeUndefined();
});

test('what was bad is forgotten in time, so that a path that is well again gets viewers again', () => {
  const quality = new Quality();
  for (let player = 0; player < 100; player++)
    quality.report({ ...at, playedMs: 50_000, stalledMs: 10_000 }, NOW_MS);
  const ratioAfter = (minutes: number) => quality.of('fra1', 64_500, NOW_MS + minutes * 60_000)!.stallRatio;
  expect(ratioAfter(0)).toBeGreaterThan(0.15);
  expect(ratioAfter(60)).toBeLessThan(0.001);
  quality.report({ ...at, playedMs: 60_000, stalledMs: 0 }, NOW_MS + 3_600_000);
  expect(ratioAfter(60)).toBeLessThan(0.001);
});

test('round-trip times are a mean of which newer ones are more', () => {
  const quality = new Quality();
  quality.report({ ...at, playedMs: 1_000, stalledMs: 0 }, NOW_MS);
  expect(quality.of('fra1', 64_500, NOW_MS)!.rttMs).toBeUndefined();
  quality.report({ ...at, playedMs: 1_000, stalledMs: 0, rttMs: 100 }, NOW_MS);
  quality.report({ ...at, playedMs: 1_000, stalledMs: 0, rttMs: 40 }, NOW_MS + 300_000);
  expect(quality.of('fra1', 64_500, NOW_MS)!.rttMs).toBeCloseTo((100 / 2 + 40) / 1.5, 6);
});

test.each([
  ['negative', { playedMs: -1, stalledMs: 10 }],
  ['nothing at all', { playedMs: 0, stalledMs: 0 }],
  ['endless', { playedMs: Number.POSITIVE_INFINITY, stalledMs: 0 }],
  ['no number', { playedMs: Number.NaN, stalledMs: 5 }],
])('a report of %s time is dropped', (_, times) => {
  const quality = new Quality();
  quality.report({ ...at, ...times }, NOW_MS);
  expect(quality.of('fra1', 64_500, NOW_MS)).toBeUndefined();
});

test('a report counts for two minutes at most, and nonsense of a round-trip time for nothing', () => {
  const quality = new Quality();
  quality.report({ ...at, playedMs: 0, stalledMs: 1e12, rttMs: 1e9 }, NOW_MS);
  expect(quality.of('fra1', 64_500, NOW_MS)).toEqual({ stallRatio: 120 / 720, rttMs: undefined });
});

test('networks are bounded: who was not heard of for longest is forgotten', () => {
  const quality = new Quality();
  for (let asn = 0; asn <= 10_000; asn++)
    quality.report({ site: 's', asn, playedMs: 1, stalledMs: 1 }, NOW_MS);
  expect(quality.of('s', 0, NOW_MS)).toBeUndefined();
  expect(quality.of('s', 1, NOW_MS)).toBeDefined();
});
