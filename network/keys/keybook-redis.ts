// The keys of a cluster, in Redis: a hash of records, and beside it when each of them expires.

import type { Clock } from '../clock.ts';
import { z } from '../config/yaml.ts';
import { CodedError } from '../errors.ts';
import type { RedisLink } from '../state/redis/redis.ts';
import { inKeyOrder, isKeyId, type KeyBook, type KeyRecord, MAX_KEYS } from './keybook.ts';

const time = z.number().min(0);
const schema = z.object({
  id: z.string().refine(isKeyId),
  stream: z.string(),
  madeAtMs: time,
  expiresAtMs: time,
  revokedAtMs: time.nullable(),
}) satisfies z.ZodType<KeyRecord>;

export class RedisKeyBook implements KeyBook {
  readonly #link: Pick<RedisLink, 'transact'>;
  readonly #clock: Clock;
  readonly #records: string;
  readonly #expiries: string;

  /** The braces put a cluster's keys on one node, as those of the cluster state. */
  constructor(link: Pick<RedisLink, 'transact'>, prefix: string, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.#records = `{${prefix}}:keys`;
    this.#expiries = `{${prefix}}:key-expiries`;
  }

  async note(record: KeyRecord): Promise<void> {
    const { id, expiresAtMs } = record;
    const [expired, known, isKnown] = (await this.#link.transact([
      ['ZRANGEBYSCORE', this.#expiries, '-inf', String(this.#clock.now())],
      ['HLEN', this.#records],
      ['HEXISTS', this.#records, id],
    ])) as [string[], number, number];
    if (known - expired.length >= MAX_KEYS && !isKnown)
      throw new CodedError('too_many_keys', `${MAX_KEYS} keys are noted already`);
    const forget =
      expired.length > 0
        ? [
            ['HDEL', this.#records],
            ['ZREM', this.#expiries],
          ]
        : [];
    await this.#link.transact([
      ...forget.map((command) => [...command, ...expired]),
      ['HSET', this.#records, id, JSON.stringify(record)],
      ['ZADD', this.#expiries, String(expiresAtMs), id],
    ]);
  }

  async list(): Promise<KeyRecord[]> {
    const [texts] = (await this.#link.transact([['HVALS', this.#records]])) as [string[]];
    return inKeyOrder(texts.flatMap(readRecord), this.#clock.now());
  }

  async revoked(ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const [texts] = (await this.#link.transact([['HMGET', this.#records, ...ids]])) as [(string | null)[]];
    const records = texts.flatMap((text) => (text === null ? [] : readRecord(text)));
    return new Set(records.filter(({ revokedAtMs }) => revokedAtMs !== null).map(({ id }) => id));
  }
}

/** What makes no sense is left out. */
function readRecord(text: string): KeyRecord[] {
  try {
    return [schema.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}
