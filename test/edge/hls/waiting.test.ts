import { describe, expect, test } from 'vitest';
import { type Outcome, type Patience, Waiting } from '../../../edge/hls/waiting.ts';
import { TASKS_IN_A_TURN } from '../../../network/process/turns.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

interface FakeClient {
  isOver: boolean;
}

/** What is promised has been heard, and the turn goes on. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

function setUp(capacity?: number) {
  const clock = new ManualClock();
  const waiting = new Waiting({ clock, ...(capacity ? { capacity } : {}) });
  const outcomes: Outcome[] = [];
  const ask = (msn: number, part: number, patience: Partial<Patience> = {}): FakeClient => {
    const client = { isOver: false };
    waiting.enter(
      { msn, part },
      {
        client,
        patience: { starvesAfterMs: 480, limitMs: 3000, ...patience },
        sinceMs: clock.monotonic(),
        over: (outcome) => outcomes.push(outcome),
      },
    );
    return client;
  };
  return { clock, waiting, outcomes, ask };
}

describe('waiting', () => {
  test('a request is released when the feed goes beyond its part, in the same segment or the next', async () => {
    const { waiting, outcomes, ask } = setUp();
    ask(7, 2);
    ask(7, 3);
    waiting.reach({ msn: 7, part: 2 });
    await settled();
    expect(outcomes).toEqual([]);
    waiting.reach({ msn: 7, part: 3 });
    await settled();
    expect(outcomes).toEqual(['reached']);
    waiting.reach({ msn: 8, part: 0 });
    await settled();
    expect(outcomes).toEqual(['reached', 'reached']);
    expect(waiting.size).toBe(0);
  });

  test('nobody is answered on the turn of whoever writes the feed', async () => {
    const { waiting, outcomes, ask } = setUp();
    ask(1, 0);
    waiting.reach({ msn: 1, part: 1 });
    expect(outcomes).toEqual([]);
    await settled();
    expect(outcomes).toEqual(['reached']);
  });

  test('however many wait, one timer is set, and none once they are gone', async () => {
    const { clock, waiting, ask } = setUp();
    for (let index = 0; index < 1000; index++) ask(index % 3, index % 7);
    expect(waiting.size).toBe(1000);
    expect(clock.pending).toBe(1);
    waiting.end();
    clock.advance(200);
    await settled();
    clock.advance(200);
    expect(clock.pending).toBe(0);
  });

  test('released requests are answered some in a turn, in the order they came', async () => {
    const { clock, waiting, outcomes, ask } = setUp();
    for (let index = 0; index < 500; index++) ask(1, 0);
    waiting.reach({ msn: 2, part: 0 });
    await settled();
    expect(outcomes).toHaveLength(TASKS_IN_A_TURN);
    for (let turn = 1; turn < 500 / TASKS_IN_A_TURN; turn++) {
      clock.advance(0);
      await settled();
    }
    expect(outcomes).toHaveLength(500);
  });

  test('a silent feed starves a request after its patience and not before, counted from the newest part', async () => {
    const { clock, waiting, outcomes, ask } = setUp();
    ask(5, 4);
    clock.advance(400);
    waiting.reach({ msn: 5, part: 1 });
    clock.advance(400);
    await settled();
    expect(outcomes).toEqual([]);
    clock.advance(200);
    await settled();
    expect(outcomes).toEqual(['starved']);
  });

  test('a request that came in the middle of a silence has its own patience', async () => {
    const { clock, outcomes, ask } = setUp();
    clock.advance(60_000);
    ask(5, 4);
    clock.advance(400);
    await settled();
    expect(outcomes).toEqual([]);
    clock.advance(200);
    await settled();
    expect(outcomes).toEqual(['starved']);
  });

  test('without such patience a request outwaits silence up to its limit', async () => {
    const { clock, outcomes, ask } = setUp();
    ask(5, 4, { starvesAfterMs: undefined });
    clock.advance(2900);
    await settled();
    expect(outcomes).toEqual([]);
    clock.advance(100);
    await settled();
    expect(outcomes).toEqual(['overdue']);
  });

  test('parts that go on coming do not lift the limit', async () => {
    const { clock, waiting, outcomes, ask } = setUp();
    ask(9, 0);
    for (let part = 0; part < 15; part++) {
      clock.advance(200);
      waiting.reach({ msn: 7, part });
    }
    await settled();
    expect(outcomes).toEqual(['overdue']);
  });

  test('a client that leaves is forgotten within a tenth of a second', async () => {
    const { clock, waiting, outcomes, ask } = setUp();
    ask(1, 0).isOver = true;
    clock.advance(100);
    await settled();
    expect(outcomes).toEqual(['gone']);
    expect(waiting.size).toBe(0);
  });

  test('a client that leaves between its release and its answer is not answered', async () => {
    const { clock, waiting, outcomes, ask } = setUp();
    const clients = Array.from({ length: TASKS_IN_A_TURN + 1 }, () => ask(1, 0));
    waiting.end();
    clients[TASKS_IN_A_TURN]!.isOver = true;
    await settled();
    clock.advance(0);
    expect(outcomes.slice(-2)).toEqual(['reached', 'gone']);
  });

  test('one request more than may wait is told so', async () => {
    const { waiting, outcomes, ask } = setUp(2);
    ask(1, 0);
    ask(1, 1);
    ask(1, 0);
    await settled();
    expect(outcomes).toEqual(['full']);
    expect(waiting.size).toBe(2);
  });
});
