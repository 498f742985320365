import { expect, test } from 'vitest';
import { Dice, Lottery } from '../../../usher/simulator/dice.ts';

test('one seed and name throw the same numbers, others different ones', () => {
  const throws = (seed: number, name?: string): number[] => {
    const dice = new Dice(seed, name);
    return Array.from({ length: 20 }, () => dice.next());
  };
  expect(throws(1, 'a')).toEqual(throws(1, 'a'));
  expect(throws(1, 'a')).not.toEqual(throws(1, 'b'));
  expect(throws(1)).not.toEqual(throws(2));
});

test.each([0.3, 7, 400])('Poisson numbers have the mean %f and as much variance', (mean) => {
  const dice = new Dice(1);
  const counts = Array.from({ length: 20_000 }, () => dice.poisson(mean));
  const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;
  expect(Math.abs(average / mean - 1)).toBeLessThan(0.03);
  expect(Math.abs(variance / mean - 1)).toBeLessThan(0.05);
});

test('a lottery draws by weight, and nothing of weight 0', () => {
  const dice = new Dice(1);
  const lottery = new Lottery([3, 0, 1]);
  const counts = [0, 0, 0];
  for (let draw = 0; draw < 10_000; draw++) counts[lottery.draw(dice)]!++;
  expect(counts[1]).toBe(0);
  expect(counts[0]! / counts[2]!).toBeCloseTo(3, 0);
});
