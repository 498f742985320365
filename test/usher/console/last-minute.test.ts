import { expect, test } from 'vitest';
import { LastMinute } from '../../../usher/console/watch/last-minute.ts';

test('of a count is told by how much it grew in the last minute, and of a younger one since it is known', () => {
  const minute = new LastMinute();
  expect(minute.read(5, 0)).toBe(0);
  expect(minute.read(8, 30_000)).toBe(3);
  expect(minute.read(9, 60_000)).toBe(4);
  expect(minute.read(9, 89_000)).toBe(4);
  expect(minute.read(9, 90_000)).toBe(1);
  expect(minute.read(9, 200_000)).toBe(0);
});
