import { expect, test } from 'vitest';
import type { Snapshot } from '../../../../network/state/state.ts';
import { Crossings } from '../../../../usher/placement/scene/crossings.ts';
import { SOURCE, server, snapshot, stream } from '../../../tools/cluster/clusters.ts';

const servers = [
  server('f1', { site: 'fra' }),
  server('f2', { site: 'fra' }),
  server('n1', { site: 'nyc' }),
  server('n2', { site: 'nyc' }),
];

function follow(name: string, parent: string) {
  return { stream: name, rendition: 'source', parents: [{ id: parent, relayUrl: '' }] };
}

/** What each follows of alice (4 Mbps) and bob (8 Mbps). */
function planned(follows: Readonly<Record<string, readonly [stream: string, parent: string][]>>): Snapshot {
  const bob = stream('bob', 'n1', { renditions: [{ ...SOURCE, averageBps: 8_000_000 }] });
  const plan = Object.fromEntries(
    Object.entries(follows).map(([id, list]) => [
      id,
      { follows: list.map(([name, parent]) => follow(name, parent)), successors: {} },
    ]),
  );
  return snapshot(servers, [stream('alice', 'f1'), bob], { plan });
}

test('copies within a site cross no link, and of two directions the fuller counts', () => {
  const crossings = new Crossings();
  const first = planned({
    f2: [
      ['alice', 'f1'],
      ['bob', 'n1'],
    ],
    n1: [['alice', 'f1']],
    n2: [['alice', 'n1']],
  });
  expect([...crossings.read(first)]).toEqual([['link/fra/nyc', 8]]);
});

test('a changed plan counts at once, and so does a server that is gone', () => {
  const crossings = new Crossings();
  crossings.read(planned({ n1: [['alice', 'f1']] }));
  const next = planned({
    n1: [],
    n2: [
      ['alice', 'f1'],
      ['bob', 'f1'],
    ],
  });
  expect([...crossings.read(next)]).toEqual([['link/fra/nyc', 12]]);
  const gone = { ...next, servers: servers.slice(0, 3) };
  expect([...crossings.read(gone)]).toEqual([]);
});

test('a changed bitrate counts within fifty snapshots', () => {
  const crossings = new Crossings();
  const before = planned({ n1: [['alice', 'f1']] });
  crossings.read(before);
  const streams = before.streams.map((each) => ({
    ...each,
    renditions: [{ ...SOURCE, averageBps: 6_000_000 }],
  }));
  let used = 0;
  for (let at = 0; at < 50; at++) used = crossings.read({ ...before, streams }).get('link/fra/nyc')!;
  expect(used).toBe(6);
});
