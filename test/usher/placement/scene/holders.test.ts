import { expect, test } from 'vitest';
import type { Holding, KnownServer, Snapshot } from '../../../../network/state/state.ts';
import { Holders } from '../../../../usher/placement/scene/holders.ts';
import { holding, server } from '../../../tools/cluster/clusters.ts';

function of(holders: Holders, stream: string): Record<string, string> {
  const ids = ['a', 'b', 'c', 'd'];
  const names = new Map(ids.map((id) => [holders.slotOf(id), id]));
  return Object.fromEntries(holders.of(stream).map(({ slot, state }) => [names.get(slot), state]));
}

function read(
  holders: Holders,
  held: Record<string, readonly Holding[]>,
  follows: Record<string, string[]> = {},
): void {
  const servers = Object.entries(held).map(([id, holdings]): KnownServer => server(id, { holdings }));
  const followOf = (rendition: string) => ({ stream: 'alice', rendition, parents: [] });
  const plan: Snapshot['plan'] = Object.fromEntries(
    Object.entries(follows).map(([id, renditions]) => [
      id,
      { follows: renditions.map(followOf), successors: {} },
    ]),
  );
  holders.read({ servers, plan });
}

test('who watches or is wanted keeps a stream; else it leaves, and what is only wanted comes', () => {
  const holders = new Holders();
  const idle = holding('alice', 0);
  read(
    holders,
    { a: [holding('alice', 1)], b: [idle], c: [idle], d: [] },
    { c: ['source'], d: ['source', '720p'] },
  );
  expect(of(holders, 'alice')).toEqual({ a: 'held', b: 'leaving', c: 'held', d: 'coming' });
  expect([holders.has('b', 'alice'), holders.has('b', 'bob')]).toEqual([true, false]);
});

test('a viewer of any rendition keeps the stream', () => {
  const holders = new Holders();
  read(holders, { a: [holding('alice', 2), holding('alice', 0, { rendition: '720p' })] });
  expect(of(holders, 'alice')).toEqual({ a: 'held' });
});

test('what changes from snapshot to snapshot is followed, and servers that are gone give their numbers to others', () => {
  const holders = new Holders();
  read(holders, { a: [holding('alice', 1)], b: [holding('bob', 1)] });
  const slot = holders.slotOf('a');
  read(holders, { a: [holding('alice', 0)], b: [holding('alice', 1)] });
  expect(of(holders, 'alice')).toEqual({ a: 'leaving', b: 'held' });
  expect(of(holders, 'bob')).toEqual({});
  expect(holders.slotOf('a')).toBe(slot);
  read(holders, { b: [holding('alice', 1)], c: [holding('alice', 1)] });
  expect(of(holders, 'alice')).toEqual({ b: 'held', c: 'held' });
  read(holders, { c: [], d: [holding('alice', 1)] }, { c: ['source'] });
  expect(of(holders, 'alice')).toEqual({ c: 'coming', d: 'held' });
});
