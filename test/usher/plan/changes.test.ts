import { expect, test } from 'vitest';
import type { Follow } from '../../../network/state/state.ts';
import { changesOf, tallyOf } from '../../../usher/plan/changes.ts';
import type { Plan } from '../../../usher/planner.ts';

const follow = (stream: string, ...parents: string[]): Follow => ({
  stream,
  rendition: 'source',
  parents: parents.map((id) => ({ id, relayUrl: `http://${id}.example:8082` })),
});
const BEFORE: Plan = {
  a: { follows: [follow('alice', 'o'), follow('bob', 'o', 'b')], successors: {} },
  b: { follows: [follow('alice', 'a', 'o')], successors: {} },
  gone: { follows: [follow('alice', 'a')], successors: {} },
};

test('copies that are made, withdrawn and moved are counted; a new second parent moves nobody', () => {
  const after: Plan = {
    a: { follows: [follow('alice', 'o', 'b'), follow('carol', 'o')], successors: {} },
    b: { follows: [follow('alice', 'o')], successors: {} },
    new: { follows: [follow('alice', 'b', 'o')], successors: {} },
  };
  expect(tallyOf(BEFORE, changesOf(BEFORE, after))).toEqual({ made: 2, withdrawn: 2, moved: 1 });
});

test('another successor is a change, and no copy moves', () => {
  const successor = (id: string) => ({ id, mediaUrl: `https://${id}.example:8081` });
  const to = (id: string): Plan => ({ a: { follows: [], successors: { alice: successor(id) } } });
  const changes = changesOf(to('b'), to('c'));
  expect(Object.keys(changes)).toEqual(['a']);
  expect(tallyOf(to('b'), changes)).toEqual({ made: 0, withdrawn: 0, moved: 0 });
  expect(changesOf(to('b'), structuredClone(to('b')))).toEqual({});
});
