import { expect, test } from 'vitest';
import { readConfig } from '../../../network/config/config.ts';
import { configOf, readPlace } from '../../../network/config/worker.ts';
import type { WorkerProcess } from '../../../network/workers/worker-process.ts';
import { Workers } from '../../../network/workers/workers.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

/** Processes that end when they are told to, or when a test says so. */
function processes(count: number) {
  const clock = new ManualClock();
  const started: { readonly number: number; readonly asked: string[]; end(why: string): void }[] = [];
  const start = (number: number): WorkerProcess => {
    const { promise: ended, resolve: end } = Promise.withResolvers<string>();
    const asked: string[] = [];
    started.push({ number, asked, end });
    return { pid: started.length, ended, ask: (signal) => asked.push(signal) };
  };
  const workers = new Workers({ count, start, clock, logger: keepingLogger() });
  return { workers, started, clock };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one that ends is started again, each time after a longer wait', async () => {
  const { started, clock } = processes(2);
  for (const [index, waitMs] of [500, 1_000, 2_000].entries()) {
    started.at(-1)!.end('SIGKILL');
    await settled();
    clock.advance(waitMs - 1);
    await settled();
    expect(started).toHaveLength(2 + index);
    clock.advance(1);
    await settled();
    expect(started).toHaveLength(3 + index);
    expect(started.at(-1)!.number).toBe(2);
  }
});

test('all are asked to end, none is started again, and a second word is passed on as well', async () => {
  const { workers, started, clock } = processes(2);
  started[1]!.end('1');
  await settled();
  const stopped = workers.stop('SIGTERM');
  void workers.stop('SIGINT');
  expect(started[0]!.asked).toEqual(['SIGTERM', 'SIGINT']);
  started[0]!.end('0');
  await stopped;
  clock.advance(60_000);
  await settled();
  expect(started).toHaveLength(2);
});

test('the second server of a machine has a name, ports and folders of its own, and its share of the egress', () => {
  const config = { ...readConfig({}, {}), id: 'ams-1', egressMbps: 10_000, relayUrl: 'http://10.0.0.7:8081' };
  expect(configOf(config, { number: 1, of: 4 })).toMatchObject({
    id: 'ams-1',
    mediaPort: 8081,
    egressMbps: 2_500,
  });
  expect(configOf(config, { number: 2, of: 4 })).toMatchObject({
    id: 'ams-1-2',
    rtmpPort: 1936,
    mediaPort: 8082,
    relayUrl: 'http://10.0.0.7:8082',
    data: './data/server-2',
    host: config.host,
    egressMbps: 2_500,
  });
});

test('what is not a place among servers is none', () => {
  expect(readPlace('2/4')).toEqual({ number: 2, of: 4 });
  for (const text of ['', '0/2', '1', '1/x']) expect(readPlace(text)).toBeUndefined();
});
