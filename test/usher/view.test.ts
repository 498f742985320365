import { describe, expect, test } from 'vitest';
import type { Snapshot } from '../../network/state/state.ts';
import { View } from '../../usher/view.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

/** A state that counts how often it was asked, and answers what a test says. */
class CountingState {
  asked = 0;
  isAway = false;

  async snapshot(): Promise<Snapshot> {
    this.asked++;
    if (this.isAway) throw new Error('nobody there');
    return { nowMs: this.asked } as Snapshot;
  }
}

function open({ isAway = false } = {}) {
  const state = new CountingState();
  state.isAway = isAway;
  const clock = new ManualClock();
  const logger = keepingLogger();
  return { state, clock, logger, view: new View({ state, clock, logger }) };
}

describe('a view', () => {
  test('asks the state once for all who ask at the same time, and within a moment', async () => {
    const { state, clock, view } = open();
    const answers = await Promise.all(Array.from({ length: 100 }, () => view.snapshot()));
    expect(new Set(answers).size).toBe(1);
    clock.advance(199);
    await view.snapshot();
    expect(state.asked).toBe(1);
    clock.advance(1);
    expect((await view.snapshot()).nowMs).toBe(2);
  });

  test('keeps its last snapshot while the state is away, says so once, and says when it is back', async () => {
    const { state, clock, logger, view } = open();
    await view.snapshot();
    state.isAway = true;
    for (let turn = 0; turn < 5; turn++) {
      clock.advance(1_000);
      expect((await view.snapshot()).nowMs).toBe(1);
    }
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn']);
    expect(view.condition).toMatchObject({ code: 'state_away', blocks: false });
    expect(view.ageS).toBe(5);
    state.isAway = false;
    clock.advance(1_000);
    expect((await view.snapshot()).nowMs).toBe(7);
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'info']);
    expect(view.condition).toBeUndefined();
    expect(view.ageS).toBe(0);
  });

  test('of which nobody asks has one to keep all the same', async () => {
    const { state, clock, view } = open();
    await view.snapshot();
    for (let turn = 0; turn < 3; turn++) {
      clock.advance(1_000);
      await new Promise(setImmediate);
    }
    state.isAway = true;
    clock.advance(500);
    expect((await view.snapshot()).nowMs).toBe(4);
  });

  test('has nothing to say before the state was reached', async () => {
    const { view } = open({ isAway: true });
    await expect(view.snapshot()).rejects.toThrow('nobody there');
    expect(view.condition).toMatchObject({ code: 'state_never_reached', blocks: true });
  });
});
