import { expect, test } from 'vitest';
import { Arrivals } from '../../../edge/sessions/arrivals.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

function crowd(perS: number, seconds: number, clock: ManualClock, arrivals: Arrivals): void {
  for (let viewer = 0; viewer < perS * seconds; viewer++) {
    clock.advance(1000 / perS);
    arrivals.count('alice');
  }
}

test('a steady crowd of 50 per second is measured as such, and no other stream’s', () => {
  const clock = new ManualClock();
  const arrivals = new Arrivals(clock);
  crowd(50, 10, clock, arrivals);
  expect(arrivals.perS('alice')).toBeGreaterThan(48);
  expect(arrivals.perS('alice')).toBeLessThan(52);
  expect(arrivals.perS('bob')).toBe(0);
});

test('a crowd shows within two seconds, and five seconds after its end it hardly does', () => {
  const clock = new ManualClock();
  const arrivals = new Arrivals(clock);
  crowd(100, 2, clock, arrivals);
  expect(arrivals.perS('alice')).toBeGreaterThan(60);
  clock.advance(5_000);
  expect(arrivals.perS('alice')).toBeLessThan(6);
  arrivals.forget('alice');
  expect(arrivals.perS('alice')).toBe(0);
});
