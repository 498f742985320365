import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../../network/state/state.ts';
import type { Cluster, StreamDetail } from '../../../usher/console/messages.ts';
import { applyPatch } from '../../../usher/console/patch.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import { LiveFeed } from '../../tools/cluster/live-feed.ts';
import { UsherListener } from '../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

let clock: ManualClock;
let cluster: Snapshot;
let usher: UsherListener;
const token = (): string => usher.operators.tokenUntil(Number.MAX_SAFE_INTEGER);

/** The cluster as it is from the next look on. */
function become(viewers: number, changes: Partial<Snapshot> = {}): void {
  const { nowMs } = cluster;
  const servers = [
    server('o1', { roles: ['origin', 'edge'], beatAtMs: nowMs, holdings: [holding('alice', viewers)] }),
    server('e1', { beatAtMs: nowMs, holdings: [holding('bob', 3, { parent: 'o1' })] }),
  ];
  cluster = snapshot(servers, [stream('alice', 'o1'), stream('bob', 'o1')], { nowMs, ...changes });
}

/** The next look. */
async function pass(): Promise<void> {
  clock.advance(1_000);
  await setImmediate();
}

beforeAll(async () => {
  clock = new ManualClock(NOW_MS);
  cluster = snapshot([], []);
  become(1);
  usher = await UsherListener.start({
    clock,
    state: { snapshot: async () => cluster },
  });
});
afterAll(() => usher[Symbol.asyncDispose]());
beforeEach(() => become(1));

describe('the live feed', () => {
  test('tells the whole cluster at once, packed, and then what changed', async () => {
    await pass();
    using feed = await LiveFeed.open(usher);
    expect(feed.response.headers.get('content-type')).toBe('text/event-stream');
    expect(feed.response.headers.get('content-encoding')).toBe('gzip');
    const { message: first } = await feed.take('cluster');
    expect(first.streams['alice']).toMatchObject({ viewers: 1, copies: 1 });
    become(7);
    await pass();
    const { message: change } = await feed.take('change');
    expect(change).toMatchObject({ streams: { alice: { viewers: 7 } }, servers: { o1: { viewers: 7 } } });
    expect(change.streams).not.toHaveProperty('bob');
    expect(applyPatch<Cluster>(first, change).totals.viewers).toBe(10);
  });

  test('tells the same without packing to who does not take it', async () => {
    using feed = await LiveFeed.open(usher, '', { 'Accept-Encoding': 'identity' });
    expect(feed.response.headers.get('content-encoding')).toBeNull();
    expect((await feed.take('cluster')).message.servers).toHaveProperty('e1');
  });

  test('tells the tree of a stream to who asked for it, and nothing of the others', async () => {
    await pass();
    using feed = await LiveFeed.open(usher, '?stream=bob&stream=nobody');
    await feed.take('cluster');
    const { message: bob } = await feed.take('stream');
    expect((bob.stream as StreamDetail).ladder['source']!.tree).toMatchObject({
      e1: { parent: 'o1', viewers: 3 },
    });
    expect((await feed.take('stream')).message).toEqual({ name: 'nobody', stream: null });
    become(1, { streams: [stream('alice', 'o1'), stream('bob', 'e1')] });
    await pass();
    expect((await feed.take('events')).message.map(({ happening }) => happening)).toEqual([
      { kind: 'origin-changed', stream: 'bob', from: 'o1', to: 'e1' },
    ]);
    await feed.take('change');
    expect((await feed.take('stream-change')).message).toMatchObject({
      name: 'bob',
      patch: { origin: 'e1', ladder: { source: { tree: { e1: { state: 'root', parent: null } } } } },
    });
  });

  test('a listener that comes again hears what it missed, and all anew where that is not known', async () => {
    await pass();
    let last: string | undefined;
    {
      using feed = await LiveFeed.open(usher);
      last = (await feed.take('cluster')).id;
    }
    using other = await LiveFeed.open(usher);
    await other.take('cluster');
    become(40);
    await pass();
    await other.take('change');
    using again = await LiveFeed.open(usher, '', { 'Last-Event-ID': last! });
    expect((await again.take('change')).message).toMatchObject({ streams: { alice: { viewers: 40 } } });
    using strange = await LiveFeed.open(usher, '', { 'Last-Event-ID': 'elsewhere.1' });
    expect((await strange.take('cluster')).message.streams['alice']).toMatchObject({ viewers: 40 });
  });

  test('is the same for all who listen', async () => {
    await pass();
    const feeds = await Promise.all([1, 2, 3].map(() => LiveFeed.open(usher)));
    for (const feed of feeds) await feed.take('cluster');
    become(2);
    await pass();
    const [first, ...others] = await Promise.all(feeds.map((feed) => feed.take('change')));
    for (const feed of feeds) feed[Symbol.dispose]();
    expect(others).toEqual([first, first]);
    expect(first!.message.nowMs).toBeUndefined();
  });

  test('says now and then that it is still there when nothing changes', async () => {
    await pass();
    using feed = await LiveFeed.open(usher);
    await feed.take('cluster');
    for (let second = 0; second < 6; second++) await pass();
    expect((await feed.take('change')).message).toEqual({});
  });

  test('keeps nothing for a listener that does not read, and tells it all when it does', async () => {
    const wide = (round: number) =>
      Array.from({ length: 2_000 }, (_, at) =>
        stream(`s${at}-${'x'.repeat(50)}`, `origin-${round}-${'y'.repeat(50)}`),
      );
    await expect.poll(() => usher.listening).toBe(0);
    const socket = connect(Number(new URL(usher.url).port), '127.0.0.1');
    socket.write(`GET /api/console/live HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token()}\r\n\r\n`);
    socket.pause();
    await expect.poll(() => usher.listening).toBe(1);
    for (let round = 1; round <= 30; round++) {
      become(round, { streams: wide(round) });
      await pass();
    }
    let text = '';
    socket.setEncoding('utf8').on('data', (piece) => {
      text += piece;
    });
    socket.resume();
    // What it had not taken is not sent late: it hears all anew.
    await expect
      .poll(async () => {
        await pass();
        return text.match(/^event: cluster$/gm);
      })
      .toHaveLength(2);
    expect(text).not.toContain('"origin":"origin-29-');
    await expect.poll(() => text.slice(text.lastIndexOf('event: cluster'))).toContain('"origin":"origin-30-');
    socket.destroy();
    await expect.poll(() => usher.listening).toBe(0);
  });

  test.each([
    ['without a token', '', {}, 401],
    ['with more streams than four', '?stream=a&stream=b&stream=c&stream=d&stream=e', undefined, 400],
    ['with a stream that can be none', '?stream=%2e%2e', undefined, 400],
  ])('%s is refused', async (_, query, headers, status) => {
    const answer = await usher.get(`/api/console/live${query}`, {
      headers: headers ?? { Authorization: `Bearer ${token()}` },
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('has room for so many and no more', async () => {
    const feeds = await Promise.all(Array.from({ length: 64 }, () => LiveFeed.open(usher)));
    using late = await LiveFeed.open(usher);
    expect([late.response.status, late.response.headers.get('retry-after')]).toEqual([503, '5']);
    for (const feed of feeds) feed[Symbol.dispose]();
    await expect.poll(() => usher.listening).toBe(0);
  });
});
