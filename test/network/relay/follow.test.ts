import { afterEach, describe, expect, test } from 'vitest';
import { LiveBroadcast, Reader, RelayServer, until, untilAt } from '../../tools/cluster/relay.ts';
import { TcpProxy } from '../../tools/world/tcp-proxy.ts';

const opened: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
    else one[Symbol.dispose]();
  }
});

describe('a tree of servers', () => {
  test('carries the same bytes through a chain of five', async () => {
    const [origin, ...chain] = await servers('o', 'a', 'b', 'c', 'd', 'e');
    const live = broadcastOn(origin!);
    chain.forEach((server, index) => void server.follow(chain[index - 1] ?? origin!));
    const leaf = chain.at(-1)!;
    await untilAt(leaf, live.feed.next + 60);
    for (const { feed } of chain) {
      const [from, to] = [feed!.first, feed!.next];
      expect(Buffer.concat(feed!.wire(from, to)).equals(Buffer.concat(live.feed.wire(from, to)))).toBe(true);
      expect(feed!.initOf(100)!.bytes).toEqual(live.feed.initOf(100)!.bytes);
    }
    expect(leaf.feed!.segments.length).toBeGreaterThanOrEqual(3);
    expect(leaf.holdings.followed[0]!.relayed.lineage).toEqual({
      path: ['o', 'a', 'b', 'c', 'd', 'e'],
      isFed: true,
    });
  });

  test('begins with the newest three segments, also when the child asks before its parent has anything', async () => {
    const [origin, a, b] = await servers('o', 'a', 'b');
    const live = broadcastOn(origin!);
    live.broadcaster.play(5);
    b!.follow(a!);
    a!.follow(origin!);
    await untilAt(b!, live.feed.next);
    for (const { feed } of [a!, b!]) {
      expect(feed!.at(feed!.first)).toMatchObject({ keyframe: true, startsSegment: true });
      expect(feed!.segments.length).toBeLessThanOrEqual(4);
    }
  });

  test('loses no chunk when a server in the middle is killed', async () => {
    const [origin, a, b, c] = await servers('o', 'a', 'b', 'c');
    const live = broadcastOn(origin!);
    a!.follow(origin!);
    b!.follow(a!, origin!);
    c!.follow(b!, origin!);
    const readers = await readersOf(live, b!, c!);
    await a!.kill();
    await untilAt(c!, live.feed.next + 60);
    expect(b!.follows).toBe('o');
    for (const reader of readers) expectWhole(reader);
  });

  test('loses no chunk when a parent goes silent', async () => {
    const [origin, a, b, c] = await servers('o', 'a', 'b', 'c');
    const live = broadcastOn(origin!);
    const proxy = await TcpProxy.before(a!.port);
    opened.push(proxy);
    a!.follow(origin!);
    b!.follow({ id: 'a', relayUrl: proxy.url }, origin!);
    c!.follow(b!, origin!);
    const readers = await readersOf(live, b!, c!);
    proxy.freeze();
    await until('b follows the origin', () => b!.follows === 'o');
    await untilAt(c!, live.feed.next + 30);
    for (const reader of readers) expectWhole(reader);
    expect(c!.follows).toBe('b');
  });

  test('goes past a next parent that is frozen too', async () => {
    const [origin, a, b] = await servers('o', 'a', 'b');
    const live = broadcastOn(origin!);
    const frozen = await TcpProxy.before(origin!.port);
    opened.push(frozen);
    a!.follow(origin!);
    b!.follow(a!, { id: 'frozen', relayUrl: frozen.url }, origin!);
    const [reader] = await readersOf(live, b!);
    frozen.freeze();
    await a!.kill();
    await untilAt(b!, live.feed.next + 30);
    expect(b!.follows).toBe('o');
    expectWhole(reader!);
  });

  test('changes a parent between two chunks: none is lost, none comes twice', async () => {
    const [origin, a, b, c] = await servers('o', 'a', 'b', 'c');
    const live = broadcastOn(origin!);
    a!.follow(origin!);
    b!.follow(origin!);
    c!.follow(a!);
    const [reader] = await readersOf(live, c!);
    for (const parent of [b!, origin!, a!, b!]) {
      c!.follow(parent);
      await until(`c follows ${parent.id}`, () => c!.follows === parent.id);
      await untilAt(c!, live.feed.next + 10);
    }
    expectWhole(reader!);
  });

  test('stays with its parent when the planned one can not be reached', async () => {
    const [origin, a, b] = await servers('o', 'a', 'b');
    const live = broadcastOn(origin!);
    b!.follow(origin!);
    const [reader] = await readersOf(live, b!);
    const { port } = a!;
    await a!.kill();
    b!.follow({ id: 'a', relayUrl: `http://127.0.0.1:${port}` });
    await until('the try is in the log', () => b!.lines.some(({ fields }) => fields.code === 'relay_broken'));
    await untilAt(b!, live.feed.next + 30);
    expect(b!.follows).toBe('o');
    expectWhole(reader!);
  });

  test('tells every leaf that the stream is over, after its last chunk', async () => {
    const [origin, a, b, c] = await servers('o', 'a', 'b', 'c');
    const live = broadcastOn(origin!);
    a!.follow(origin!);
    b!.follow(a!);
    c!.follow(a!);
    const feeds = await Promise.all([a!, b!, c!].map((server) => untilAt(server, live.feed.next)));
    live.broadcaster.frame();
    live.broadcaster.frame();
    origin!.feeds.close('alice', 'source', 'the broadcaster went home');
    await until('all feeds have ended', () => feeds.every(({ ended }) => ended !== undefined));
    for (const feed of feeds) {
      expect([feed.ended, feed.isCut, feed.next]).toEqual([
        'the broadcaster went home',
        false,
        live.feed.next,
      ]);
    }
    expect(a!.feed).toBeUndefined();
  });
});

describe('loops', () => {
  test('a server that is asked by one from which the feed comes refuses', async () => {
    const [origin, a, b] = await servers('o', 'a', 'b');
    const live = broadcastOn(origin!);
    a!.follow(origin!);
    b!.follow(a!);
    const [reader] = await readersOf(live, a!);
    a!.follow(b!);
    await until('the refusal is in the log', () =>
      a!.lines.some(({ fields }) => fields.code === 'relay_refused'),
    );
    expect(a!.lines.find(({ fields }) => fields.code === 'relay_refused')!.fields.reason).toBe(
      '409 the feed comes here by way of a: o > a > b',
    );
    await untilAt(a!, live.feed.next + 30);
    expect(a!.follows).toBe('o');
    expectWhole(reader!);
  });

  test('that form by simultaneous changes come undone by themselves', async () => {
    const [origin, a, b, d] = await servers('o', 'a', 'b', 'd');
    const live = broadcastOn(origin!);
    for (const server of [a!, b!, d!]) server.follow(origin!);
    const readers = await readersOf(live, a!, b!, d!);
    b!.follow(a!, origin!);
    d!.follow(b!, origin!);
    a!.follow(d!, origin!);
    await until('nobody is without the origin', () => {
      const lineages = [a!, b!, d!].map((server) => server.holdings.followed[0]!.relayed.lineage);
      return lineages.every(({ path, isFed }) => isFed && path[0] === 'o');
    });
    await untilAt(a!, live.feed.next + 60);
    await untilAt(d!, live.feed.next);
    for (const reader of readers) expectWhole(reader);
  });

  test('an island without the origin dissolves: who is below the break finds another way', async () => {
    const [origin, a, b, c] = await servers('o', 'a', 'b', 'c');
    const live = broadcastOn(origin!);
    const proxy = await TcpProxy.before(origin!.port);
    opened.push(proxy);
    a!.follow({ id: 'o', relayUrl: proxy.url });
    b!.follow(a!, origin!);
    c!.follow(b!, origin!);
    const readers = await readersOf(live, b!, c!);
    await proxy.cut();
    await until('b follows the origin', () => b!.follows === 'o');
    await untilAt(c!, live.feed.next + 30);
    expect(c!.follows).toBe('b');
    for (const reader of readers) expectWhole(reader);
  });
});

async function servers(...ids: string[]): Promise<RelayServer[]> {
  const started = await Promise.all(ids.map((id) => RelayServer.start(id)));
  opened.push(...started);
  return started;
}

function broadcastOn(server: RelayServer): LiveBroadcast {
  const live = new LiveBroadcast(server);
  opened.push(live);
  return live;
}

/** Readers that begin once all have caught up. */
async function readersOf(live: LiveBroadcast, ...readers: RelayServer[]): Promise<Reader[]> {
  const { next } = live.feed;
  const feeds = await Promise.all(readers.map((server) => untilAt(server, next)));
  return feeds.map((feed) => new Reader(feed));
}

function expectWhole(reader: Reader): void {
  expect(reader.faults).toBe(0);
}
