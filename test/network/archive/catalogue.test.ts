import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Catalogue, type CatalogueEntry, STORAGE } from '../../../network/archive/catalogue.ts';
import { MemoryCatalogue } from '../../../network/archive/catalogue-memory.ts';
import { RedisCatalogue } from '../../../network/archive/catalogue-redis.ts';
import { recordingId } from '../../../network/archive/index-file.ts';
import { LinkedRedis } from '../../tools/cluster/linked-redis.ts';
import { catalogueEntry } from '../../tools/media/recordings.ts';

function entry(stream: string, startedAtMs: number, keeper: string, durationMs = 1000): CatalogueEntry {
  return catalogueEntry(stream, startedAtMs, keeper, { durationMs });
}

const T = 1_795_213_440_000;
let redis: LinkedRedis;
beforeAll(async () => {
  redis = await LinkedRedis.start();
});
afterAll(() => redis[Symbol.asyncDispose]());

let count = 0;
const KINDS: readonly [string, () => Catalogue][] = [
  ['in memory', () => new MemoryCatalogue()],
  ['in Redis', () => new RedisCatalogue(redis.link, `test${count++}`)],
];

describe.each(KINDS)('the catalogue %s', (_, open) => {
  test('lists a stream with the newest first, and of one recording whoever has most of it', async () => {
    const catalogue = open();
    for (const one of [
      entry('alice', T, 'a'),
      entry('alice', T + 5, 'b'),
      entry('alice', T, STORAGE),
      entry('alice', T, 'c', 2000),
      entry('bob', T, 'a'),
    ])
      await catalogue.note(one);
    const listed = await catalogue.list('alice');
    expect(listed.map(({ startedAtMs, keeper }) => [startedAtMs - T, keeper])).toEqual([
      [5, 'b'],
      [0, 'c'],
      [0, 'a'],
      [0, STORAGE],
    ]);
    expect(listed[2]).toEqual(entry('alice', T, 'a'));
    expect(await catalogue.list('nobody')).toEqual([]);
  });

  test('takes the last word of each keeper, and forgets what it has no longer', async () => {
    const catalogue = open();
    for (const keeper of ['a', STORAGE]) await catalogue.note(entry('alice', T, keeper));
    await catalogue.note({ ...entry('alice', T, 'a'), title: 'the second' });
    expect((await catalogue.list('alice')).map(({ title }) => title)).toEqual(['the second', '']);
    await catalogue.drop(recordingId('alice', T), 'a');
    expect((await catalogue.list('alice')).map(({ keeper }) => keeper)).toEqual([STORAGE]);
    await catalogue.drop(recordingId('alice', T), STORAGE);
    expect(await catalogue.list('alice')).toEqual([]);
  });

  test('finds the newest recordings of all streams, with all who have them', async () => {
    const catalogue = open();
    expect(await catalogue.recent(5)).toEqual([]);
    await catalogue.note(entry('alice', T, 'a'));
    await catalogue.note(entry('bob', T + 2, 'a'));
    await catalogue.note(entry('carol', T + 1, 'a'));
    await catalogue.note(entry('carol', T + 1, STORAGE));
    expect((await catalogue.recent(2)).map(({ stream, keeper }) => [stream, keeper])).toEqual([
      ['bob', 'a'],
      ['carol', 'a'],
      ['carol', STORAGE],
    ]);
    await catalogue.drop(recordingId('bob', T + 2), 'a');
    expect((await catalogue.recent(5)).map(({ stream }) => stream)).toEqual(['carol', 'carol', 'alice']);
  });

  test('knows which streams a keeper has said something of', async () => {
    const catalogue = open();
    await catalogue.note(entry('alice', T, 'a'));
    await catalogue.note(entry('bob', T, STORAGE));
    expect(await catalogue.streams('a')).toEqual(['alice']);
    expect(await catalogue.streams(STORAGE)).toEqual(['bob']);
    expect(await catalogue.streams('b')).toEqual([]);
  });
});

describe('the catalogue in Redis', () => {
  test('gives a turn to one for a time, and then to the next', async () => {
    const catalogue = open();
    expect([await catalogue.turn('clean', 50), await catalogue.turn('clean', 50)]).toEqual([true, false]);
    expect(await catalogue.turn('something else', 50)).toBe(true);
    await expect.poll(() => catalogue.turn('clean', 50)).toBe(true);
  });

  test('leaves out what makes no sense', async () => {
    const catalogue = new RedisCatalogue(redis.link, 'bad');
    await catalogue.note(entry('alice', T, 'a'));
    await redis.link.transact([['HSET', '{bad}:recordings:alice', 'x a', '{"id":"../x"}']]);
    expect(await catalogue.list('alice')).toEqual([entry('alice', T, 'a')]);
  });

  const open = (): Catalogue => KINDS[1]![1]();
});
