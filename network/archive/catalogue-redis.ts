// The catalogue of a cluster, in Redis: what servers have is forgotten when they are not heard for long, what storage has is not.

import type { RedisLink } from '../state/redis/redis.ts';
import {
  type Catalogue,
  type CatalogueEntry,
  inCatalogueOrder,
  MAX_RECENT,
  STORAGE,
  streamOf,
} from './catalogue.ts';
import { manifestSchema } from './manifest.ts';

/** Servers say once an hour what they have: of what none speaks any more, none has anything. */
const FORGET_S = 2 * 86_400;

export class RedisCatalogue implements Catalogue {
  readonly #link: Pick<RedisLink, 'transact'>;
  readonly #prefix: string;

  constructor(link: Pick<RedisLink, 'transact'>, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  async note(entry: CatalogueEntry): Promise<void> {
    const { id, stream, keeper, startedAtMs } = entry;
    const key = this.#entriesOf(stream, keeper);
    const streams = this.#streamsOf(keeper);
    const forgets = keeper !== STORAGE;
    await this.#link.transact([
      ['HSET', key, `${id} ${keeper}`, JSON.stringify(entry)],
      ['SADD', streams, stream],
      ['ZADD', this.#keyOf('recent'), String(startedAtMs), id],
      ['ZREMRANGEBYRANK', this.#keyOf('recent'), '0', String(-MAX_RECENT - 1)],
      ...(forgets ? [key, streams].map((each) => ['EXPIRE', each, String(FORGET_S)]) : []),
    ]);
  }

  async drop(id: string, keeper: string): Promise<void> {
    await this.#link.transact([['HDEL', this.#entriesOf(streamOf(id), keeper), `${id} ${keeper}`]]);
  }

  async list(stream: string): Promise<CatalogueEntry[]> {
    const keys = [this.#entriesOf(stream, ''), this.#entriesOf(stream, STORAGE)];
    const texts = (await this.#link.transact(keys.map((key) => ['HVALS', key]))) as string[][];
    return inCatalogueOrder(texts.flat().flatMap(readEntry));
  }

  async recent(count: number): Promise<CatalogueEntry[]> {
    const last = String(Math.min(count, MAX_RECENT) - 1);
    const [ids] = (await this.#link.transact([['ZREVRANGE', this.#keyOf('recent'), '0', last]])) as [
      string[],
    ];
    const streams = [...new Set(ids.map(streamOf))];
    const entries = (await Promise.all(streams.map((stream) => this.list(stream)))).flat();
    return inCatalogueOrder(entries.filter(({ id }) => ids.includes(id)));
  }

  async streams(keeper: string): Promise<string[]> {
    const [streams] = (await this.#link.transact([['SMEMBERS', this.#streamsOf(keeper)]])) as [string[]];
    return streams;
  }

  async turn(task: string, forMs: number): Promise<boolean> {
    const key = this.#keyOf(`turn:${task}`);
    const [answer] = await this.#link.transact([['SET', key, '1', 'NX', 'PX', String(forMs)]]);
    return answer !== null;
  }

  /** Of a stream: all servers' together, storage's apart. */
  #entriesOf(stream: string, keeper: string): string {
    return this.#keyOf(keeper === STORAGE ? `stored:${stream}` : `recordings:${stream}`);
  }

  #streamsOf(keeper: string): string {
    return this.#keyOf(keeper === STORAGE ? 'stored-streams' : `recorded-streams:${keeper}`);
  }

  /** The braces put a cluster's keys on one node, as those of the cluster state. */
  #keyOf(name: string): string {
    return `{${this.#prefix}}:${name}`;
  }
}

/** What makes no sense is left out: its keeper says it anew. */
function readEntry(text: string): CatalogueEntry[] {
  try {
    const entry = JSON.parse(text) as CatalogueEntry;
    return [{ ...manifestSchema.parse(entry), keeper: String(entry.keeper) }];
  } catch {
    return [];
  }
}
