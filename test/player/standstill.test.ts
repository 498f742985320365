import { expect, test } from 'vitest';
import { Standstill } from '../../usher/player/playback/standstill.ts';

/** Looks once a second; gives the seconds at which it was a standstill. */
function look(positionAt: (second: number) => number, listedAt: (second: number) => number): number[] {
  const standstill = new Standstill();
  const seconds = Array.from({ length: 20 }, (_, second) => second);
  return seconds.filter((second) => standstill.see(second * 1000, positionAt(second), listedAt(second)));
}

test('a playhead that stands while the playlist goes on is a standstill after six seconds', () => {
  expect(
    look(
      () => 3,
      (second) => second,
    )[0],
  ).toBe(7);
});

test('one that moves, even by little, is none, and one that has moved has six seconds more', () => {
  expect(
    look(
      (second) => second / 10,
      (second) => second,
    ),
  ).toEqual([]);
  expect(
    look(
      (second) => Math.min(second, 5),
      (second) => second,
    )[0],
  ).toBe(12);
});

test('a playhead stands at the end of a stream whose broadcaster is silent', () => {
  expect(
    look(
      () => 3,
      () => 8,
    ),
  ).toEqual([]);
});

test('what somebody has stopped does not stand still', () => {
  const standstill = new Standstill();
  standstill.see(0, 3, 0);
  standstill.forget();
  expect(standstill.see(9_000, 3, 9)).toBe(false);
});
