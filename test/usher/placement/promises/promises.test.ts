import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KnownServer } from '../../../../network/state/state.ts';
import { type Booking, PROMISE_MS, Promises } from '../../../../usher/placement/promises/promises.ts';
import { holding, NOW_MS, server } from '../../../tools/cluster/clusters.ts';

function booking(at: string, changes: Partial<Booking> = {}): Booking {
  return { stream: 'alice', server: at, mbps: 4, resources: [`server/${at}`, 'uplink/fra1/t'], ...changes };
}

function settle(promised: Promises, ms: number, servers: readonly KnownServer[] = []): void {
  promised.settle({ nowMs: NOW_MS + ms, servers });
}

describe('a promise', () => {
  test('is booked on all that it takes, and let go when a beat shows the session there', () => {
    const arrived: [string, number][] = [];
    const promised = new Promises((resource, mbps) => arrived.push([resource, mbps]));
    promised.book('v', booking('a'), NOW_MS);
    expect([promised.on('server/a').mbps, promised.on('uplink/fra1/t').mbps]).toEqual([4, 4]);
    settle(promised, 100, [server('b', { arrived: ['v'] }), server('a', { arrived: ['w'] })]);
    expect(promised.on('server/a').mbps).toBe(4);
    settle(promised, 200, [server('a', { arrived: ['w', 'v'] })]);
    expect([promised.on('server/a').mbps, promised.count]).toEqual([0, 0]);
    expect(arrived).toEqual([
      ['server/a', 4],
      ['uplink/fra1/t', 4],
    ]);
  });

  test('is let go when nobody came, by the clock of the state: without news nothing is', () => {
    const promised = new Promises();
    promised.book('v', booking('a'), NOW_MS);
    promised.book('w', booking('a'), NOW_MS + 500);
    settle(promised, PROMISE_MS - 1);
    expect(promised.on('server/a').mbps).toBe(8);
    settle(promised, PROMISE_MS);
    expect(promised.on('server/a').mbps).toBe(4);
    settle(promised, PROMISE_MS + 500);
    expect(promised.on('server/a').mbps).toBe(0);
  });

  test('follows a move: what was promised before is free again', () => {
    const promised = new Promises();
    promised.book('v', booking('a'), NOW_MS);
    promised.book('v', booking('b', { mbps: 1 }), NOW_MS + 100);
    expect([promised.on('server/a').mbps, promised.on('server/b').mbps]).toEqual([0, 1]);
    expect(promised.on('uplink/fra1/t').mbps).toBe(1);
    promised.keepAt('v', 'a');
    expect(promised.count).toBe(0);
  });
});

describe('what is promised to viewers of one address', () => {
  test('is theirs until they come, or are promised something else, or do not come', () => {
    const promised = new Promises();
    for (const viewer of ['v', 'w', 'x']) promised.book(viewer, booking('a'), NOW_MS, '203.0.113.7');
    promised.book('y', booking('a'), NOW_MS);
    expect(promised.awaitedFrom('203.0.113.7')).toEqual({ count: 3, mbps: 12 });
    promised.book('v', booking('b', { mbps: 1 }), NOW_MS, '203.0.113.7');
    expect(promised.awaitedFrom('203.0.113.7')).toEqual({ count: 3, mbps: 9 });
    settle(promised, 100, [server('a', { arrived: ['w'] })]);
    expect(promised.awaitedFrom('203.0.113.7')).toEqual({ count: 2, mbps: 5 });
    settle(promised, PROMISE_MS);
    expect(promised.awaitedFrom('203.0.113.7')).toEqual({ count: 0, mbps: 0 });
    expect(promised.awaitedFrom('')).toEqual({ count: 0, mbps: 0 });
  });
});

describe('a copy that viewers are sent to', () => {
  const copy = { mbps: 6, resources: ['server/o'] };

  test('takes of its parent once, however many come, until the server has the stream', () => {
    const promised = new Promises();
    for (const viewer of ['v', 'w', 'x']) promised.book(viewer, booking('a', { copy }), NOW_MS);
    expect(promised.on('server/o').mbps).toBe(6);
    expect([...promised.comingTo('alice')]).toEqual(['a']);
    settle(promised, 1_000, [server('a', { holdings: [holding('bob')] })]);
    expect(promised.isComing('alice', 'a')).toBe(true);
    settle(promised, 1_000, [server('a', { holdings: [holding('alice')] })]);
    expect([promised.on('server/o').mbps, promised.isComing('alice', 'a')]).toEqual([0, false]);
  });

  test('is expected as long as viewers are sent there', () => {
    const promised = new Promises();
    promised.book('v', booking('a', { copy }), NOW_MS);
    promised.book('w', booking('a'), NOW_MS + 6_000);
    settle(promised, PROMISE_MS + 5_000);
    expect(promised.isComing('alice', 'a')).toBe(true);
    settle(promised, PROMISE_MS + 6_000);
    expect([promised.isComing('alice', 'a'), promised.on('server/o').mbps]).toEqual([false, 0]);
  });
});

test('what is booked is the sum of what is promised, whatever comes and goes', () => {
  const act = fc.record({
    kind: fc.constantFrom('book' as const, 'book' as const, 'release' as const, 'arrive' as const),
    session: fc.constantFrom('u', 'v', 'w', 'x'),
    at: fc.constantFrom('a', 'b'),
    mbps: fc.constantFrom(0.1, 0.7, 4.0004),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const promised = new Promises();
      const model = new Map<string, { at: string; mbps: number }>();
      for (const { kind, session, at, mbps } of acts) {
        if (kind === 'book') promised.book(session, booking(at, { mbps }), NOW_MS);
        else if (kind === 'release') promised.release(session);
        else settle(promised, 0, [server(at, { arrived: [session] })]);
        if (kind === 'book') model.set(session, { at, mbps });
        else if (kind === 'release' || model.get(session)?.at === at) model.delete(session);
        for (const id of ['a', 'b']) {
          const sum = [...model.values()]
            .filter((each) => each.at === id)
            .reduce((all, each) => all + each.mbps, 0);
          expect(promised.on(`server/${id}`).mbps).toBeCloseTo(sum, 9);
        }
      }
      for (const session of ['u', 'v', 'w', 'x']) promised.release(session);
      expect(promised.on('server/a').mbps).toBe(0);
    }),
  );
});

test('resources that are gone are forgotten when nothing is booked on them', () => {
  const promised = new Promises();
  promised.book('v', booking('a'), NOW_MS);
  for (let at = 0; at < 500; at++) promised.on(`server/gone-${at}`);
  promised.prune(new Map());
  expect(promised.resources()).toEqual(['server/a', 'uplink/fra1/t']);
  const last = promised.on('server/gone-1');
  last.mbps = 9;
  promised.prune(new Map());
  expect(promised.on('server/gone-1')).toBe(last);
});
