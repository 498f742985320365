// Long work rests between its pieces, and what comes from outside meanwhile is taken there.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { inTurns, TASKS_IN_A_TURN, TURN_MS, Turns } from '../../../network/process/turns.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('a turn takes two milliseconds and the piece at hand, and the next goes on from there', () => {
  const clock = new ManualClock();
  let pieces = 0;
  let isDone = false;
  function* work(): Generator<void> {
    for (; pieces < 10; pieces++) {
      clock.advance(0.75);
      yield;
    }
  }
  inTurns(clock, work(), () => {
    isDone = true;
  });
  expect(pieces).toBe(Math.ceil(TURN_MS / 0.75) - 1);
  let turns = 1;
  for (; !isDone && turns < 10; turns++) clock.advance(0);
  expect({ pieces, turns }).toEqual({ pieces: 10, turns: 4 });
});

test('work that is short is done at once', () => {
  const clock = new ManualClock();
  let isDone = false;
  inTurns(clock, [undefined, undefined].values(), () => {
    isDone = true;
  });
  expect(isDone).toBe(true);
  expect(clock.pending).toBe(0);
});

test('what comes over a connection is read while work goes on that would not end before', async () => {
  const server = createServer((socket) => socket.end('a frame')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket: Socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  let read = '';
  socket.on('data', (bytes) => {
    read += String(bytes);
  });
  function* untilRead(): Generator<void> {
    while (read === '') yield;
  }
  await new Promise<void>((resolve) => inTurns(systemClock, untilRead(), resolve));
  expect(read).toBe('a frame');
  socket.destroy();
  server.close();
});

test('of tasks that come together each turn does some, in their order, also of those that come meanwhile', () => {
  const clock = new ManualClock();
  const turns = new Turns(clock);
  const done: number[] = [];
  const take = (from: number, to: number): void => {
    for (let at = from; at < to; at++) turns.take(() => done.push(at));
  };
  take(0, 100);
  expect(done).toHaveLength(TASKS_IN_A_TURN);
  clock.advance(0);
  take(100, 110);
  const all = Array.from({ length: 110 }, (_, at) => at);
  clock.advance(0);
  clock.advance(0);
  expect(done).toEqual(all);
  expect(clock.pending).toBe(0);
  turns.take(() => done.push(110));
  expect(done.at(-1)).toBe(110);
});

test('those of who has several have half of a turn, one of each after the other, and more where nobody else waits', async () => {
  const clock = new ManualClock();
  const turns = new Turns(clock);
  const done: string[] = [];
  const take = (name: string, times: number, whose?: string): void => {
    for (let at = 0; at < times; at++) turns.take(() => done.push(`${name}${at}`), whose);
  };
  take('first', TASKS_IN_A_TURN);
  take('a', 1_000, 'a');
  take('b', 2, 'b');
  take('one', 15);
  const turn = async (): Promise<string[]> => {
    done.length = 0;
    await new Promise((resolve) => setImmediate(resolve));
    return [...done];
  };
  const [whole, half] = [TASKS_IN_A_TURN, TASKS_IN_A_TURN / 2];
  const [second, third, fourth] = [await turn(), await turn(), await turn()];
  expect(second.filter((task) => task.startsWith('one'))).toHaveLength(half);
  expect(second.slice(half, half + 5)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2']);
  expect(third.filter((task) => task.startsWith('one'))).toHaveLength(15 - half);
  expect([second, third, fourth].map(({ length }) => length)).toEqual([whole, whole, whole]);
  expect(fourth.every((task) => task.startsWith('a'))).toBe(true);
  clock.advance(0);
  expect(clock.pending).toBe(0);
});
