import { expect, test } from 'vitest';
import { Weights } from '../../../../usher/simulator/measures/weights.ts';

test('mean and percentiles are by weight', () => {
  const weights = new Weights(1_000);
  weights.add(10, 9);
  weights.add(500, 1);
  expect(weights.mean).toBe(59);
  expect(weights.percentile(90)).toBe(10);
  expect(weights.percentile(91)).toBe(500);
});

test('what is beyond the most counts as that in percentiles, and as itself in the mean', () => {
  const weights = new Weights(100);
  weights.add(300, 1);
  expect(weights.percentile(95)).toBe(100);
  expect(weights.mean).toBe(300);
});

test('nothing has a mean of 0', () => {
  expect(new Weights(10).mean).toBe(0);
  expect(new Weights(10).percentile(95)).toBe(0);
});
