// What must hold of every cluster state for those who place viewers: drains, leases, spending, accounts, and who is told of a change.

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  MAX_CDNS,
  MAX_DEMAND,
  MAX_WANTS,
  type UsherReport,
  type Want,
} from '../../../network/state/lease.ts';
import { BEAT_MS, FORGET_MS, LEASE_MS } from '../../../network/state/liveness.ts';
import type { ClusterState } from '../../../network/state/state.ts';
import { serverRecord, usherReport } from '../../tools/cluster/cluster-records.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';
import type { Subject } from './state.contract.ts';

const a = serverRecord('a');
const drain = { sinceMs: 1_700_000_000_000, deadlineMs: null };
const JANUARY_MS = Date.UTC(2030, 0);

export function describeUsherVerbs(name: string, start: () => Promise<Subject>): void {
  describe(name, () => {
    let subject: Subject;
    let clock: ManualClock;
    let state: ClusterState;
    let other: ClusterState;
    /** By usher. */
    let sequences: Map<string, number>;
    beforeAll(async () => {
      subject = await start();
    });
    beforeEach(async () => {
      clock = new ManualClock();
      sequences = new Map();
      [state, other] = await subject.open(clock);
      await lease('first', {});
      await pass(LEASE_MS);
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    async function pass(ms: number, say: () => Promise<unknown> = () => state.lead('waiting', 0, {})) {
      for (let left = ms; left > 0; left -= BEAT_MS) {
        clock.advance(Math.min(left, BEAT_MS));
        await say();
      }
    }

    /** What is granted; ushers whose names differ speak to the state by different connections. */
    async function lease(
      usher: string,
      wants: Readonly<Record<string, Partial<Want>>>,
      changes: Partial<UsherReport> = {},
    ): Promise<Readonly<Record<string, number>>> {
      const sequence = (sequences.get(usher) ?? 0) + 1;
      sequences.set(usher, sequence);
      const report = usherReport(usher, wants, { sequence, asOfMs: clock.now(), ...changes });
      return (await (usher === 'one' ? state : other).lease(report)).granted;
    }

    describe('a drain', () => {
      test('is told with beats, and stands until it is taken back', async () => {
        await state.beat(a, []);
        await other.drain('a', drain);
        expect((await other.snapshot()).drains).toEqual({ a: drain });
        expect((await state.beat(a, [])).drain).toEqual(drain);
        await other.drain('a', { ...drain, deadlineMs: 5 });
        expect((await state.beat(a, [])).drain).toEqual({ ...drain, deadlineMs: 5 });
        await other.drain('a', null);
        expect((await state.beat(a, [])).drain).toBeUndefined();
        expect((await other.snapshot()).drains).toEqual({});
      });

      test('of a server that nobody knows is refused', async () => {
        const refusal = { code: 'unknown_server', message: expect.stringContaining("'nobody'") };
        await expect(state.drain('nobody', drain)).rejects.toMatchObject(refusal);
        await expect(state.drain('nobody', null)).rejects.toMatchObject(refusal);
      });

      test('outlives the process of its server that crashed, but neither one that left nor one that is forgotten', async () => {
        await state.beat(a, []);
        await state.drain('a', drain);
        await pass(LEASE_MS);
        expect((await state.beat({ ...a, instance: 'another' }, [])).drain).toEqual(drain);
        await state.leave({ ...a, instance: 'another' });
        expect((await state.beat(a, [])).drain).toBeUndefined();
        await state.drain('a', drain);
        clock.advance(FORGET_MS);
        expect((await state.snapshot()).drains).toEqual({});
        expect((await state.beat(a, [])).drain).toBeUndefined();
      });

      test('that usher wished is known again from the server that says so, once, and its own is not', async () => {
        const draining = { ...a, drain: { ...drain, wished: true } };
        expect((await state.beat(draining, [])).drain).toEqual(drain);
        await state.drain('a', null);
        expect((await state.beat(draining, [])).drain).toBeUndefined();
        const ending = serverRecord('b', { drain: { ...drain, wished: false } });
        expect((await state.beat(ending, [])).drain).toBeUndefined();
        expect((await state.snapshot()).drains).toEqual({});
      });
    });

    describe('a lease', () => {
      const full = { limitMbps: 100, usedMbps: 40 };

      test('grants what is wanted of what is free, and no two ushers the same', async () => {
        expect(await lease('one', { 'server/a': { ...full, wantMbps: 25.5 } })).toEqual({ 'server/a': 25.5 });
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 50 } })).toEqual({ 'server/a': 34.5 });
        expect(await lease('three', { 'server/a': { ...full, wantMbps: 1 } })).toEqual({ 'server/a': 0 });
        expect(await lease('three', { 'server/b': { ...full, wantMbps: 1 } })).toEqual({ 'server/b': 1 });
      });

      test('of what is over its limit is nothing, never less', async () => {
        expect(await lease('one', { 'host/x/y': { limitMbps: 10, usedMbps: 12, wantMbps: 5 } })).toEqual({
          'host/x/y': 0,
        });
      });

      test('is held anew by each report, and given back by one that wants less', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 60 } });
        expect(await lease('one', { 'server/a': { ...full, heldMbps: 60, wantMbps: 60 } })).toEqual({
          'server/a': 60,
        });
        await lease('one', { 'server/a': { ...full, heldMbps: 60, wantMbps: 10 } });
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 50 });
      });

      test('that was not named again returns after LEASE_MS', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 60 } });
        await pass(LEASE_MS - 1, () => lease('one', {}));
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 0 });
        clock.advance(1);
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 60 });
      });

      test('counts what is used by the newest snapshot that any usher has seen', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 60 } });
        const seen = { limitMbps: 100, usedMbps: 90, heldMbps: 60, wantMbps: 0 };
        await lease('one', { 'server/a': seen });
        const older = { asOfMs: clock.now() - 1 };
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } }, older)).toEqual({
          'server/a': 10,
        });
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 10 });
        clock.advance(1);
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 60 });
      });

      test('keeps what an usher goes by until it hears that it gets less', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 60 } });
        const fuller = { limitMbps: 100, usedMbps: 80 };
        expect(await lease('one', { 'server/a': { ...fuller, heldMbps: 60, wantMbps: 60 } })).toEqual({
          'server/a': 20,
        });
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 0 });
        await lease('one', { 'server/a': { ...fuller, heldMbps: 20, wantMbps: 60 } });
        clock.advance(1);
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 40 });
      });

      test('by a report that comes late changes nothing', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 60 } });
        expect(await lease('one', { 'server/a': { ...full, wantMbps: 0 } }, { sequence: 1 })).toEqual({});
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 60 } })).toEqual({ 'server/a': 0 });
      });

      test('grants nobody more than it held while others may hold what the state does not know of', async () => {
        await lease('one', { 'server/a': { ...full, wantMbps: 10 } });
        clock.advance(10 * LEASE_MS);
        const more = { ...full, heldMbps: 10, wantMbps: 30 };
        expect(await lease('one', { 'server/a': more, 'server/b': more })).toEqual({
          'server/a': 10,
          'server/b': 10,
        });
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 30 } })).toEqual({ 'server/a': 0 });
        await pass(LEASE_MS - 1, () => lease('one', { 'server/a': more }));
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 30 } })).toEqual({ 'server/a': 0 });
        clock.advance(1);
        expect(await lease('two', { 'server/a': { ...full, wantMbps: 30 } })).toEqual({ 'server/a': 30 });
      });

      test('says for how long nobody gets more than it held', async () => {
        const unsettledMs = async (sequence: number): Promise<number> =>
          (await other.lease(usherReport('two', {}, { sequence }))).unsettledMs;
        expect(await unsettledMs(1)).toBe(0);
        clock.advance(10 * LEASE_MS);
        expect(await unsettledMs(2)).toBe(LEASE_MS);
        await pass(LEASE_MS - 10);
        expect(await unsettledMs(3)).toBe(10);
        clock.advance(10);
        expect(await unsettledMs(4)).toBe(0);
      });

      test('of everything in a large cluster is one report', async () => {
        const names = Array.from({ length: MAX_WANTS }, (_, at) => `server/${at}`);
        const wants = Object.fromEntries(names.map((each) => [each, { ...full, wantMbps: 60 }]));
        expect(await lease('one', wants)).toEqual(Object.fromEntries(names.map((each) => [each, 60])));
        expect(Object.values(await lease('two', wants))).toEqual(names.map(() => 0));
      });

      const many = (count: number) => Array.from({ length: count }, (_, at) => [`n${at}`, 1] as const);
      const one = { limitMbps: 1, usedMbps: 0, heldMbps: 0, wantMbps: 1 };
      test.each<[string, Partial<UsherReport>]>([
        ['5001 of at most 5000', { wants: Object.fromEntries(many(MAX_WANTS + 1).map(([id]) => [id, one])) }],
        ['501 of at most 500', { demand: Object.fromEntries(many(MAX_DEMAND + 1).map(([id]) => [id, {}])) }],
        ['257 of at most 256', { demand: { alice: Object.fromEntries(many(257)) } }],
        ['65 of at most 64', { spentMicroUsd: Object.fromEntries(many(MAX_CDNS + 1)) }],
        ["'server/a b' is no name", { wants: { 'server/a b': one } }],
        ["wantMbps is '-1'", { wants: { 'server/a': { ...one, wantMbps: -1 } } }],
        ["usedMbps is 'NaN'", { wants: { 'server/a': { ...one, usedMbps: Number.NaN } } }],
        ["fra1 is 'Infinity'", { demand: { alice: { fra1: Number.POSITIVE_INFINITY } } }],
        ["cdn is '-3'", { spentMicroUsd: { cdn: -3 } }],
        ["'two words' is no name", { id: 'two words' }],
      ])('of a report that makes no sense is refused: %s', async (reason, changes) => {
        const report = usherReport('one', {}, { sequence: 99, ...changes });
        await expect(state.lease(report)).rejects.toMatchObject({
          code: 'bad_report',
          message: expect.stringContaining(reason),
        });
        expect((await other.snapshot()).ushers.map(({ id }) => id)).toEqual([]);
      });

      test('makes the usher and what it sees known, for LEASE_MS', async () => {
        const demand = { alice: { fra1: 2.5, ams1: 0 } };
        await lease('two', {}, { demand });
        clock.advance(1);
        await lease('one', {});
        expect((await other.snapshot()).ushers).toEqual([
          { id: 'one', heardAtMs: clock.now(), demand: {} },
          { id: 'two', heardAtMs: clock.now() - 1, demand },
        ]);
        clock.advance(LEASE_MS - 1);
        expect((await other.snapshot()).ushers.map(({ id }) => id)).toEqual(['one']);
      });
    });

    describe('what is spent on CDNs', () => {
      const spend = async (usher: string, changes: Partial<UsherReport>) => {
        const sequence = (sequences.get(usher) ?? 0) + 1;
        sequences.set(usher, sequence);
        return (await state.lease(usherReport(usher, {}, { sequence, ...changes }))).month;
      };

      test('is added up over all ushers, by the month', async () => {
        clock.set(JANUARY_MS + 31 * 86_400_000 - 2_000);
        await spend('one', { spentMicroUsd: { fast: 1_000, wide: 7 } });
        expect(await spend('two', { spentMicroUsd: { fast: 500 } })).toEqual({
          startMs: JANUARY_MS,
          spentMicroUsd: { fast: 1_500, wide: 7 },
        });
        clock.advance(1_999);
        expect((await other.snapshot()).spentMicroUsd).toEqual({ fast: 1_500, wide: 7 });
        clock.advance(1);
        expect((await other.snapshot()).spentMicroUsd).toEqual({});
        const month = { startMs: Date.UTC(2030, 1), spentMicroUsd: { wide: 3 } };
        expect(await spend('two', { spentMicroUsd: { wide: 3 } })).toEqual(month);
      });

      test('is known again from what ushers heard last, once, and only of the same month', async () => {
        clock.set(JANUARY_MS + 5);
        const month = { startMs: JANUARY_MS, spentMicroUsd: { fast: 9_000 } };
        await spend('one', { month, spentMicroUsd: { fast: 10 } });
        expect(await spend('two', { month, spentMicroUsd: { fast: 10 } })).toEqual({
          ...month,
          spentMicroUsd: { fast: 9_020 },
        });
        const last = { startMs: Date.UTC(2029, 11), spentMicroUsd: { fast: 1e9 } };
        expect((await spend('one', { month: last })).spentMicroUsd).toEqual({ fast: 9_020 });
      });

      test.each([
        '1970-01-01',
        '1999-12-31',
        '2000-02-29',
        '2000-03-01',
        '2026-11-21',
        '2028-02-29',
        '2028-12-31',
        '2100-03-01',
      ])('on %s belongs to that month', async (date) => {
        clock.set(Date.parse(`${date}T23:59:59.999Z`));
        expect((await spend('one', {})).startMs).toBe(Date.parse(`${date.slice(0, 7)}-01T00:00:00Z`));
      });
    });

    describe('the leader', () => {
      const account = {
        monthStartMs: JANUARY_MS,
        intervals: 3,
        intervalStartMs: JANUARY_MS + 900_000,
        intervalMbitSum: 12.5,
        top: [900, 40.5],
        gigabytes: 7.25,
      };

      test('keeps the accounts of uplinks, and nobody else does', async () => {
        const { term } = await state.lead('one', undefined, {
          accounts: { 'fra1/transit': account, 'ams1/transit': account },
        });
        await other.lead('two', undefined, { accounts: { 'fra1/transit': { ...account, intervals: 99 } } });
        await state.lead('one', term, { accounts: { 'ams1/transit': null } });
        const { accounts, planTerm } = await other.snapshot();
        expect({ accounts, planTerm }).toEqual({ accounts: { 'fra1/transit': account }, planTerm: 0 });
      });

      test('who resigns has its last changes written, and another leads at once', async () => {
        await state.beat(a, []);
        const first = await state.lead('one', undefined, {});
        const plan = { a: { follows: [], successors: {} } };
        const following = { kind: 'following', leader: undefined, term: first.term };
        expect(await state.lead('one', first.term, { plan, resigns: true })).toEqual(following);
        expect((await other.snapshot()).plan).toEqual(plan);
        expect(await state.lead('one', first.term, { plan: { a: null } })).toEqual(following);
        const second = await other.lead('two', undefined, {});
        expect(second).toMatchObject({ kind: 'leading' });
        expect(second.term).toBeGreaterThan(first.term);
      });
    });

    /** Says it again and again until it is heard: nobody knows when Redis begins to listen. */
    const untilTold = (told: () => void, say: () => Promise<unknown>) =>
      waitFor(async () => {
        await say();
        expect(told).toHaveBeenCalled();
      });

    test('whoever leads is woken, and nobody else', async () => {
      const [one, two, never] = [vi.fn(), vi.fn(), vi.fn()];
      using _one = state.watch('one', one);
      using _two = other.watch('two', two);
      using _never = state.watch('three', never);
      await other.wake();
      const { term } = await state.lead('one', undefined, {});
      await untilTold(one, () => other.wake());
      expect(two).not.toHaveBeenCalled();
      await state.lead('one', term, { resigns: true });
      await other.lead('two', undefined, {});
      await untilTold(two, () => state.wake());
      expect(never).not.toHaveBeenCalled();
    });

    describe('who watches a server', () => {
      const plan = { a: { follows: [], successors: {} } };
      test('is told of its plan, its drain and of streams that another takes', async () => {
        await state.beat(a, []);
        const { term } = await state.lead('usher', undefined, {});
        const told = vi.fn();
        using _ = other.watch('a', told);
        await untilTold(told, () => state.lead('usher', term, { plan }));
        told.mockClear();
        await untilTold(told, () => state.drain('a', null));
        told.mockClear();
        let turn = 0;
        await untilTold(told, async () => {
          await state.claim(`alice-${++turn}`, a, { takeover: false });
          await state.claim(`alice-${turn}`, serverRecord('b'), { takeover: true });
        });
      });

      test('is told of that server alone, by each watch, until it ends', async () => {
        await state.beat(a, []);
        await state.beat(serverRecord('b'), []);
        const [first, second, elsewhere] = [vi.fn(), vi.fn(), vi.fn()];
        const watch = other.watch('a', first);
        using _second = other.watch('a', second);
        using _elsewhere = other.watch('b', elsewhere);
        await untilTold(second, () => state.drain('a', drain));
        expect(first).toHaveBeenCalled();
        await untilTold(elsewhere, () => state.drain('b', drain));
        watch[Symbol.dispose]();
        for (const _ of ['what was on its way has come', 'and is forgotten']) {
          for (const told of [first, second, elsewhere]) told.mockClear();
          await untilTold(second, () => state.drain('a', drain));
        }
        expect([first, elsewhere].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
      });
    });
  });
}
