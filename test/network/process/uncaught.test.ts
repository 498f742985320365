// What an error that nobody caught makes of a process: of one that others can stand in for, and of one that is alone.

import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { Metrics } from '../../../network/metrics.ts';
import { nextSignal, untilEnd } from '../../../network/process/ending.ts';
import { Uncaught } from '../../../network/process/uncaught.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';

let source: EventEmitter;
let metrics: Metrics;
let uncaught: Uncaught;
let deadlines: (number | null)[];
let empty: () => void;

const logger = keepingLogger();

beforeEach(() => {
  source = new EventEmitter();
  metrics = new Metrics();
  deadlines = [];
  logger.lines.length = 0;
  uncaught = new Uncaught({ logger, metrics, source: source as unknown as NodeJS.Process });
});

const fault = (): boolean => source.emit('uncaughtException', new Error('out of the blue'));

function end(isOneOfSeveral: boolean): Promise<string> {
  const emptied = new Promise<void>((resolve) => {
    empty = resolve;
  });
  const draining = { emptied, order: (deadlineMs: number | null) => deadlines.push(deadlineMs) };
  return untilEnd({ draining, uncaught, isOneOfSeveral, deadlineMs: null, nextSignal });
}

describe('an error that nobody caught', () => {
  test('is logged, counted, and told by /readyz without turning new work away', async () => {
    expect(uncaught.condition).toBeUndefined();
    fault();
    expect(uncaught.condition).toMatchObject({ code: 'failed', blocks: false });
    expect(logger.lines).toMatchObject([{ level: 'error', fields: { err: { message: 'out of the blue' } } }]);
    expect(await metrics.total(['headwater_uncaught_errors_total'])).toBe(1);
  });

  test('has a server of several emptied within a minute, and ended then', async () => {
    const ended = end(true);
    fault();
    await uncaught.first;
    await new Promise(setImmediate);
    expect(deadlines).toEqual([60_000]);
    fault();
    empty();
    expect(await ended).toBe('empty');
  });

  test('does not end a server that is alone, unless it is one of many', async () => {
    let why: string | undefined;
    end(false).then((ended) => {
      why = ended;
    });
    for (let count = 0; count < 9; count++) fault();
    await new Promise(setImmediate);
    expect([why, deadlines]).toEqual([undefined, []]);
    fault();
    await new Promise(setImmediate);
    expect(why).toBe('failed');
  });

  test('is left to Node.js once the process has let go', () => {
    uncaught[Symbol.dispose]();
    expect(source.listenerCount('uncaughtException')).toBe(0);
  });
});
