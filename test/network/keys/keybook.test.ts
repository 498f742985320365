import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type KeyBook, type KeyRecord, keyIdOf, MAX_KEYS } from '../../../network/keys/keybook.ts';
import { MemoryKeyBook } from '../../../network/keys/keybook-memory.ts';
import { RedisKeyBook } from '../../../network/keys/keybook-redis.ts';
import { MemoryOfKeys } from '../../../network/keys/memory-of-keys.ts';
import { Revocations } from '../../../network/keys/revocations.ts';
import { LinkedRedis } from '../../tools/cluster/linked-redis.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const clock = new ManualClock();
let redis: LinkedRedis;
beforeAll(async () => {
  redis = await LinkedRedis.start();
});
afterAll(() => redis[Symbol.asyncDispose]());

let count = 0;
const KINDS: readonly [string, () => KeyBook][] = [
  ['in memory', () => new MemoryKeyBook(clock)],
  ['in Redis', () => new RedisKeyBook(redis.link, `test${count++}`, clock)],
];

function record(key: string, more: Partial<KeyRecord> = {}): KeyRecord {
  const madeAtMs = clock.now();
  return {
    id: keyIdOf(key),
    stream: 'alice',
    madeAtMs,
    expiresAtMs: madeAtMs + 60_000,
    revokedAtMs: null,
    ...more,
  };
}

describe.each(KINDS)('the book of keys %s', (_, open) => {
  test('lists what was noted, the newest first, and knows what of it is revoked', async () => {
    const book = open();
    const [first, second] = [record('one'), record('two', { madeAtMs: clock.now() + 1 })];
    await book.note(first);
    await book.note(second);
    expect(await book.list()).toEqual([second, first]);
    expect(await book.revoked([first.id, second.id, 'another'])).toEqual(new Set());
    await book.note({ ...first, revokedAtMs: clock.now() });
    expect(await book.revoked([first.id, second.id])).toEqual(new Set([first.id]));
    expect(await book.list()).toEqual([second, { ...first, revokedAtMs: clock.now() }]);
  });

  test('forgets a key when it has expired, and only then has room for more', async () => {
    const book = open();
    const keys = Array.from({ length: MAX_KEYS }, (_, at) => record(`key ${at}`));
    for (let at = 0; at < MAX_KEYS; at += 500)
      await Promise.all(keys.slice(at, at + 500).map((key) => book.note(key)));
    await expect(book.note(record('one more'))).rejects.toMatchObject({ code: 'too_many_keys' });
    await book.note({ ...keys[0]!, revokedAtMs: clock.now() });
    clock.advance(60_000);
    expect(await book.list()).toEqual([]);
    const later = record('one more');
    await book.note(later);
    expect(await book.list()).toEqual([later]);
  });
});

test('what makes no sense in Redis is left out', async () => {
  const book = new RedisKeyBook(redis.link, 'bad', clock);
  await book.note(record('one'));
  await redis.link.transact([['HSET', '{bad}:keys', 'x', '{"id":"../x"}', keyIdOf('y'), 'what']]);
  expect(await book.list()).toEqual([record('one')]);
  expect(await book.revoked([keyIdOf('y')])).toEqual(new Set());
});

describe('what a server knows of revoked keys', () => {
  const logger = keepingLogger();

  test('goes on counting while the book is away', async () => {
    let isAway = false;
    const book = {
      revoked: async (ids: readonly string[]) => {
        if (isAway) throw new Error('away');
        return new Set(ids.filter((id) => id === keyIdOf('bad')));
      },
    };
    const revocations = new Revocations({ book, clock, logger });
    expect([await revocations.isRevoked('bad'), await revocations.isRevoked('good')]).toEqual([true, false]);
    isAway = true;
    expect([await revocations.isRevoked('bad'), await revocations.isRevoked('good')]).toEqual([true, false]);
  });

  test('is asked for once a second of keys in use', async () => {
    const book = new MemoryKeyBook(clock);
    using revocations = new Revocations({ book, clock, logger });
    const { promise, resolve } = Promise.withResolvers<ReadonlySet<string>>();
    revocations.watch(() => ['in use'], resolve);
    await book.note(record('in use', { revokedAtMs: clock.now() }));
    clock.advance(1_000);
    expect(await promise).toEqual(new Set([keyIdOf('in use')]));
  });
});

test('revoked keys are noted again when the book was lost, as long as they would be good', async () => {
  const before = new MemoryKeyBook(clock);
  const lost = new MemoryKeyBook(clock);
  let book = before;
  const options = { list: () => book.list(), note: (one: KeyRecord) => book.note(one) };
  using memory = new MemoryOfKeys({ book: options, clock, logger: keepingLogger() });
  const revoked = record('revoked', { revokedAtMs: clock.now() });
  await before.note(revoked);
  await before.note(record('good'));
  await memory.look();
  book = lost;
  await memory.look();
  expect(await lost.list()).toEqual([revoked]);
  clock.advance(60_000);
  book = new MemoryKeyBook(clock);
  await memory.look();
  expect(await book.list()).toEqual([]);
});
