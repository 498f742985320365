import { expect, test } from 'vitest';
import { Events } from '../../../../usher/simulator/world/events.ts';

test('what happens at one moment happens in the order in which it was noted', () => {
  const events = new Events();
  const seen: string[] = [];
  events.at(20, () => seen.push(`c at ${events.nowMs}`));
  events.at(10, () => {
    seen.push(`a at ${events.nowMs}`);
    events.at(20, () => seen.push('d'));
    events.after(0, () => seen.push('b'));
  });
  events.runUntil(100);
  expect(seen).toEqual(['a at 10', 'b', 'c at 20', 'd']);
  expect(events.nowMs).toBe(100);
});

test('the end itself belongs to what comes after', () => {
  const events = new Events();
  const seen: number[] = [];
  events.every(10, () => seen.push(events.nowMs), 5);
  events.runUntil(25);
  expect(seen).toEqual([5, 15]);
  events.runUntil(26);
  expect(seen).toEqual([5, 15, 25]);
});
