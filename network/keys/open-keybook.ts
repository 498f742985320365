// The book of keys that the configuration names: of a cluster in its Redis, of one process in its memory.

import type { CatalogueOptions } from '../archive/open-catalogue.ts';
import { RedisLink } from '../state/redis/redis.ts';
import type { KeyBook } from './keybook.ts';
import { MemoryKeyBook } from './keybook-memory.ts';
import { RedisKeyBook } from './keybook-redis.ts';

export function openKeyBook({ config, clock, logger, opened }: CatalogueOptions): KeyBook {
  const { redis } = config.state;
  if (!redis) return new MemoryKeyBook(clock);
  const link = opened.use(new RedisLink({ address: redis, scripts: {}, clock, logger }));
  return new RedisKeyBook(link, redis.prefix, clock);
}
