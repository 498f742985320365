import { describe, expect, test } from 'vitest';
import { BackOff } from '../../usher/player/back-off.ts';

const limits = { firstMs: 1000, capMs: 5000 };

describe('a back-off', () => {
  test('doubles its wait up to the cap, and begins anew after a success', () => {
    const backOff = new BackOff(limits, () => 0.5);
    expect([1, 2, 3, 4, 5].map(() => backOff.next())).toEqual([1000, 2000, 4000, 5000, 5000]);
    backOff.reset();
    expect(backOff.next()).toBe(1000);
  });

  test('spreads its waits by a fifth to either side', () => {
    expect(new BackOff(limits, () => 0).next()).toBe(800);
    expect(new BackOff(limits, () => 0.999_999).next()).toBeCloseTo(1200, 0);
  });
});
