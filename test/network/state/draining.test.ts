import { beforeEach, describe, expect, test } from 'vitest';
import { Draining, type Left } from '../../../network/state/draining.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const NOTHING: Left = { viewers: 0, children: 0, broadcasts: 0 };
const START_MS = 1_800_000_000_000;

let clock: ManualClock;
let left: Left;
let calls: string[];
let draining: Draining;
let isEmptied: boolean;

beforeEach(() => {
  clock = new ManualClock(START_MS);
  left = { viewers: 3, children: 1, broadcasts: 1 };
  calls = [];
  isEmptied = false;
  draining = new Draining({
    clock,
    logger: keepingLogger(),
    left: () => left,
    onChange: () => calls.push(draining.isOn ? 'announces it' : 'takes it back'),
    onTell: () => calls.push('tells'),
    onOverdue: () => calls.push('is overdue'),
  });
  draining.emptied.then(() => {
    isEmptied = true;
  });
});

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await Promise.resolve();
}

describe('a server that is told by a signal', () => {
  test('announces it at once, tells its viewers every five seconds, and is done when nothing is left', async () => {
    draining.hear(undefined);
    draining.order(null);
    expect(draining.announced).toEqual({ sinceMs: START_MS, deadlineMs: null, wished: false });
    expect(calls).toEqual(['announces it', 'tells']);
    await pass(10_000);
    expect(calls).toEqual(['announces it', 'tells', 'tells', 'tells']);
    for (const some of [{ viewers: 1 }, { children: 1 }, { broadcasts: 1 }]) {
      left = { ...NOTHING, ...some };
      await pass(600_000);
      expect(isEmptied).toBe(false);
    }
    left = NOTHING;
    await pass(500);
    expect([isEmptied, clock.pending]).toEqual([true, 0]);
  });

  test('that is empty waits for those who were sent to it a moment ago', async () => {
    left = NOTHING;
    draining.order(null);
    await pass(1_500);
    expect(isEmptied).toBe(false);
    await pass(500);
    expect(isEmptied).toBe(true);
  });

  test('keeps to its deadline when the wall clock is set by an hour, forward or back', async () => {
    draining.order(5_000);
    clock.set(START_MS + 3_600_000);
    await pass(4_500);
    expect(draining.isOverdue).toBe(false);
    clock.set(START_MS - 3_600_000);
    await pass(500);
    expect(draining.isOverdue).toBe(true);
  });

  test('has its broadcasts go at the deadline, and waits for them and for servers a little longer', async () => {
    draining.order(5_000);
    await pass(4_500);
    expect([draining.isOverdue, calls.includes('is overdue')]).toEqual([false, false]);
    await pass(500);
    expect([draining.isOverdue, calls.filter((call) => call === 'is overdue')]).toEqual([
      true,
      ['is overdue'],
    ]);
    left = { ...NOTHING, viewers: 3, children: 1 };
    await pass(5_000);
    expect(isEmptied).toBe(false);
    left = { ...NOTHING, viewers: 3 };
    await pass(500);
    expect(isEmptied).toBe(true);
  });

  test('ends ten seconds after its deadline, whatever is left', async () => {
    draining.order(0);
    await pass(10_000);
    expect(isEmptied).toBe(false);
    await pass(1_000);
    expect(isEmptied).toBe(true);
  });

  test('does not listen to an operator any more', () => {
    draining.order(null);
    draining.hear({ sinceMs: START_MS + 1, deadlineMs: START_MS + 2 });
    draining.hear(undefined);
    expect(draining.announced).toEqual({ sinceMs: START_MS, deadlineMs: null, wished: false });
  });
});

describe('a server that an operator wants emptied', () => {
  const wish = { sinceMs: START_MS - 300, deadlineMs: null };

  test('is so once, however often it hears of it, and with another deadline when that changes', async () => {
    draining.hear(undefined);
    draining.hear(wish);
    draining.hear(wish);
    expect(draining.announced).toEqual({ ...wish, wished: true });
    expect(calls).toEqual(['announces it', 'tells']);
    draining.hear({ ...wish, deadlineMs: START_MS + 1_000 });
    await pass(1_000);
    expect(calls.at(-1)).toBe('is overdue');
  });

  test('is not any more when that is taken back', async () => {
    draining.hear(undefined);
    draining.hear(wish);
    draining.hear(undefined);
    expect([draining.announced, calls.at(-1), clock.pending]).toEqual([null, 'takes it back', 0]);
    left = NOTHING;
    await pass(10_000);
    expect(isEmptied).toBe(false);
  });

  test('ends when it is empty', async () => {
    draining.hear(undefined);
    draining.hear(wish);
    left = NOTHING;
    await pass(2_000);
    expect(isEmptied).toBe(true);
  });

  test('since before it started waits, and ends only when it is told to', async () => {
    left = NOTHING;
    draining.hear(wish);
    await pass(60_000);
    expect([draining.isOn, isEmptied]).toEqual([true, false]);
    draining.order(null);
    await pass(500);
    expect([draining.announced?.wished, isEmptied]).toEqual([false, true]);
  });
});
