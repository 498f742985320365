// What must hold of every cluster state. The clock stands still until a test moves it, so nothing here waits for time to pass.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FIRST_NUMBERING } from '../../../network/feed/numbering.ts';
import {
  BEAT_MS,
  FORGET_MS,
  isAlive,
  isSettled,
  LEASE_MS,
  MISSED_BEATS,
  PAUSE_BEATS,
} from '../../../network/state/liveness.ts';
import type { Assignment, ClusterState } from '../../../network/state/state.ts';
import { holding, serverRecord, streamRecord } from '../../tools/cluster/cluster-records.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

/** One kind of state, ready to be opened anew for each test. */
export interface Subject extends AsyncDisposable {
  /** Two ways into the same empty state, as two processes have them. */
  open(clock: ManualClock): Promise<readonly [ClusterState, ClusterState]>;
}

const SILENCE_MS = BEAT_MS * MISSED_BEATS;
const polite = { takeover: false };
const a = serverRecord('a');
const b = serverRecord('b');

export function describeClusterState(name: string, start: () => Promise<Subject>): void {
  describe(name, () => {
    let subject: Subject;
    let clock: ManualClock;
    let state: ClusterState;
    let other: ClusterState;
    beforeAll(async () => {
      subject = await start();
    });
    beforeEach(async () => {
      clock = new ManualClock();
      [state, other] = await subject.open(clock);
    });
    afterAll(() => subject[Symbol.asyncDispose]());

    /** Time passes in a cluster that is alive: once a second somebody says something, such as an usher who may not lead. */
    async function pass(
      ms: number,
      say: () => Promise<unknown> = () => state.lead('waiting', 0, {}),
    ): Promise<void> {
      for (let left = ms; left > 0; left -= BEAT_MS) {
        clock.advance(Math.min(left, BEAT_MS));
        await say();
      }
    }

    async function claimed(stream: string, server = a): Promise<number> {
      const claim = await state.claim(stream, server, polite);
      if (claim.kind !== 'claimed') throw new Error(`'${stream}' is held by '${claim.by}'`);
      return claim.term;
    }

    const streamNames = async () => (await other.snapshot()).streams.map((stream) => stream.name);
    const serverIds = async () => (await other.snapshot()).servers.map((server) => server.id);

    describe('a beat', () => {
      test('announces all that a server says of itself, and replaces what it said before', async () => {
        await state.beat(b, []);
        await state.beat({ ...a, holdings: [holding('alice')] }, []);
        clock.advance(500);
        const changed = {
          ...a,
          sentMbps: 12.5,
          drain: { sinceMs: 5, deadlineMs: null, wished: false },
          holdings: [holding('bob', { viewers: 3, isPulled: true, next: 9 })],
        };
        await state.beat(changed, [streamRecord('bob', 'a', 5)]);
        expect(await other.snapshot()).toEqual({
          nowMs: clock.now(),
          sinceMs: clock.now() - 500,
          pausedAtMs: 0,
          servers: [
            { ...changed, beatAtMs: clock.now() },
            { ...b, beatAtMs: clock.now() - 500 },
          ],
          streams: [streamRecord('bob', 'a', 5)],
          planTerm: 0,
          plan: {},
          drains: {},
          ushers: [],
          accounts: {},
          spentMicroUsd: {},
        });
      });

      test('carries as many streams as a server may have', async () => {
        const names = Array.from({ length: 4_096 }, (_, at) => `stream-${at}`);
        const server = { ...a, holdings: names.map((stream) => holding(stream)) };
        const streams = names.map((stream) => streamRecord(stream, 'a', 5));
        await state.beat(server, streams);
        expect(await streamNames()).toHaveLength(4_096);
        expect((await other.find('stream-4095'))?.holders).toHaveLength(1);
        await state.beat(
          b,
          streams.map((stream) => ({ ...stream, origin: 'b', term: 6 })),
        );
        expect((await state.beat(server, streams)).lost).toHaveLength(4_096);
        await state.leave(b);
        expect((await other.find('stream-0'))?.stream).toMatchObject({ origin: 'b', live: false });
      });

      test('fills a state that knows nothing, claims and their terms included', async () => {
        expect(await state.beat(a, [streamRecord('alice', 'a', 7)])).toEqual({
          nowMs: clock.now(),
          assignment: undefined,
          drain: undefined,
          lost: [],
        });
        expect(await other.claim('alice', b, polite)).toEqual({ kind: 'held', by: 'a', term: 7 });
      });

      test('with an older claim than the one that is known is told so, and changes nothing', async () => {
        const term = await claimed('alice', b);
        const stale = streamRecord('alice', 'a', term - 1, { lastMsn: 99 });
        expect((await state.beat(a, [stale, streamRecord('carol', 'a', 1)])).lost).toEqual([
          { name: 'alice', origin: 'b', term },
        ]);
        expect((await other.find('alice'))?.stream).toMatchObject({ origin: 'b', term, lastMsn: -1 });
      });

      test('with a later claim than the one that is known is believed: the state is an old copy', async () => {
        const term = await claimed('alice', b);
        expect((await state.beat(a, [streamRecord('alice', 'a', term + 1)])).lost).toEqual([]);
        expect((await state.beat(b, [streamRecord('alice', 'b', term)])).lost).toMatchObject([
          { origin: 'a' },
        ]);
      });

      test('that was under way while its server claimed a stream anew neither ends nor overwrites that', async () => {
        const first = await claimed('alice');
        await state.beat(a, [streamRecord('alice', 'a', first)]);
        const second = await claimed('alice');
        const third = await claimed('carol');
        const crossing = [streamRecord('alice', 'a', first, { lastMsn: 99 })];
        expect((await state.beat(a, crossing)).lost).toEqual([]);
        expect((await other.find('alice'))?.stream).toMatchObject({ term: second, lastMsn: 7, live: true });
        expect((await other.find('carol'))?.stream).toMatchObject({ term: third, live: true });
      });
    });

    describe('a server', () => {
      test('is alive until it missed three beats, by the clock of the state alone', async () => {
        await state.beat(a, []);
        await pass(SILENCE_MS - 1);
        const living = await other.snapshot();
        expect(isAlive(living.servers[0]!.beatAtMs, living)).toBe(true);
        clock.advance(1);
        const dead = await other.snapshot();
        expect(isAlive(dead.servers[0]!.beatAtMs, dead)).toBe(false);
      });

      test('is forgotten long after its last beat, and all that was known of it', async () => {
        const { term } = await state.lead('usher', undefined, {});
        await state.beat({ ...a, holdings: [holding('alice')] }, [streamRecord('alice', 'a', 5)]);
        await state.lead('usher', term, { plan: { a: { follows: [], successors: {} } } });
        clock.advance(FORGET_MS - 1);
        expect(await serverIds()).toEqual(['a']);
        clock.advance(1);
        expect(await other.snapshot()).toMatchObject({ servers: [], streams: [], plan: {} });
        expect(await other.find('alice')).toBeUndefined();
        expect(await other.claim('alice', b, polite)).toMatchObject({ before: undefined });
        expect((await state.beat(a, [])).assignment).toBeUndefined();
      });

      test('that comes back after it was forgotten is known again', async () => {
        const record = { ...a, holdings: [holding('alice')] };
        await state.beat(record, [streamRecord('alice', 'a', 5)]);
        clock.advance(FORGET_MS);
        await state.beat(b, []);
        expect((await state.beat(record, [streamRecord('alice', 'a', 5)])).lost).toEqual([]);
        expect((await other.find('alice'))?.holders.map(({ id }) => id)).toEqual(['a']);
      });

      test('that leaves is forgotten at once; its streams wait for their broadcasters, and anybody may claim them', async () => {
        const term = await claimed('alice');
        await state.beat({ ...a, holdings: [holding('alice')] }, [
          streamRecord('alice', 'a', term, { lastMsn: 41 }),
        ]);
        await state.leave(a);
        expect(await serverIds()).toEqual([]);
        expect(await other.find('alice')).toMatchObject({
          stream: { live: false, lastMsn: 41 },
          holders: [],
        });
        const claim = await other.claim('alice', b, polite);
        expect(claim).toMatchObject({
          kind: 'claimed',
          before: { origin: 'a', term, lastMsn: 41, live: false, unheardMs: BEAT_MS },
        });
        expect(claim.term).toBeGreaterThan(term);
      });

      test('that dies leaves its streams behind, not live, until its broadcasters come to another', async () => {
        const term = await claimed('alice');
        await state.beat(a, [streamRecord('alice', 'a', term, { lastMsn: 41 })]);
        await pass(SILENCE_MS - 1);
        expect(await other.claim('alice', b, polite)).toEqual({ kind: 'held', by: 'a', term });
        clock.advance(1);
        expect((await other.find('alice'))?.stream.live).toBe(false);
        expect(await other.claim('alice', b, polite)).toMatchObject({
          kind: 'claimed',
          before: { lastMsn: 41, unheardMs: SILENCE_MS },
        });
        expect((await state.beat(a, [streamRecord('alice', 'a', term)])).lost).toMatchObject([
          { origin: 'b' },
        ]);
      });
    });

    describe('two servers with one id', () => {
      const twin = { ...a, instance: 'another' };
      const taken = { code: 'id_taken', message: expect.stringContaining("'a'") };

      test('do not go together: the second is refused, and changes nothing', async () => {
        await state.beat(a, [streamRecord('alice', 'a', 5)]);
        await expect(other.beat({ ...twin, site: 'elsewhere' }, [])).rejects.toMatchObject(taken);
        await expect(other.claim('carol', twin, polite)).rejects.toMatchObject(taken);
        await other.leave(twin);
        expect(await other.snapshot()).toMatchObject({
          servers: [{ site: a.site }],
          streams: [{ live: true }],
        });
        expect((await state.beat(a, [])).lost).toEqual([]);
      });

      test('may follow each other once the first left', async () => {
        await state.beat(a, []);
        await state.leave(a);
        await expect(other.beat(twin, [])).resolves.toMatchObject({ lost: [] });
      });

      test('may follow each other once the first is dead; its streams wait for their broadcasters', async () => {
        const { term } = await state.lead('usher', undefined, {});
        await state.beat(a, [streamRecord('alice', 'a', 5)]);
        const wanted: Assignment = {
          follows: [{ stream: 'bob', rendition: 'source', parents: [] }],
          successors: {},
        };
        await state.lead('usher', term, { plan: { a: wanted } });
        await pass(SILENCE_MS);
        expect(await other.beat(twin, [])).toEqual({
          nowMs: clock.now(),
          assignment: wanted,
          drain: undefined,
          lost: [],
        });
        expect((await other.find('alice'))?.stream).toMatchObject({ live: false, origin: 'a' });
        await expect(state.beat(a, [])).rejects.toMatchObject(taken);
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'claimed', before: { term: 5 } });
      });
    });

    describe('a claim', () => {
      test('makes a stream known before its first frame', async () => {
        const term = await claimed('alice');
        const stream = {
          name: 'alice',
          origin: 'a',
          term,
          startedAtMs: clock.now(),
          live: true,
          epoch: 0,
          lastMsn: -1,
          numbering: FIRST_NUMBERING,
          renditions: [],
        };
        expect((await other.snapshot()).streams).toEqual([stream]);
        expect(await other.find('alice')).toEqual({ stream, holders: [] });
      });

      test('of what another living server holds is refused', async () => {
        const term = await claimed('alice');
        expect(await other.claim('alice', b, polite)).toEqual({ kind: 'held', by: 'a', term });
      });

      test('of what the server holds itself is granted, under a higher term', async () => {
        const term = await claimed('alice');
        expect(await claimed('alice')).toBeGreaterThan(term);
      });

      test('by takeover is granted against a living server, which loses the stream with its next beat', async () => {
        const term = await claimed('alice');
        await state.beat(a, [streamRecord('alice', 'a', term, { lastMsn: 12 })]);
        const taken = await other.claim('alice', b, { takeover: true });
        expect(taken).toMatchObject({
          kind: 'claimed',
          before: { origin: 'a', term, lastMsn: 12, live: true, unheardMs: 1 },
        });
        expect(taken.term).toBeGreaterThan(term);
        expect((await state.beat(a, [streamRecord('alice', 'a', term)])).lost).toEqual([
          { name: 'alice', origin: 'b', term: taken.term },
        ]);
        expect((await state.beat(a, [])).lost).toEqual([]);
        expect((await other.find('alice'))?.stream).toMatchObject({ origin: 'b', live: true });
      });

      test('outranks every claim that was made before it, also after all was lost', async () => {
        const term = await claimed('alice');
        clock.advance(1);
        const [empty] = await subject.open(clock);
        const again = await empty.claim('alice', b, polite);
        expect(again.term).toBeGreaterThan(term);
      });

      test('outranks the one before when the clock was set back', async () => {
        const term = await claimed('alice');
        clock.set(clock.now() - 1_000);
        expect((await other.claim('alice', b, { takeover: true })).term).toBe(term + 1);
      });

      test('that is never announced lapses, and is nothing to go on from', async () => {
        await state.beat(a, []);
        await claimed('alice');
        await pass(SILENCE_MS, () => state.beat(a, []));
        expect((await other.find('alice'))?.stream.live).toBe(false);
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'claimed', before: undefined });
      });

      test('is made by one of many who try at once', async () => {
        const servers = Array.from({ length: 20 }, (_, index) => serverRecord(`server-${index}`));
        const claims = await Promise.all(
          servers.map((server, index) => (index % 2 ? state : other).claim('alice', server, polite)),
        );
        expect(claims.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
        expect(new Set(claims.map(({ term }) => term)).size).toBe(1);
      });
    });

    describe('a stream', () => {
      test('that its origin announces no longer has ended: nobody sees it, and anybody may go on from it', async () => {
        const term = await claimed('alice');
        await state.beat(a, [streamRecord('alice', 'a', term, { lastMsn: 41 }), streamRecord('bob', 'a', 1)]);
        await state.beat(a, [streamRecord('bob', 'a', 1)]);
        expect(await streamNames()).toEqual(['bob']);
        expect(await other.find('alice')).toBeUndefined();
        expect(await other.claim('alice', b, polite)).toMatchObject({
          kind: 'claimed',
          before: { lastMsn: 41, live: false, unheardMs: BEAT_MS },
        });
        expect(await streamNames()).toEqual(['alice', 'bob']);
      });

      test.each([
        ['ended', () => state.beat(a, [])],
        ['was left by its server', () => state.leave(a)],
        ['was never announced', () => claimed('alice')],
      ])('that %s is forgotten, and with it what a new one could go on from', async (_, happen) => {
        await state.beat(a, [streamRecord('alice', 'a', 5)]);
        await happen();
        await pass(FORGET_MS, () => state.beat(b, []));
        expect(await streamNames()).toEqual([]);
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'claimed', before: undefined });
      });

      test('whose broadcaster is away is not live, and held all the same', async () => {
        await state.beat(a, [streamRecord('alice', 'a', 5, { live: false })]);
        expect((await other.find('alice'))?.stream.live).toBe(false);
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'held', by: 'a' });
        await pass(SILENCE_MS);
        const numbering = streamRecord('alice', 'a', 5).numbering;
        expect(await other.claim('alice', b, polite)).toMatchObject({ before: { numbering, unheardMs: 0 } });
      });
    });

    describe('finding a stream', () => {
      const holdsAlice = {
        holdings: [holding('alice'), holding('alice', { rendition: '720p' }), holding('bob')],
      };

      test('gives nothing for one that nobody claimed, whoever holds a feed of that name', async () => {
        await state.beat({ ...a, ...holdsAlice }, []);
        expect(await other.find('alice')).toBeUndefined();
      });

      test('gives the living servers that hold it, the origin first, each once', async () => {
        for (const id of ['e', 'c', 'd'])
          await state.beat(serverRecord(id, holdsAlice), [streamRecord('bob', 'c', 1)]);
        await state.beat(serverRecord('dead', holdsAlice), []);
        await pass(SILENCE_MS - 1);
        for (const id of ['e', 'c']) await state.beat(serverRecord(id, holdsAlice), []);
        await state.beat(serverRecord('d', holdsAlice), [streamRecord('alice', 'd', 1)]);
        await state.beat(serverRecord('f', { holdings: [holding('bob')] }), []);
        clock.advance(1);
        const found = await other.find('alice');
        expect(found?.stream).toEqual(streamRecord('alice', 'd', 1));
        expect(found?.holders).toEqual(
          ['d', 'c', 'e'].map((id) => ({ ...serverRecord(id, holdsAlice), beatAtMs: clock.now() - 1 })),
        );
      });

      test('gives the origin also before it has a chunk', async () => {
        await state.beat(a, []);
        await claimed('alice');
        expect((await other.find('alice'))?.holders.map(({ id }) => id)).toEqual(['a']);
      });

      test('follows what servers take up and let go', async () => {
        const holders = async () => (await other.find('alice'))?.holders.map(({ id }) => id);
        await state.beat(a, [streamRecord('alice', 'a', 5)]);
        await state.beat({ ...b, holdings: [holding('bob'), holding('alice')] }, []);
        expect(await holders()).toEqual(['a', 'b']);
        await state.beat({ ...b, holdings: [holding('carol'), holding('bob')] }, []);
        expect(await holders()).toEqual(['a']);
        await state.beat({ ...b, holdings: [holding('alice')] }, []);
        await state.leave(b);
        expect(await holders()).toEqual(['a']);
      });

      test('does not take one name for another that begins with it', async () => {
        for (const name of ['al', 'alice', 'alice-2']) {
          await state.beat(serverRecord(`on-${name}`, { holdings: [holding(name)] }), [
            streamRecord(name, `on-${name}`, 1),
          ]);
        }
        expect((await other.find('alice'))?.holders.map(({ id }) => id)).toEqual(['on-alice']);
      });
    });

    describe('the lead', () => {
      const wanted: Assignment = {
        follows: [{ stream: 'alice', rendition: 'source', parents: [{ id: 'b', relayUrl: b.relayUrl }] }],
        successors: {},
      };

      test('is with the first usher who asks, as long as it says so again', async () => {
        const first = await state.lead('one', undefined, {});
        expect(first).toEqual({ kind: 'leading', term: expect.any(Number) });
        clock.advance(LEASE_MS - 1);
        expect(await state.lead('one', first.term, {})).toEqual(first);
        clock.advance(LEASE_MS - 1);
        expect(await other.lead('two', undefined, {})).toEqual({
          kind: 'following',
          leader: 'one',
          term: first.term,
        });
        clock.advance(1);
        expect((await other.lead('two', undefined, {})).term).toBeGreaterThan(first.term);
      });

      test('goes on under its term if nobody took it meanwhile', async () => {
        const { term } = await state.lead('one', undefined, {});
        clock.advance(10 * LEASE_MS);
        expect(await state.lead('one', term, {})).toEqual({ kind: 'leading', term });
      });

      test('is one usher’s, of many who ask at once', async () => {
        const ushers = Array.from({ length: 20 }, (_, index) => `usher-${index}`);
        const leads = await Promise.all(
          ushers.map((usher, index) => (index % 2 ? state : other).lead(usher, undefined, {})),
        );
        expect(leads.filter(({ kind }) => kind === 'leading')).toHaveLength(1);
      });

      test('writes the plan, which servers are told with their beats', async () => {
        await state.beat(a, []);
        await state.beat(b, []);
        const { term } = await state.lead('one', undefined, {
          plan: { a: wanted, b: { follows: [], successors: {} } },
        });
        expect((await other.beat(a, [])).assignment).toEqual(wanted);
        expect((await other.beat(b, [])).assignment).toEqual({ follows: [], successors: {} });
        await state.lead('one', term, { plan: { b: wanted, a: null } });
        expect((await other.beat(a, [])).assignment).toBeUndefined();
        expect(await other.snapshot()).toMatchObject({ planTerm: term, plan: { b: wanted } });
      });

      test('writes nothing for servers that nobody knows', async () => {
        await state.lead('one', undefined, { plan: { nobody: wanted } });
        expect((await other.snapshot()).plan).toEqual({});
        await state.beat(a, []);
        const { term } = await state.lead('one', undefined, { plan: { a: wanted } });
        await state.leave(a);
        expect((await other.snapshot()).plan).toEqual({});
        await state.lead('one', term, { plan: { a: wanted } });
        expect((await state.beat(a, [])).assignment).toBeUndefined();
      });

      test('of a deposed usher is refused, and nothing of its plan is written', async () => {
        await state.beat(a, []);
        const first = await state.lead('one', undefined, { plan: { a: wanted } });
        clock.advance(LEASE_MS);
        const second = await other.lead('two', undefined, {});
        const changes = { plan: { a: { follows: [], successors: {} } } };
        expect(await state.lead('one', first.term, changes)).toEqual({
          kind: 'following',
          leader: 'two',
          term: second.term,
        });
        expect(await state.lead('one', undefined, changes)).toMatchObject({ kind: 'following' });
        clock.advance(LEASE_MS);
        expect(await state.lead('one', first.term, changes)).toEqual({
          kind: 'following',
          leader: undefined,
          term: second.term,
        });
        expect(await other.snapshot()).toMatchObject({ planTerm: first.term, plan: { a: wanted } });
        expect((await state.lead('one', undefined, changes)).term).toBeGreaterThan(second.term);
        expect((await other.snapshot()).plan).toEqual({ a: { follows: [], successors: {} } });
      });

      test('of an usher who forgot its term begins a new one: what it sent before is refused', async () => {
        const first = await state.lead('one', undefined, {});
        const second = await state.lead('one', undefined, {});
        expect(second).toMatchObject({ kind: 'leading' });
        expect(second.term).toBeGreaterThan(first.term);
        expect(await state.lead('one', first.term, {})).toMatchObject({ kind: 'following', leader: 'one' });
      });

      test('is free for nobody by a term that the state does not know', async () => {
        expect(await state.lead('one', 5, {})).toEqual({ kind: 'following', leader: undefined, term: 0 });
      });
    });

    describe('a state that could not be reached for a while', () => {
      const record = { ...a, holdings: [holding('alice')] };
      const living = async () => {
        const snapshot = await other.snapshot();
        return snapshot.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, snapshot)).map(({ id }) => id);
      };

      /** While `dead` is silent, `a` and `b` beat; then nobody can. */
      async function pause(ms: number): Promise<void> {
        await state.beat(serverRecord('dead'), []);
        await pass(SILENCE_MS, async () => {
          await state.beat(record, [streamRecord('alice', 'a', 5)]);
          await state.beat(b, []);
        });
        clock.set(clock.now() + ms);
      }

      test.each([
        ['or whose clock was set forward', 60_000],
        ['or whose clock was set back', -60_000],
      ])('%s takes nobody for dead who had no time to beat again', async (_, ms) => {
        await pause(ms);
        expect(await living()).toEqual(['a', 'b']);
        await state.beat(b, []);
        await pass(SILENCE_MS - 1, () => state.beat(b, []));
        expect(await living()).toEqual(['a', 'b']);
        expect(isSettled(await other.snapshot())).toBe(false);
        expect(await other.find('alice')).toMatchObject({ stream: { live: true }, holders: [{ id: 'a' }] });
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'held', by: 'a' });
        await expect(other.beat({ ...a, instance: 'twin' }, [])).rejects.toMatchObject({ code: 'id_taken' });
        clock.advance(1);
        expect(await living()).toEqual(['b']);
        expect(isSettled(await other.snapshot())).toBe(true);
        expect(await other.claim('alice', b, polite)).toMatchObject({ kind: 'claimed' });
      });

      test('says so, and so does one that began anew', async () => {
        await state.beat(a, []);
        const [began, paused] = [clock.now(), clock.now() + SILENCE_MS];
        await pass(SILENCE_MS, () => state.beat(a, []));
        expect(await other.snapshot()).toMatchObject({ sinceMs: began, pausedAtMs: 0 });
        clock.advance(PAUSE_BEATS * BEAT_MS - 1);
        expect(await other.snapshot()).toMatchObject({ sinceMs: began, pausedAtMs: 0 });
        clock.advance(1);
        expect(await other.snapshot()).toMatchObject({ sinceMs: clock.now(), pausedAtMs: paused });
        await state.beat(a, []);
        clock.advance(1);
        expect(await other.snapshot()).toMatchObject({ sinceMs: clock.now() - 1, pausedAtMs: paused });
      });
    });

    test('a clock that is set back by an hour keeps nobody alive who is not, and nobody leading', async () => {
      await state.beat(a, [streamRecord('alice', 'a', 5)]);
      await state.lead('one', undefined, {});
      clock.set(clock.now() - 3_600_000);
      await state.beat(b, []);
      const after = await other.snapshot();
      expect(after.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, after)).map(({ id }) => id)).toEqual([
        'b',
      ]);
      expect(after.streams).toEqual([]);
      expect(await other.lead('two', undefined, {})).toMatchObject({ kind: 'leading' });
      await state.beat(a, [streamRecord('alice', 'a', 5)]);
      expect(await streamNames()).toEqual(['alice']);
    });
  });
}
