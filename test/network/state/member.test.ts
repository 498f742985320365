import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { BEAT_MS, MISSED_BEATS } from '../../../network/state/liveness.ts';
import { Member, type MemberOptions } from '../../../network/state/member.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { serverRecord, streamRecord } from '../../tools/cluster/cluster-records.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const a = serverRecord('a');
const drain = { sinceMs: 5, deadlineMs: null };
/** All that was begun has come as far as it can without time. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let clock: ManualClock;
let state: MemoryState;
let opened: AsyncDisposableStack;
beforeEach(() => {
  clock = new ManualClock();
  state = new MemoryState(clock);
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

function join(options: Partial<MemberOptions> = {}) {
  const [onAnswer, onTaken] = [vi.fn<MemberOptions['onAnswer']>(), vi.fn<MemberOptions['onTaken']>()];
  const describe = vi.fn(() => ({ server: a, streams: [streamRecord('alice', 'a', 5)] }));
  const logger = keepingLogger();
  const all = { state, id: 'a', clock, logger, describe, onAnswer, onTaken, ...options };
  return { member: opened.use(new Member(all)), describe, onAnswer, onTaken, lines: logger.lines };
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10) {
    clock.advance(10);
    await pause();
  }
}

describe('a member', () => {
  test('beats at once and then once a second, with all that is true then', async () => {
    const { describe, onAnswer } = join();
    await pause();
    expect(await state.snapshot()).toMatchObject({ servers: [a], streams: [{ name: 'alice' }] });
    expect(onAnswer).toHaveBeenLastCalledWith({
      nowMs: clock.now(),
      assignment: undefined,
      drain: undefined,
      lost: [],
    });
    await pass(2 * BEAT_MS);
    expect(describe).toHaveBeenCalledTimes(3);
  });

  test('leaves when it ends, and beats no more', async () => {
    const { member } = join();
    await pause();
    await member[Symbol.asyncDispose]();
    expect((await state.snapshot()).servers).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('asks at once when there is something new for it, and never twice within 50 ms', async () => {
    const { onAnswer } = join();
    await pass(100);
    const asked = () => onAnswer.mock.calls.length;
    const before = asked();
    for (let at = 0; at < 10; at++) await state.drain('a', drain);
    await pause();
    expect(asked()).toBe(before + 1);
    expect(onAnswer).toHaveBeenLastCalledWith(expect.objectContaining({ drain }));
    await state.drain('a', null);
    await pass(40);
    expect(asked()).toBe(before + 1);
    await pass(10);
    expect(asked()).toBe(before + 2);
    expect(onAnswer).toHaveBeenLastCalledWith(expect.objectContaining({ drain: undefined }));
  });

  test('is told of no other server’s changes', async () => {
    const { describe } = join();
    await state.beat(serverRecord('b'), []);
    await pass(100);
    await state.drain('b', drain);
    await pass(100);
    expect(describe).toHaveBeenCalledTimes(1);
  });

  test('says once that its beats are not heard, and once that they are again', async () => {
    const away = new CodedError('state_unavailable', 'Redis is away');
    const beat = vi.fn<MemoryState['beat']>().mockRejectedValue(away);
    const watched = { beat, leave: state.leave.bind(state), watch: state.watch.bind(state) };
    const { lines, onTaken } = join({ state: watched });
    await pass(10 * BEAT_MS);
    beat.mockImplementation((...words) => state.beat(...words));
    await pass(2 * BEAT_MS);
    expect(lines.map(({ message }) => message)).toEqual(['beats are not heard', 'beats are heard again']);
    expect(onTaken).not.toHaveBeenCalled();
  });

  test('takes the place of one that was killed, once that counts as dead', async () => {
    await state.beat({ ...a, instance: 'before' }, []);
    const { onAnswer, onTaken } = join();
    await pass(MISSED_BEATS * BEAT_MS);
    expect(onAnswer).toHaveBeenCalled();
    await pass(5 * BEAT_MS);
    expect(onTaken).not.toHaveBeenCalled();
  });

  test('gives up when its id is another’s who lives', async () => {
    const { onAnswer: first, onTaken: firstTaken } = join();
    await pause();
    const describe = () => ({ server: { ...a, instance: 'later' }, streams: [] });
    const { onAnswer, onTaken } = join({ describe });
    await pass((MISSED_BEATS + 1) * BEAT_MS - 10);
    expect(onTaken).not.toHaveBeenCalled();
    await pass(10);
    expect(onTaken).toHaveBeenCalledWith(
      expect.objectContaining({ code: 'id_taken', message: "another living server has the id 'a'" }),
    );
    expect([onAnswer.mock.calls.length, firstTaken.mock.calls.length]).toEqual([0, 0]);
    expect(first.mock.calls.length).toBeGreaterThan(3);
  });
});
