import { expect, test } from 'vitest';
import { counted, dollars, lasting, rate } from '../../../../usher/console/page/parts/format.ts';

test('figures are short and have their units', () => {
  expect([0, 0.064, 4.2, 412, 1_280, 45_600, 120_000].map(rate)).toEqual([
    '0 Mbps',
    '64 kbps',
    '4.2 Mbps',
    '412 Mbps',
    '1.28 Gbps',
    '45.6 Gbps',
    '120 Gbps',
  ]);
  expect([0, 420_000, 31_570_000, 1_280_000_000].map(dollars)).toEqual([
    '$0.00',
    '$0.42',
    '$31.57',
    '$1 280',
  ]);
  expect([-5, 48_000, 720_000, 12_000_000, 360_000_000].map(lasting)).toEqual([
    '0 s',
    '48 s',
    '12 min',
    '3 h 20 min',
    '4 d 4 h',
  ]);
  expect(counted(1_234_567.4)).toBe('1 234 567');
});
