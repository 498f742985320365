// The ways to reach a cluster state in Redis that take more than an address: Sentinel, Redis Cluster, TLS.

import { afterEach, beforeEach, expect, type Mock, test, vi } from 'vitest';
import { systemClock } from '../../../../network/clock.ts';
import type { RedisAddress } from '../../../../network/state/redis/redis-client.ts';
import { RedisState } from '../../../../network/state/redis/state-redis.ts';
import { serverRecord, streamRecord } from '../../../tools/cluster/cluster-records.ts';
import { RedisServer, type RedisServerOptions } from '../../../tools/cluster/redis-server.ts';
import { makeCertificate } from '../../../tools/world/certificate.ts';
import { keepingLogger } from '../../../tools/world/keeping-logger.ts';
import { waitFor } from '../../../tools/world/wait.ts';

const a = serverRecord('a');
const alice = streamRecord('alice', 'a', 5);

let opened: AsyncDisposableStack;
beforeEach(() => {
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const start = async (options?: RedisServerOptions) => opened.use(await RedisServer.start(options));

function open(address: RedisAddress, logger = keepingLogger()): RedisState {
  return opened.use(new RedisState({ address, clock: systemClock, logger }));
}

const untilItWorks = (verb: () => Promise<unknown>) => waitFor(verb);

/** Tries once; what was told before does not count. */
async function untilTold(state: RedisState, told: Mock): Promise<void> {
  told.mockClear();
  await state.drain('a', null);
  await vi.waitFor(() => expect(told).toHaveBeenCalled(), { timeout: 200, interval: 5 });
}

test('with Sentinel the state outlives the server it was on, and is found on the replica', async () => {
  const first = await start();
  const second = await start({ settings: ['--replicaof', '127.0.0.1', `${first.port}`] });
  const sentinel = await start({
    sentinel: [
      `sentinel monitor cluster-state 127.0.0.1 ${first.port} 1`,
      'sentinel down-after-milliseconds cluster-state 300',
      'sentinel failover-timeout cluster-state 3000',
    ].join('\n'),
  });
  const state = open(
    first.address({ kind: 'sentinel', addresses: [sentinel.hostAndPort], master: 'cluster-state' }),
  );
  await state.beat(a, [alice]);
  const watcher = opened.adopt(sentinel.client(), (client) => client.disconnect());
  await untilItWorks(async () => {
    expect(await watcher.call('SENTINEL', 'REPLICAS', 'cluster-state')).toHaveLength(1);
    const replica = opened.adopt(second.client(), (client) => client.disconnect());
    expect(await replica.info('replication')).toContain('master_link_status:up');
  });
  const told = vi.fn();
  using _ = state.watch('a', told);
  await untilItWorks(() => untilTold(state, told));
  await first.stop();
  await expect(state.beat(a, [alice])).rejects.toMatchObject({ code: 'state_unavailable' });
  await untilItWorks(async () => {
    expect((await state.snapshot()).streams).toMatchObject([
      { name: 'alice', origin: 'a', term: alice.term },
    ]);
    await state.beat(a, [alice]);
  });
  await untilItWorks(() => untilTold(state, told));
});

test('a Redis Cluster that is gone is told so with the reason, and found again', async () => {
  const redis = await start({ cluster: true });
  const logger = keepingLogger();
  const state = open(redis.address({ kind: 'cluster' }), logger);
  await state.beat(a, [alice]);
  const told = vi.fn();
  using _ = state.watch('a', told);
  await untilItWorks(() => untilTold(state, told));
  await redis.stop();
  await untilItWorks(() =>
    expect(state.beat(a, [alice])).rejects.toMatchObject({
      code: 'state_unavailable',
      message: expect.stringMatching(/ECONNREFUSED|closed/),
    }),
  );
  await expect(state.snapshot()).rejects.toMatchObject({ code: 'state_unavailable' });
  await redis.restart();
  await untilItWorks(() => state.beat(a, [alice]));
  await untilItWorks(() => untilTold(state, told));
  expect(logger.lines.map(({ message }) => message)).toEqual([
    'cluster state reached',
    'cluster state lost',
    'cluster state reached',
  ]);
});

test('with TLS a server is believed by the authority that is given, and by no other', async () => {
  const { certFile, keyFile } = makeCertificate('redis.example');
  const redis = await start({ tls: { certFile, keyFile } });
  const trusted = open(redis.address({ tls: { caFile: certFile } }));
  await trusted.beat(a, [alice]);
  expect((await trusted.snapshot()).streams).toEqual([alice]);
  await open(redis.address({ tls: { caFile: certFile, serverName: 'redis.example' } })).beat(a, []);
  await expect(open(redis.address({ tls: true })).beat(a, [])).rejects.toThrow(/self-signed/);
  const misnamed = open(redis.address({ tls: { caFile: certFile, serverName: 'other.example' } }));
  await expect(misnamed.beat(a, [])).rejects.toThrow(/other\.example/);
  await expect(open(redis.address()).beat(a, [])).rejects.toMatchObject({ code: 'state_unavailable' });
  expect(() => open(redis.address({ tls: { caFile: '/nowhere/ca.pem' } }))).toThrow(
    expect.objectContaining({ code: 'bad_config', message: expect.stringContaining('/nowhere/ca.pem') }),
  );
});
