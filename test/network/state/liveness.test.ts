import { describe, expect, test } from 'vitest';
import { hearingAt, isAlive, isSettled } from '../../../network/state/liveness.ts';

const NOW_MS = 1_800_000_000_000;

describe('a server is alive', () => {
  const hearing = { nowMs: NOW_MS, sinceMs: NOW_MS - 60_000, pausedAtMs: 0 };
  const pausedForTwentySeconds = { nowMs: NOW_MS, sinceMs: NOW_MS - 2_999, pausedAtMs: NOW_MS - 22_999 };

  test.each([
    ['that beat just now', 0, hearing, true],
    ['that missed two beats', 2_999, hearing, true],
    ['that missed three beats', 3_000, hearing, false],
    ['whose beat is ahead, for the clock was set back', -3_000, hearing, false],
    ['that beat last before the state was away', 23_000, pausedForTwentySeconds, true],
    ['that missed two beats before the state was away', 25_998, pausedForTwentySeconds, true],
    ['that was dead before the state was away', 26_000, pausedForTwentySeconds, false],
    [
      'that had three beats of time since',
      23_000,
      { ...pausedForTwentySeconds, sinceMs: NOW_MS - 3_000 },
      false,
    ],
  ])('%s', (_, agoMs, heard, expected) => {
    expect(isAlive(NOW_MS - agoMs, heard)).toBe(expected);
  });
});

describe('a state hears', () => {
  const last = { heardAtMs: NOW_MS, sinceMs: NOW_MS - 60_000, pausedAtMs: 7 };

  test.each([
    ['from now on, when it never heard a word', undefined, 0, { sinceMs: NOW_MS, pausedAtMs: 0 }],
    [
      'since before, without a word for less than two beats',
      last,
      1_999,
      { sinceMs: NOW_MS - 60_000, pausedAtMs: 7 },
    ],
    [
      'from now on, after two beats without one',
      last,
      2_000,
      { sinceMs: NOW_MS + 2_000, pausedAtMs: NOW_MS },
    ],
    [
      'from now on, when the last word is ahead',
      last,
      -2_000,
      { sinceMs: NOW_MS - 2_000, pausedAtMs: NOW_MS },
    ],
  ])('%s', (_, heard, laterMs, expected) => {
    expect(hearingAt(NOW_MS + laterMs, heard)).toEqual({ nowMs: NOW_MS + laterMs, ...expected });
  });

  test('of every living server after three beats', () => {
    expect(isSettled({ nowMs: NOW_MS, sinceMs: NOW_MS - 2_999, pausedAtMs: 0 })).toBe(false);
    expect(isSettled({ nowMs: NOW_MS, sinceMs: NOW_MS - 3_000, pausedAtMs: 0 })).toBe(true);
  });
});
