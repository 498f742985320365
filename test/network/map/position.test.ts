import { expect, test } from 'vitest';
import { distanceKm, estimatedRttMs } from '../../../network/map/position.ts';

const london = { latitude: 51.5074, longitude: -0.1278 };
const newYork = { latitude: 40.7128, longitude: -74.006 };
const sanFrancisco = { latitude: 37.7749, longitude: -122.4194 };
const auckland = { latitude: -36.8485, longitude: 174.7633 };

test.each([
  ['London', london, 'New York', newYork, 5570],
  ['San Francisco', sanFrancisco, 'New York', newYork, 4129],
  ['Auckland, over the date line,', auckland, 'San Francisco', sanFrancisco, 10_490],
  ['London', london, 'itself', london, 0],
])('%s (%j) is as far from %s (%j) as maps say: %i km', (_one, one, _other, other, km) => {
  expect(Math.abs(distanceKm(one, other) - km)).toBeLessThanOrEqual(km * 0.003);
  expect(distanceKm(other, one)).toBeCloseTo(distanceKm(one, other), 6);
});

test('antipodes are half the circumference apart', () => {
  const other = { latitude: -london.latitude, longitude: 180 + london.longitude };
  expect(distanceKm(london, other)).toBeCloseTo(Math.PI * 6371, 0);
});

test('a farther place is expected to answer later, and an unknown one as a place in the middle', () => {
  const near = estimatedRttMs(london, { latitude: 52.37, longitude: 4.9 });
  const ocean = estimatedRttMs(london, newYork);
  expect([near, ocean].map(Math.round)).toEqual([10, 93]);
  expect(estimatedRttMs(london, undefined)).toBe(100);
});
