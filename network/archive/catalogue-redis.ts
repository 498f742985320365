// The catalogue of a cluster, in Redis: a hash for each stream that is forgotten when nobody has said a word of it for long.

import { CodedError, reasonOf } from '../errors.ts';
import type { RedisLink } from '../state/redis.ts';
import { type Catalogue, type CatalogueEntry, inCatalogueOrder } from './catalogue.ts';

/** Keepers say once an hour what they have: a stream of which none speaks any more has no recording. */
export const FORGET_S = 2 * 86_400;

export class RedisCatalogue implements Catalogue {
  readonly #link: Pick<RedisLink, 'transact'>;
  readonly #prefix: string;

  constructor(link: Pick<RedisLink, 'transact'>, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async note(entry: CatalogueEntry): Promise<void> {
    const key = this.#keyOf(entry.stream);
    const field = `${entry.id} ${entry.keeper}`;
    await this.#link.transact([
      ['HSET', key, field, JSON.stringify(entry)],
      ['EXPIRE', key, String(FORGET_S)],
    ]);
  }

  async drop(id: string, keeper: string): Promise<void> {
    const key = this.#keyOf(id.slice(0, id.lastIndexOf('.')));
    await this.#link.transact([['HDEL', key, `${id} ${keeper}`]]);
  }

  async list(stream: string): Promise<CatalogueEntry[]> {
    const key = this.#keyOf(stream);
    const [flat] = (await this.#link.transact([['HVALS', key]])) as [string[]];
    return inCatalogueOrder(flat.map((text) => readEntry(text, key)));
  }

  /** The braces put a cluster's keys on one node, as those of the cluster state. */
  #keyOf(stream: string): string {
    return `{${this.#prefix}}:recordings:${stream}`;
  }
}

function readEntry(text: string, key: string): CatalogueEntry {
  try {
    const entry = JSON.parse(text) as CatalogueEntry;
    if (typeof entry.id === 'string' && Array.isArray(entry.renditions)) return entry;
    throw new Error('it is no entry');
  } catch (error) {
    throw new CodedError('bad_state', `${key} makes no sense: ${reasonOf(error)}`, { cause: error });
  }
}
