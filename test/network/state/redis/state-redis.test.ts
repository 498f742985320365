// What only the cluster state in Redis can meet: Redis gone, frozen, begun anew or full of garbage, and two who race.

import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../../network/clock.ts';
import { ClusterClock } from '../../../../network/cluster-clock.ts';
import { Metrics } from '../../../../network/metrics.ts';
import { FORGET_MS, isAlive, LIMITS, type Limits } from '../../../../network/state/liveness.ts';
import { measured } from '../../../../network/state/measured-state.ts';
import type { RedisAddress } from '../../../../network/state/redis/redis-client.ts';
import { RedisState, type RedisStateOptions } from '../../../../network/state/redis/state-redis.ts';
import { KEYS } from '../../../../network/state/redis/state-scripts.ts';
import { holding, serverRecord, streamRecord, usherReport } from '../../../tools/cluster/cluster-records.ts';
import { RedisServer } from '../../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';
import { waitFor } from '../../../tools/world/wait.ts';

const polite = { takeover: false };
const a = serverRecord('a', { holdings: [holding('alice')] });
const b = serverRecord('b');
const drain = { sinceMs: 5, deadlineMs: null };
const alice = streamRecord('alice', 'a', 5);
const unavailable = expect.objectContaining({ code: 'state_unavailable' });

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

function open(address: RedisAddress, options: Partial<RedisStateOptions> = {}): RedisState {
  return opened.use(new RedisState({ address, clock: systemClock, logger: keepingLogger(), ...options }));
}

function admin(redis: RedisServer): Redis {
  return opened.adopt(redis.client(), (client) => client.disconnect());
}

/** Tries again until it works, as members do with each beat. */
const untilItWorks = (verb: () => Promise<unknown>) => waitFor(verb);

/** Who watches a server is told of its drain, once Redis listens. */
async function untilTold(state: RedisState, serverId: string): Promise<void> {
  const told = vi.fn();
  using _ = state.watch(serverId, told);
  await untilItWorks(async () => {
    await state.drain(serverId, drain);
    expect(told).toHaveBeenCalled();
  });
}

describe('with a Redis that works', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  test('a thousand streams that two claim at once have one origin each', async () => {
    const [one, two] = [open(redis.address({ prefix: 'race' })), open(redis.address({ prefix: 'race' }))];
    for (let round = 0; round < 1_000; round++) {
      const claims = await Promise.all([
        one.claim(`stream-${round}`, a, polite),
        two.claim(`stream-${round}`, b, polite),
      ]);
      expect(claims.map(({ kind }) => kind).toSorted()).toEqual(['claimed', 'held']);
    }
  });

  test('the time is Redis’s, and who is silent by it is dead', async () => {
    const limits: Limits = { ...LIMITS, beatMs: 20, leaseMs: 50 };
    const state = open(redis.address(), { limits });
    await state.beat(a, []);
    const [seconds] = await admin(redis).time();
    const first = await state.snapshot();
    expect(Math.abs(first.nowMs - seconds! * 1000)).toBeLessThan(2_000);
    expect(isAlive(first.servers[0]!.beatAtMs, first, limits)).toBe(true);
    await state.lead('one', undefined, {});
    await untilItWorks(async () => {
      await state.beat(b, []);
      const later = await state.snapshot();
      expect(isAlive(later.servers[0]!.beatAtMs, later, limits)).toBe(false);
      expect(await state.lead('two', undefined, {})).toMatchObject({ kind: 'leading' });
    });
  });

  test('who beats knows its time, whatever the clock of its machine says', async () => {
    const logger = keepingLogger();
    const metrics = new Metrics();
    const ahead = { ...systemClock, now: () => systemClock.now() + 3_600_000 };
    const clock = new ClusterClock({ clock: ahead, logger, metrics });
    await measured(open(redis.address()), { metrics, clock }).beat(a, []);
    const [seconds, micros] = await admin(redis).time();
    expect(Math.abs(clock.now() - (seconds! * 1000 + micros! / 1000))).toBeLessThan(1_000);
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { offMs: expect.closeTo(3_600_000, -3) } }]);
  });

  test('clusters of different prefixes know nothing of each other', async () => {
    const [one, two] = [open(redis.address()), open(redis.address())];
    await one.beat(a, [alice]);
    expect(await two.snapshot()).toMatchObject({ servers: [], streams: [] });
  });

  test('a Unix socket and another database will do', async () => {
    const state = open(
      redis.address({ addresses: [`unix:${redis.socketPath}`], database: 3, prefix: 'socket' }),
    );
    await state.beat(a, []);
    const client = admin(redis);
    await client.select(3);
    expect(await client.hkeys('{socket}:servers')).toEqual(['a']);
  });

  test('scripts that Redis forgot are sent again', async () => {
    const state = open(redis.address());
    await state.beat(a, []);
    await admin(redis).script('FLUSH');
    await expect(state.beat(a, [])).resolves.toBeDefined();
  });

  test('nothing is left of servers, streams and plans that are forgotten', async () => {
    const clock = new ManualClock();
    const state = open(redis.address({ prefix: 'growth' }), { now: () => clock.now() });
    const { term } = await state.lead('usher', undefined, {});
    for (let at = 0; at < 30; at++) {
      const id = `server-${at}`;
      const streams = ['x', 'y', 'z'].map((name) => streamRecord(`${name}-${at}`, id, 5));
      const server = serverRecord(id, { holdings: streams.map(({ name }) => holding(name)) });
      await state.beat(server, streams);
      await state.beat(server, streams.slice(1));
      await state.claim(`never-announced-${at}`, server, polite);
      await state.lead('usher', term, { plan: { [id]: { follows: [], successors: {} } } });
      await state.drain(id, drain);
      if (at % 3 === 0) await state.leave(server);
    }
    clock.advance(FORGET_MS);
    // Each beat clears away a little.
    for (let beats = 0; beats < 30; beats++) await state.beat(a, [alice]);
    const client = admin(redis);
    const sizes = await Promise.all([
      ...['servers', 'traces', 'streams', 'plan', 'drains'].map((key) => client.hlen(`{growth}:${key}`)),
      ...['seen', 'changes', 'planned', 'holders'].map((key) => client.zcard(`{growth}:${key}`)),
    ]);
    expect(sizes).toEqual([1, 1, 1, 0, 0, 1, 1, 0, 1]);
    await state.beat({ ...a, holdings: [] }, [alice]);
    expect(await client.zcard('{growth}:holders')).toBe(0);
  });

  test('nothing is left of ushers that ended, what they held, and what was spent in months before', async () => {
    const clock = new ManualClock();
    const state = open(redis.address({ prefix: 'lent' }), { now: () => clock.now() });
    for (let at = 0; at < 30; at++) {
      const wants = Object.fromEntries(Array.from({ length: 10 }, (_, of) => [`server/${at}-${of}`, {}]));
      await state.lease(usherReport(`usher-${at}`, wants, { spentMicroUsd: { [`cdn-${at}`]: 1 } }));
    }
    clock.advance(31 * 86_400_000);
    for (let sequence = 1; sequence < 10; sequence++) {
      await state.lease(usherReport('last', { 'server/a': {} }, { sequence, spentMicroUsd: { cdn: 1 } }));
    }
    const client = admin(redis);
    const sizes = await Promise.all([
      ...['ushers', 'shares', 'spent'].map((key) => client.hlen(`{lent}:${key}`)),
      ...['reported', 'leased'].map((key) => client.zcard(`{lent}:${key}`)),
    ]);
    expect(sizes).toEqual([1, 1, 1, 1, 1]);
  });

  test('an index of holders that was lost is built anew by beats that changed nothing', async () => {
    const state = open(redis.address({ prefix: 'index' }));
    await state.beat(a, [alice]);
    await state.beat({ ...b, holdings: [holding('bob'), holding('alice')] }, []);
    await admin(redis).del('{index}:holders');
    await state.beat({ ...b, holdings: [holding('bob'), holding('alice')] }, []);
    expect((await state.find('alice'))?.holders.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  describe('and holds garbage', () => {
    const keys = Object.keys(KEYS);

    test.each(keys)(
      'a key `%s` of the wrong type is named, and the state works once it is gone',
      async (key) => {
        const address = redis.address();
        const name = `{${address.prefix}}:${key}`;
        const state = open(address);
        const client = admin(redis);
        let sequence = 0;
        const verbs = [
          () => state.beat(a, [alice]),
          () => state.find('alice'),
          () => state.claim('alice', a, polite),
          () => state.lead('usher', undefined, { accounts: { 'fra1/transit': null } }),
          () =>
            state.lease(
              usherReport('usher', { 'server/a': {} }, { sequence: ++sequence, spentMicroUsd: { cdn: 1 } }),
            ),
          () => state.drain('a', null),
          () => state.snapshot(),
        ];
        for (const verb of verbs) await verb();
        await client.set(name, 'garbage');
        const results = await Promise.allSettled(verbs.map((verb) => verb()));
        const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
        expect(failures.length).toBeGreaterThan(0);
        for (const failure of failures) {
          expect(failure).toMatchObject({ code: 'bad_state', message: expect.stringContaining(name) });
        }
        await client.del(name);
        for (const verb of verbs) await verb();
      },
    );

    test.each([
      ['servers', 'a', 'nonsense'],
      ['servers', 'a', '1\ni\n{"id":"a"}'],
      ['servers', 'a', '1\ni\n{"id":'],
      ['servers', 'a', `1\ni\n${JSON.stringify({ ...a, mediaUrl: 'here' })}`],
      ['servers', 'a', `1\ni\n${JSON.stringify({ ...a, egressMbps: 'much' }).replace('"much"', '1e999')}`],
      ['streams', 'alice', 'nonsense'],
      ['streams', 'alice', 'held 1 1 a\n[]'],
      ['streams', 'alice', 'mine 1 1 a\n'],
      ['ushers', 'one', 'nonsense'],
      ['ushers', 'one', '1 1\n{"alice":3}'],
      ['spent', 'cdn', 'much'],
    ])('in `%s`, field `%s`: %j is named, and what is said next heals it', async (key, field, value) => {
      const address = redis.address();
      const state = open(address);
      let sequence = 0;
      const say = async () => {
        await state.beat(a, [alice]);
        await state.lease(usherReport('one', {}, { sequence: ++sequence, spentMicroUsd: { cdn: 1 } }));
      };
      await say();
      await admin(redis).hset(`{${address.prefix}}:${key}`, field, value);
      await expect(state.snapshot()).rejects.toMatchObject({
        code: 'bad_state',
        message: expect.stringMatching(new RegExp(`'${field}' in {${address.prefix}}:${key} `)),
      });
      await say();
      expect(await state.snapshot()).toMatchObject({ servers: [a], streams: [alice] });
    });

    test('a trace that makes no sense is replaced by the next beat', async () => {
      const address = redis.address();
      const state = open(address);
      await admin(redis).hset(`{${address.prefix}}:traces`, 'a', 'nonsense\no\no x y\nh');
      await state.beat(a, [alice]);
      expect(await admin(redis).hget(`{${address.prefix}}:traces`, 'a')).toBe('h alice\no 5 alice');
    });

    test.each([
      ['plan', '{"follows":[{}]}'],
      ['drains', '{"sinceMs":1}'],
    ])(
      'a wish in `%s` that makes no sense costs only its server the answer, until it is written anew',
      async (key, garbage) => {
        const address = redis.address();
        const state = open(address);
        await state.beat(a, []);
        await admin(redis).hset(`{${address.prefix}}:${key}`, 'a', garbage);
        const failure = {
          code: 'bad_state',
          message: expect.stringContaining(`'a' in {${address.prefix}}:${key} `),
        };
        await expect(state.beat(a, [])).rejects.toMatchObject(failure);
        await expect(state.snapshot()).rejects.toMatchObject(failure);
        await expect(state.beat(b, [])).resolves.toBeDefined();
        const assignment = { follows: [], successors: {} };
        await state.lead('usher', undefined, { plan: { a: assignment } });
        await state.drain('a', drain);
        expect(await state.beat(a, [])).toMatchObject({ assignment, drain, lost: [] });
      },
    );

    test('a stream whose claim makes no sense can’t be claimed, and one whose record makes none begins anew', async () => {
      const address = redis.address();
      const logger = keepingLogger();
      const state = open(address, { logger });
      const client = admin(redis);
      await client.hset(`{${address.prefix}}:streams`, 'alice', 'nonsense');
      await expect(state.claim('alice', a, polite)).rejects.toMatchObject({ code: 'bad_state' });
      await client.hset(`{${address.prefix}}:streams`, 'alice', `held ${Date.now() - 60_000} 1 b\n{}`);
      expect(await state.claim('alice', a, polite)).toMatchObject({ kind: 'claimed', before: undefined });
      expect(logger.lines.at(-1)).toMatchObject({ level: 'warn', fields: { stream: 'alice' } });
    });
  });
});

describe('with a Redis that fails', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = opened.use(await RedisServer.start());
  });

  test('that is gone, verbs are refused at once; that is back empty, beats fill it again', async () => {
    const logger = keepingLogger();
    const address = redis.address();
    const [one, two] = [open(address, { logger }), open(address)];
    await one.beat(a, [alice]);
    const { term } = await one.lead('usher', undefined, { plan: { a: { follows: [], successors: {} } } });
    const told = vi.fn();
    using _ = two.watch('a', told);
    const stoppedAtMs = (await two.snapshot()).nowMs;
    await redis.stop();
    await expect(one.beat(a, [alice])).rejects.toEqual(unavailable);
    for (const verb of [
      one.beat(a, [alice]),
      one.find('alice'),
      one.snapshot(),
      one.leave(a),
      one.claim('x', a, polite),
    ]) {
      await expect(verb).rejects.toEqual(unavailable);
    }
    await untilItWorks(() =>
      expect(one.snapshot()).rejects.toThrow(/^Redis at 127\.0\.0\.1:\d+: .*ECONNREFUSED/),
    );

    await redis.restart();
    await untilItWorks(() => two.snapshot());
    expect(await two.snapshot()).toMatchObject({ servers: [], streams: [], plan: {} });
    await untilItWorks(() => one.beat(a, [alice]));
    const { servers, streams, sinceMs } = await two.snapshot();
    expect([servers.length, streams]).toEqual([1, [alice]]);
    expect(sinceMs).toBeGreaterThanOrEqual(stoppedAtMs);
    told.mockClear();
    await untilItWorks(async () => {
      await one.drain('a', drain);
      expect(told).toHaveBeenCalled();
    });
    expect(await one.lead('usher', term, { plan: { a: { follows: [], successors: {} } } })).toEqual({
      kind: 'following',
      leader: undefined,
      term: 0,
    });
    expect((await one.lead('usher', undefined, {})).term).toBeGreaterThan(term);
    expect(logger.lines.map(({ message }) => message)).toEqual([
      'cluster state reached',
      'cluster state lost',
      'cluster state reached',
    ]);
  });

  test('that was never there is found when it comes', async () => {
    await redis.stop();
    const state = open(redis.address());
    await expect(state.snapshot()).rejects.toEqual(unavailable);
    await redis.restart();
    await untilItWorks(() => state.beat(a, [alice]));
  });

  test('that is frozen, verbs are refused in time and pile up nowhere; thawed, it goes on', async () => {
    const address = redis.address();
    const [one, two] = [open(address, { timeoutMs: 200 }), open(address)];
    await one.beat(a, [alice]);
    const claim = await two.claim('bob', b, polite);
    redis.freeze();
    await expect(one.beat(a, [alice])).rejects.toEqual(unavailable);
    const many = Array.from({ length: 500 }, () => one.beat(a, [alice]));
    await Promise.all(many.map((beat) => expect(beat).rejects.toEqual(unavailable)));
    await expect(two.snapshot()).rejects.toEqual(unavailable);
    redis.thaw();
    await untilItWorks(() => one.beat(a, [alice]));
    await untilItWorks(() => two.snapshot());
    expect(await two.find('bob')).toMatchObject({ stream: { term: claim.term } });
  });

  test('that loses all it knew, a later claim still outranks an earlier one', async () => {
    const state = open(redis.address());
    const first = await state.claim('alice', a, polite);
    await state.beat(a, [streamRecord('alice', 'a', first.term)]);
    await admin(redis).flushall();
    const second = await state.claim('alice', b, polite);
    expect((await state.beat(a, [streamRecord('alice', 'a', first.term)])).lost).toEqual([
      { name: 'alice', origin: 'b', term: second.term },
    ]);
  });
});

describe('with a Redis that asks who is there', () => {
  const password = 'the password of this test';
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start({ password });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  test.each([
    ['the wrong password', { password: 'a wrong password' }, /WRONGPASS/],
    ['no password', { password: undefined }, /NOAUTH/],
    ['an unknown name', { username: 'nobody', password }, /WRONGPASS/],
  ])('%s is refused with Redis’s reason, which never repeats it', async (_, changes, reason) => {
    const logger = keepingLogger();
    const state = open(redis.address(changes), { logger });
    await expect(state.beat(a, [])).rejects.toMatchObject({
      code: 'state_unavailable',
      message: expect.stringMatching(reason),
    });
    await expect(state.beat(a, [])).rejects.toThrow(reason);
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(JSON.stringify(logger.lines)).not.toMatch(/a wrong password|the password of this test/);
  });

  test('a user of their own who may touch the cluster’s keys alone is enough', async () => {
    const rights = [
      'on',
      '>secret of headwater',
      '~{acl}:*',
      '+@read',
      '+@write',
      '+@scripting',
      '+@transaction',
      '+@connection',
      '+info',
      '+time',
      '+type',
    ];
    await admin(redis).acl('SETUSER', 'headwater', ...rights, '&{acl}:*', '+@pubsub');
    const state = open(
      redis.address({ username: 'headwater', password: 'secret of headwater', prefix: 'acl' }),
    );
    await state.beat(a, [alice]);
    expect(await state.snapshot()).toMatchObject({ servers: [a], streams: [alice] });
    await untilTold(state, 'a');
    const stranger = open(
      redis.address({ username: 'headwater', password: 'secret of headwater', prefix: 'other' }),
    );
    await expect(stranger.beat(a, [])).rejects.toMatchObject({
      code: 'state_unavailable',
      message: expect.stringMatching(/NOPERM/),
    });
    await admin(redis).acl('SETUSER', 'headwater', 'resetchannels');
    const logger = keepingLogger();
    const deaf = open(
      redis.address({ username: 'headwater', password: 'secret of headwater', prefix: 'acl' }),
      { logger },
    );
    using _ = deaf.watch('a', () => {});
    const isTold = expect.stringMatching(/^Redis does not tell of changes/);
    await waitFor(() => expect(logger.lines.map(({ message }) => message)).toContainEqual(isTold));
    await deaf.drain('a', drain);
    expect((await deaf.beat(a, [])).drain).toEqual(drain);
  });
});
