// A flush that rests between two pieces, while viewers and chunks come and go.

import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Fanout } from '../../../edge/progressive/fanout.ts';
import { Metrics } from '../../../network/metrics.ts';
import { SyntheticBroadcast } from '../../tools/viewers/progressive-feed.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

function watched(viewers: number) {
  const broadcast = new SyntheticBroadcast({ frameBytes: 100 });
  broadcast.push(10);
  const metrics = new Metrics();
  const [skips, jumps, letGo] = ['skips', 'jumps', 'let_go'].map((name) => metrics.counter(name, name));
  const fanout = new Fanout({
    feed: broadcast.feed,
    clock: new ManualClock(),
    counters: { bytes: { inc: () => {} }, skips: skips!, jumps: jumps!, letGo: letGo! },
    isImmediate: () => false,
    onLeave: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const join = (): PassThrough => {
    const outlet = new PassThrough();
    fanout.add(outlet, { sequence: broadcast.feed.next, opening: undefined });
    return outlet;
  };
  return { broadcast, fanout, join, outlets: Array.from({ length: viewers }, join) };
}

const readBy = (outlet: PassThrough): Buffer => outlet.read() ?? Buffer.alloc(0);

test('all get what had come when it began, and what comes meanwhile with the next', () => {
  const { broadcast, fanout, outlets } = watched(60);
  broadcast.push(2);
  const before = broadcast.bytesFrom(11);
  const flush = fanout.flush(0, 1);
  expect(flush.next().done).toBe(false);
  expect(outlets.filter((outlet) => outlet.readableLength > 0)).toHaveLength(25);
  broadcast.push(3);
  expect([...flush]).toHaveLength(1);
  for (const outlet of outlets) expect(readBy(outlet)).toEqual(before);
  expect([...fanout.flush(0, 1)]).toHaveLength(2);
  for (const outlet of outlets) expect(readBy(outlet)).toEqual(broadcast.bytesFrom(13));
});

test('viewers who leave and come while it rests cost nobody a byte', async () => {
  const { broadcast, fanout, join, outlets } = watched(60);
  broadcast.push(2);
  const flush = fanout.flush(0, 1);
  flush.next();
  const leaving = outlets.splice(20, 30);
  const closed = leaving.map((outlet) => new Promise((resolve) => outlet.once('close', resolve)));
  for (const outlet of leaving) outlet.destroy();
  await Promise.all(closed);
  const late = join();
  for (const _ of flush);
  for (const _ of fanout.flush(0, 1));
  expect(fanout.size).toBe(31);
  for (const outlet of outlets) expect(readBy(outlet)).toEqual(broadcast.bytesFrom(11));
  broadcast.push();
  for (const _ of fanout.flush(0, 1));
  for (const outlet of [...outlets, late]) expect(readBy(outlet)).toEqual(broadcast.bytesFrom(13));
});
