import { expect, test } from 'vitest';
import { Seldom } from '../../network/seldom.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

test('of what comes often the first is said at once, and then once a second how often it came', () => {
  const clock = new ManualClock();
  const seldom = new Seldom(clock);
  const said: number[] = [];
  for (let count = 0; count < 2_500; count++) {
    seldom.say((times) => said.push(times));
    clock.advance(1);
  }
  expect(said).toEqual([1, 1_000, 1_000]);
});

test('where a few may be said at a time, each of them is one, and the rest are told of with the next', () => {
  const clock = new ManualClock();
  const seldom = new Seldom(clock, 1_000, 3);
  const said: number[] = [];
  for (let count = 0; count < 2_500; count++) {
    seldom.say((times) => said.push(times));
    clock.advance(1);
  }
  expect(said).toEqual([1, 1, 1, 998, 1, 1, 998, 1, 1]);
});
