// A server that follows a feed here, when writing to it fails by a mistake of ours.

import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Child } from '../../../network/relay/child.ts';
import { SyntheticBroadcast } from '../../tools/viewers/progressive-feed.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

test('a mistake in writing to one following server closes its connection alone', () => {
  const broadcast = new SyntheticBroadcast();
  broadcast.push(2);
  const faults: unknown[] = [];
  const follow = (outlet: PassThrough): PassThrough => {
    new Child({
      relayed: {
        feed: broadcast.feed,
        lineage: { path: [], isFed: true },
        subscribe: () => () => {},
      },
      outlet,
      place: { next: 1, resumption: undefined },
      clock: new ManualClock(),
      onSent: () => {},
      onLetGo: () => {},
      onFault: (error) => faults.push(error),
      onClose: () => {},
    });
    return outlet;
  };
  const victim = follow(new PassThrough({ highWaterMark: 1e6 }));
  const other = follow(new PassThrough({ highWaterMark: 1e6 }));
  victim.write = () => {
    throw new Error('a mistake');
  };
  const before = other.readableLength;
  broadcast.push(3);
  expect(faults).toEqual([new Error('a mistake')]);
  expect([victim.destroyed, other.destroyed]).toEqual([true, false]);
  expect(other.readableLength).toBeGreaterThan(before);
});
