// A cluster of real processes: an usher, two origins and three edges in two sites, a real Redis, a broadcast from ffmpeg.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { STREAM, TestCluster, until } from '../tools/cluster/test-cluster.ts';
import type { FeedReader } from '../tools/media/feed-reader.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';

const SERVERS = {
  o1: { site: 'eu', roles: ['origin', 'edge'] },
  o2: { site: 'eu', roles: ['origin', 'edge'] },
  e1: { site: 'eu', roles: ['edge'] },
  e2: { site: 'us', roles: ['edge'] },
  e3: { site: 'us', roles: ['edge'] },
} as const;
/** More than a second of a stream. */
const SOME_CHUNKS = 100;

let cluster: TestCluster;
let broadcaster: Broadcaster;
/** Needs some seconds, in which others test. */
let twin: ReturnType<TestCluster['runTwin']>;

beforeAll(async () => {
  cluster = await TestCluster.start({ servers: SERVERS, ushers: ['u1'] });
  twin = cluster.runTwin('e1');
  broadcaster = new Broadcaster(cluster.publishUrl('o1'));
});
afterAll(async () => {
  await broadcaster?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

describe('a cluster', () => {
  test('serves a stream, byte for byte the same, from servers that were never told of it', async () => {
    const lists = await Promise.all(
      cluster.serverIds.map((id) => untilListed(id, (text) => segmentsIn(text).length >= 3)),
    );
    const name = segmentsIn(lists[0]!).at(-1)!;
    const bodies = await Promise.all(
      cluster.serverIds.map(async (id) => {
        await untilListed(id, (text) => text.includes(name));
        return Buffer.from(await (await fetch(`${cluster.mediaUrl(id)}${name}`)).arrayBuffer());
      }),
    );
    expect(bodies[0]!.length).toBeGreaterThan(1000);
    for (const body of bodies) expect(body.equals(bodies[0]!)).toBe(true);
  });

  test('refuses a second broadcaster of the name on another server', async () => {
    const second = new Broadcaster(cluster.publishUrl('o2'));
    await second.ended;
    const o2 = cluster.server('o2');
    await o2.logged((line) => /live on server o1/.test(String(line['reason'])));
    expect(o2.lines.some((line) => line.msg === 'on air')).toBe(false);
  });
});

test('a second process with the id of a server ends and says why; the first goes on', async () => {
  expect(await twin).toEqual({
    code: 1,
    output: expect.stringContaining("error: another living server has the id 'e1'\n"),
  });
  const { servers } = await cluster.snapshot();
  expect(servers.filter(({ id }) => id === 'e1')).toMatchObject([
    { mediaUrl: cluster.server('e1').mediaUrl },
  ]);
});

describe('viewers on every edge miss nothing while', () => {
  const readers = new Map<string, FeedReader>();

  beforeEach(async () => {
    for (const id of cluster.edgeIds) readers.set(id, cluster.read(id));
    await cluster.untilWhole();
    await untilRead(1);
    for (const reader of readers.values()) reader.begin();
  });
  afterEach(async () => {
    for (const reader of readers.values()) await reader[Symbol.asyncDispose]();
    readers.clear();
  });

  test('the state is lost and comes back empty: the plan is as it was', async () => {
    const { sinceMs } = await cluster.snapshot();
    const parents = parentsNow();
    await cluster.redis.stop();
    await untilRead(SOME_CHUNKS);
    await expectPlayable('u1');
    await cluster.redis.restart();
    await cluster.untilWhole();
    await untilRead(2 * SOME_CHUNKS);
    expect((await cluster.snapshot()).sinceMs).toBeGreaterThan(sinceMs);
    expect(parentsNow()).toEqual(parents);
    expectNothingMissed();
  });

  test('a server of the tree is frozen, and another killed', async () => {
    const [frozen] = innerAndBelow();
    cluster.freeze(frozen);
    await cluster.untilWhole();
    cluster.thaw(frozen);
    await cluster.untilWhole();
    const [killed, below] = innerAndBelow();
    await cluster.kill(killed);
    await untilRead(SOME_CHUNKS, [below]);
    expectNothingMissed(['e1', below]);
  });

  test('another usher takes the lead from one that is killed', async () => {
    await cluster.startUsher('u2');
    await cluster.kill('u1');
    await cluster.untilWhole();
    await expectPlayable('u2');
    expectNothingMissed();
  });

  test('the origin dies and its broadcaster goes to another: the same numbering, a new epoch, a discontinuity', async () => {
    const before = await untilListed('e1', (text) => segmentsIn(text).length > 0);
    await cluster.kill('o1');
    await broadcaster.ended;
    broadcaster = new Broadcaster(cluster.publishUrl('o2'));
    const after = await untilListed('e1', (text) => /#EXT-X-DISCONTINUITY\n[\s\S]*#EXTINF/.test(text));
    const numbers = numbersIn(after);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    expect(numbers).toEqual(expect.arrayContaining(numbersIn(before).slice(-1)));
    expect(new Set(segmentsIn(after).map((name) => name.split('/')[0])).size).toBe(2);
    await cluster.untilWhole();
    expectNothingMissed();
  });

  async function untilRead(chunks: number, ids: readonly string[] = [...readers.keys()]): Promise<void> {
    const counts = (): string => ids.map((id) => `${id} ${readers.get(id)!.chunks}`).join(', ');
    await until(counts, () => ids.every((id) => readers.get(id)!.chunks >= chunks));
  }

  function expectNothingMissed(ids: readonly string[] = [...readers.keys()]): void {
    for (const id of ids) {
      const { lost, repeated } = readers.get(id)!;
      expect({ id, lost, repeated }).toEqual({ id, lost: 0, repeated: 0 });
    }
  }
});

/** An edge that another follows, and that one. */
function innerAndBelow(): [inner: string, below: string] {
  const below = cluster.edgeIds.find((id) => cluster.edgeIds.includes(cluster.parentOf(id)!))!;
  return [cluster.parentOf(below)!, below];
}

function parentsNow(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(cluster.edgeIds.map((id) => [id, cluster.parentOf(id)]));
}

/** An usher sends viewers to a server. */
async function expectPlayable(usherId: string): Promise<void> {
  const answer = await fetch(`${cluster.usher(usherId).url}/live/${STREAM}.m3u8`);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('/play/')]);
}

/** The playlist of a server once it is as it should be. */
async function untilListed(id: string, fits: (text: string) => boolean): Promise<string> {
  let text = '';
  await until(
    () => `the playlist of ${id} is as it should be and not: ${text}`,
    async () => {
      text = await fetch(`${cluster.mediaUrl(id)}index.m3u8`).then((answer) => answer.text(), String);
      return fits(text);
    },
  );
  return text;
}

const segmentsIn = (text: string): string[] => text.match(/^\d+\/\d+\.m4s$/gm) ?? [];
const numbersIn = (text: string): number[] =>
  segmentsIn(text).map((name) => Number(/\/(\d+)/.exec(name)![1]));
