// The catalogue of recordings that the configuration names: of a cluster in its Redis, of one process in its memory.

import type { Clock } from '../clock.ts';
import type { Config } from '../config/schema/schema.ts';
import type { Logger } from '../logger.ts';
import { RedisLink } from '../state/redis/redis.ts';
import type { Catalogue } from './catalogue.ts';
import { MemoryCatalogue } from './catalogue-memory.ts';
import { RedisCatalogue } from './catalogue-redis.ts';

export interface CatalogueOptions {
  readonly config: Pick<Config, 'state'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the connection, if there is one. */
  readonly opened: AsyncDisposableStack;
}

export function openCatalogue({ config, clock, logger, opened }: CatalogueOptions): Catalogue {
  const { redis } = config.state;
  if (!redis) return new MemoryCatalogue();
  const link = opened.use(new RedisLink({ address: redis, scripts: {}, clock, logger }));
  return new RedisCatalogue(link, redis.prefix);
}
