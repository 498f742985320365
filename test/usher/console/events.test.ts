import { describe, expect, test } from 'vitest';
import { NO_TOPOLOGY } from '../../../network/map/topology.ts';
import type { Follow, KnownServer, Snapshot, StreamRecord } from '../../../network/state/state.ts';
import { EventList } from '../../../usher/console/events/event-list.ts';
import { eventsBetween } from '../../../usher/console/events/events-between.ts';
import type { Look } from '../../../usher/console/figures/look.ts';
import { DRAIN, holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import { lookAt } from '../../tools/cluster/looks.ts';

const ALICE = stream('alice', 'o1');
const o1 = server('o1', { roles: ['origin', 'edge'], holdings: [holding('alice')] });
const e1 = server('e1', { holdings: [holding('alice', 2, { parent: 'o1' })] });
const e2 = server('e2');
const DEAD = { beatAtMs: NOW_MS - 9_000 };
const at = (servers: KnownServer[], streams: StreamRecord[] = [ALICE], changes: Partial<Snapshot> = {}) =>
  snapshot(servers, streams, changes);
const between = (before: Snapshot, after: Snapshot) => eventsBetween(lookAt(before), lookAt(after));
const calm = at([o1, e1, e2]);

describe('what happened between two looks', () => {
  test('is nothing when only figures changed', () => {
    const busier = { ...e1, sentMbps: 80, holdings: [holding('alice', 30, { parent: 'o1' })] };
    expect(between(calm, at([o1, busier, e2]))).toEqual([]);
  });

  test('servers come, go, fall silent and are back', () => {
    const site = 'fra1';
    expect(between(at([o1, e1]), calm)).toEqual([{ kind: 'server-joined', server: 'e2', site }]);
    expect(between(calm, at([o1, e1]))).toEqual([{ kind: 'server-gone', server: 'e2', site, how: 'left' }]);
    const silent = at([o1, e1, { ...e2, ...DEAD }]);
    expect(between(calm, silent)).toEqual([{ kind: 'server-gone', server: 'e2', site, how: 'silent' }]);
    expect(between(silent, calm)).toEqual([{ kind: 'server-back', server: 'e2', site }]);
    expect(between(silent, at([o1, e1]))).toEqual([]);
    const again = { ...e2, instance: 'e2-2' };
    expect(between(calm, at([o1, e1, again]))).toEqual([{ kind: 'server-back', server: 'e2', site }]);
  });

  test('a drain is ordered, the server is empty, and the drain is taken back', () => {
    const drains = { e1: { sinceMs: 1, deadlineMs: 9 } };
    const ordered = at([o1, e1, e2], [ALICE], { drains });
    expect(between(calm, ordered)).toEqual([
      { kind: 'drain-ordered', server: 'e1', deadlineMs: 9, isWished: true },
    ]);
    const draining = at([o1, { ...e1, drain: DRAIN }, e2], [ALICE], { drains });
    expect(between(ordered, draining)).toEqual([]);
    const empty = at([o1, { ...e1, drain: DRAIN, holdings: [] }, e2], [ALICE], { drains });
    expect(between(draining, empty)).toEqual([{ kind: 'drain-emptied', server: 'e1' }]);
    expect(between(empty, at([o1, { ...e1, holdings: [] }, e2]))).toEqual([
      { kind: 'drain-ended', server: 'e1' },
    ]);
  });

  test('a server that leaves as soon as it is empty was emptied', () => {
    const ending = at([o1, { ...e1, drain: { ...DRAIN, wished: false } }, e2]);
    expect(between(ending, at([o1, e2])).map(({ kind }) => kind)).toEqual(['server-gone', 'drain-emptied']);
  });

  test('a server that has broadcasts or children is not empty', () => {
    const watched = at([o1, { ...e1, holdings: [holding('alice', 0, { parent: 'o1' })] }]);
    const ordered = {
      ...watched,
      servers: watched.servers.map((each) => (each.id === 'o1' ? { ...each, drain: DRAIN } : each)),
    };
    expect(between(watched, ordered).map(({ kind }) => kind)).toEqual(['drain-ordered']);
  });

  test('a broadcast goes on at another server', () => {
    expect(between(calm, at([o1, e1, e2], [stream('alice', 'e2')]))).toEqual([
      { kind: 'origin-changed', stream: 'alice', from: 'o1', to: 'e2' },
    ]);
  });

  test('copies that lost their parent are told of once for each parent, but not those that the plan moved', () => {
    const follow = (name: string, ...parents: string[]): Follow => ({
      stream: name,
      rendition: 'source',
      parents: parents.map((id) => ({ id, relayUrl: '' })),
    });
    const streams = ['alice', 'bob'].map((name) => stream(name, 'o1'));
    const plan = {
      e1: { follows: [follow('alice', 'o1', 'e2'), follow('bob', 'o1', 'e2')], successors: {} },
    };
    const held = (parent: string) => ['bob', 'alice'].map((name) => holding(name, 1, { parent }));
    const before = at([o1, { ...e1, holdings: held('o1') }, e2], streams, { plan });
    const after = at([o1, { ...e1, holdings: held('e2').reverse() }, e2], streams, { plan });
    expect(between(before, after)).toEqual([
      { kind: 'parents-changed', server: 'o1', copies: 2, streams: ['alice', 'bob'] },
    ]);
    const moved = { e1: { follows: [follow('alice', 'e2'), follow('bob', 'e2')], successors: {} } };
    expect(between(before, { ...after, plan: moved })).toEqual([]);
  });

  test('jobs go to another worker, or fail', () => {
    const plan = (id: string): Snapshot['plan'] => ({
      [id]: { follows: [], successors: {}, transcodes: [{ stream: 'alice', rungs: [] }] },
    });
    const [first, second] = ['e1', 'e2'].map((id) => at([o1, e1, e2], [ALICE], { plan: plan(id) }));
    expect(between(first!, second!)).toEqual([{ kind: 'job-moved', stream: 'alice', from: 'e1', to: 'e2' }]);
    const job = { stream: 'alice', state: 'failed', reason: 'no memory', renditions: [] } as const;
    const transcoding = { slots: 1, codecs: [], jobs: [job] };
    expect(between(calm, at([o1, e1, { ...e2, transcoding }]))).toEqual([
      { kind: 'job-failed', server: 'e2', stream: 'alice', reason: 'no memory' },
    ]);
  });

  const CDN = { name: 'cdn', urlTemplate: '', microUsdPerGb: 1, capMicroUsdPerMonth: 100, shields: 1 };
  const topology = { ...NO_TOPOLOGY, cdns: [CDN] };
  const paying = (microUsd: number, changes: Partial<Look> = {}): Look =>
    lookAt(calm, { topology, cdnMicroUsdPerHour: new Map([['cdn', microUsd]]), ...changes });

  test('viewers overflow to a CDN, come back, and a cap is reached', () => {
    const cdnViewers = new Map([
      ['bob', new Map([['cdn', 1]])],
      ['alice', new Map([['cdn', 9]])],
    ]);
    expect(eventsBetween(paying(0), paying(5, { cdnViewers }))).toEqual([
      { kind: 'overflow-began', cdn: 'cdn', streams: ['alice', 'bob'] },
    ]);
    expect(eventsBetween(paying(5), paying(0))).toEqual([{ kind: 'overflow-ended', cdn: 'cdn' }]);
    const spent = { ...calm, spentMicroUsd: { cdn: 100 } };
    expect(eventsBetween(paying(5), { ...paying(5), snapshot: spent })).toEqual([
      { kind: 'cap-reached', cdn: 'cdn', capMicroUsd: 100 },
    ]);
  });

  test('another usher leads', () => {
    const led = (id: string | undefined, planTerm: number): Look =>
      lookAt({ ...calm, planTerm }, { leader: { isHere: false, ...(id ? { id } : {}) } });
    expect(eventsBetween(led('u1', 5), led('u2', 5))).toEqual([
      { kind: 'leader-changed', leader: 'u2', planTerm: 5 },
    ]);
    expect(eventsBetween(led(undefined, 5), led(undefined, 6))).toEqual([
      { kind: 'leader-changed', planTerm: 6 },
    ]);
    expect(eventsBetween(led('u1', 5), led('u1', 6))).toEqual([]);
  });

  test('a recording has one more gap', () => {
    const gaps = (count: number): Look => lookAt(calm, { gaps: new Map([['alice.20270115', count]]) });
    expect(eventsBetween(gaps(1), gaps(2))).toEqual([
      { kind: 'recording-gap', stream: 'alice', recording: 'alice.20270115' },
    ]);
    expect(eventsBetween(lookAt(calm), gaps(2))).toEqual([]);
  });

  test('a storm is counted where it is not listed', () => {
    const many = Array.from({ length: 250 }, (_, index) => server(`s${index}`));
    const told = between(at([]), at(many));
    expect(told).toHaveLength(100);
    expect(told.at(-1)).toEqual({ kind: 'more', count: 151 });
  });
});

describe('the list of events', () => {
  test('keeps the last thousand, and gives those after an id', () => {
    const list = new EventList();
    for (let second = 0; second < 600; second++)
      list.add(
        [
          { kind: 'drain-ended', server: 'a' },
          { kind: 'drain-ended', server: 'b' },
        ],
        second,
      );
    expect(list.after(0)).toHaveLength(1_000);
    expect(list.after(list.lastId - 1)).toEqual([
      { id: 1_200, atMs: 599, happening: { kind: 'drain-ended', server: 'b' } },
    ]);
  });
});
