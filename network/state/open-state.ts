// The cluster state that the configuration names: in a Redis, or in this process alone.

import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema/schema.ts';
import type { Logger } from '../logger.ts';
import { RedisState } from './redis/state-redis.ts';
import type { ClusterState } from './state.ts';
import { MemoryState } from './state-memory.ts';

export interface StateOptions {
  readonly config: Pick<Config, 'state'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function openState({ config, clock, logger }: StateOptions): ClusterState {
  const { redis } = config.state;
  return redis ? new RedisState({ address: redis, clock, logger }) : new MemoryState(clock);
}
