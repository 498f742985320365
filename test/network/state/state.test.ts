// Runs the suite of the cluster state over both: in memory, and on a real Redis, by TCP and as a Redis Cluster.

import { systemClock } from '../../../network/clock.ts';
import { RedisState } from '../../../network/state/redis/state-redis.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { RedisServer } from '../../tools/cluster/redis-server.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { describeClusterState, type Subject } from './state.contract.ts';
import { describeUsherVerbs } from './ushers.contract.ts';

for (const describe of [describeClusterState, describeUsherVerbs]) {
  describe('the cluster state in memory', async () => startMemory());
  describe('the cluster state in Redis', () => startRedis('single'));
  describe('the cluster state in a Redis Cluster', () => startRedis('cluster'));
}

function startMemory(): Subject {
  return {
    async open(clock) {
      const state = new MemoryState(clock);
      return [state, state];
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function startRedis(kind: 'single' | 'cluster'): Promise<Subject> {
  const opened = new AsyncDisposableStack();
  const redis = opened.use(await RedisServer.start({ cluster: kind === 'cluster' }));
  return {
    async open(clock) {
      const address = redis.address({ kind });
      const connect = () =>
        opened.use(
          new RedisState({ address, clock: systemClock, logger: keepingLogger(), now: () => clock.now() }),
        );
      return [connect(), connect()];
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
