import { afterEach, describe, expect, test } from 'vitest';
import type { Feed } from '../../../network/feed/feed.ts';
import type { HoldingsOptions } from '../../../network/relay/holdings.ts';
import { LiveBroadcast, Reader, RelayServer, until, untilAt } from '../../tools/cluster/relay.ts';
import { Broadcaster } from '../../tools/media/feed.ts';

const opened: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
    else one[Symbol.dispose]();
  }
});

describe('the plan', () => {
  test('starts and stops feeds, and changes parents', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const b = await server('b', { lingerMs: 100 });
    const live = broadcastOn(origin);
    a.follow(origin);
    b.follow(origin);
    const feed = await untilAt(b, live.feed.next);
    b.follow(a);
    await until('b follows a', () => b.follows === 'a');
    b.holdings.assign([]);
    await until('b has stopped', () => b.feed === undefined);
    expect([feed.ended, feed.isCut]).toEqual(['nobody needs it here', true]);
    expect(a.feed).toBeDefined();
  });

  test('leaves a feed alone that this server is the origin of', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const live = broadcastOn(origin);
    a.follow(origin);
    await untilAt(a, live.feed.next);
    origin.follow(a);
    await untilAt(a, live.feed.next + 20);
    expect([origin.feed, origin.holdings.followed]).toEqual([live.feed, []]);
  });

  test('that is the same again changes nothing', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const live = broadcastOn(origin);
    a.follow(origin);
    const feed = await untilAt(a, live.feed.next);
    for (let count = 0; count < 10; count++) a.follow(origin);
    expect([a.feed, a.lines.filter(({ message }) => message === 'following').length]).toEqual([feed, 1]);
  });
});

describe('the time that a copy takes', () => {
  test('is measured from when it is wanted until all that its parent had is here', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const live = broadcastOn(origin);
    expect(a.holdings.copyMs).toBe(0);
    a.follow(origin);
    await untilAt(a, live.feed.next);
    expect(a.holdings.copyMs).toBeGreaterThan(0);
    expect(await a.metrics.text()).toContain('headwater_relay_copy_duration_seconds_count 1');
  });

  test('has the search for a parent in it', async () => {
    const origin = await server('o');
    const live = broadcastOn(origin);
    const find: HoldingsOptions['find'] = () =>
      new Promise((resolve) => setTimeout(() => resolve([origin.parent]), 150));
    const edge = await server('e', { find });
    await edge.holdings.demand('alice', 'source');
    await untilAt(edge, live.feed.next);
    expect(edge.holdings.copyMs).toBeGreaterThan(140);
  });

  test('is not that for which a stream that begins has nothing to copy', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const broadcaster = new Broadcaster({}, origin.feeds.open('alice', 'source'));
    a.follow(origin);
    await until('a follows', () => a.follows === 'o');
    broadcaster.play(3);
    await untilAt(a, broadcaster.next - 1);
    expect(a.holdings.copyMs).toBe(0);
  });
});

describe('a demand', () => {
  test('of fifty at once makes one search and one follow, and gives all the feed with its first segment', async () => {
    const origin = await server('o');
    const live = broadcastOn(origin);
    let searches = 0;
    const find: HoldingsOptions['find'] = async () => {
      searches++;
      return [origin.parent];
    };
    const edge = await server('e', { find });
    const feeds = await Promise.all(
      Array.from({ length: 50 }, () => edge.holdings.demand('alice', 'source')),
    );
    expect(new Set(feeds)).toEqual(new Set([edge.feed]));
    expect(edge.feed!.newestStart()).toBeDefined();
    expect(searches).toBe(1);
    expect(await origin.metrics.text()).toContain('headwater_relay_children 1');
    await untilAt(edge, live.feed.next + 10);
  });

  test('for what nobody has is answered with nothing, at once', async () => {
    const edge = await server('e');
    expect(await edge.holdings.demand('alice', 'source')).toBeUndefined();
    expect(edge.holdings.followed).toEqual([]);
  });

  test('while the state can not be reached is answered with nothing, and said so', async () => {
    const edge = await server('e', { find: () => Promise.reject(new Error('no state')) });
    expect(await edge.holdings.demand('alice', 'source')).toBeUndefined();
    expect(edge.lines.map(({ fields }) => fields.reason)).toContain('no state');
  });

  test('waits for the first key frame of a stream that has just begun', async () => {
    const origin = await server('o');
    const feed = origin.feeds.open('alice', 'source');
    const edge = await server('e', { find: async () => [origin.parent] });
    const demanded = edge.holdings.demand('alice', 'source');
    await until('it follows', () => edge.follows === 'o');
    new Broadcaster({}, feed).frame();
    expect((await demanded)!.newestStart()!.sequence).toBe(1);
  });

  test('passes through servers that have not got it either', async () => {
    const origin = await server('o');
    broadcastOn(origin);
    const middle = await server('m', { find: async () => [origin.parent] });
    const edge = await server('e', { find: async () => [middle.parent] });
    const feed = await edge.holdings.demand('alice', 'source');
    expect(feed!.newestStart()).toBeDefined();
    expect(edge.holdings.followed[0]!.relayed.lineage.path).toEqual(['o', 'm', 'e']);
  });

  test('keeps its feed while somebody watches, and for the linger time', async () => {
    const origin = await server('o');
    const live = broadcastOn(origin);
    let viewers = 1;
    const options = { find: async () => [origin.parent], readersOf: () => viewers, lingerMs: 2_000 };
    const edge = await server('e', options);
    await edge.holdings.demand('alice', 'source');
    await new Promise((resolve) => setTimeout(resolve, 3_200));
    await untilAt(edge, live.feed.next - 1);
    viewers = 0;
    const leftAtMs = performance.now();
    await until('it has ended', () => edge.feed === undefined);
    expect(performance.now() - leftAtMs).toBeGreaterThan(900);
  });

  test.each([
    { what: 'that nobody makes any more', unmadeMs: 100, follows: [[]] },
    { what: 'that the plan wants no more', unmadeMs: 600_000, follows: [['480p30'], []] },
  ])('goes when it is a rung $what, though it is watched; a source stays', async ({ unmadeMs, follows }) => {
    const origin = await server('o');
    const find: HoldingsOptions['find'] = async () => [origin.parent];
    const edge = await server('e', { find, readersOf: () => 1, unmadeMs });
    const names = ['source', '480p30'];
    for (const name of names) {
      const { feed } = new Broadcaster().play(3);
      origin.feeds.put('alice', name, feed, 'replaced');
    }
    const [source, rung] = await Promise.all(names.map((name) => edge.holdings.demand('alice', name)));
    await origin.kill();
    for (const wanted of follows)
      edge.holdings.assign(
        wanted.map((rendition) => ({ stream: 'alice', rendition, parents: [origin.parent] })),
      );
    await until('the rung is gone', () => edge.feeds.get('alice', '480p30') === undefined);
    expect([rung!.ended, rung!.isCut]).toEqual(['nobody makes it any more', true]);
    expect(edge.feeds.get('alice', 'source')).toBe(source);
    expect(source!.ended).toBeUndefined();
  });

  test('finds another parent when those that were known are gone', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const live = broadcastOn(origin);
    a.follow(origin);
    let known = [a.parent];
    const edge = await server('e', { find: async () => known });
    await edge.holdings.demand('alice', 'source');
    const reader = new Reader(edge.feed!);
    known = [origin.parent];
    await a.kill();
    await until('it follows the origin', () => edge.follows === 'o');
    await untilAt(edge, live.feed.next + 20);
    expect(reader.faults).toBe(0);
  });
});

describe('a feed that can not go on', () => {
  test('is cut and begins anew under its name, and who reads it finds the new one', async () => {
    const origin = await server('o');
    const first = new Broadcaster({}, origin.feeds.open('alice', 'source')).play(3);
    const a = await server('a');
    a.follow(origin);
    const before = await untilAt(a, first.next - 1);
    const found: unknown[] = [];
    before.subscribe((chunk) => chunk ?? found.push(a.feed));
    const second = new Broadcaster({}, origin.feeds.open('alice', 'source'), {
      epoch: 200,
      msn: 50,
      discontinuitySequence: 1,
    }).play(3);
    const after = await until('there is a new feed', () => (a.feed !== before ? a.feed : undefined));
    await untilAt(a, second.next - 1);
    expect([before.isCut, found]).toEqual([true, [after]]);
    expect(after.at(after.first)).toMatchObject({ epoch: 200, msn: 50 });
    expect(await a.metrics.text()).toContain('headwater_relay_gaps_total 1');
  });

  test('because the server slept longer than the window begins anew at the newest segments', async () => {
    const origin = await server('o');
    const broadcaster = new Broadcaster({}, origin.feeds.open('alice', 'source')).play(3);
    const a = await server('a');
    a.follow(origin);
    const before = await untilAt(a, broadcaster.next - 1);
    a.follow({ id: 'nowhere', relayUrl: 'http://127.0.0.1:9' });
    const { port } = origin;
    await origin.kill();
    broadcaster.play(60);
    const again = await server('o');
    again.feeds.put('alice', 'source', broadcaster.feed, 'it moved');
    expect(port).not.toBe(again.port);
    a.follow(again);
    const after = await until('there is a new feed', () => (a.feed !== before ? a.feed : undefined));
    await untilAt(a, broadcaster.next - 1);
    expect(after.first).toBe(broadcaster.feed.segments.at(-3)!.sequence);
    expect(before.ended).toMatch(/gone/);
  });
});

describe('a stream whose origin dies', () => {
  test('goes on in the same feeds from a server that followed it and is its origin now', async () => {
    const [origin, a, b] = [await server('o'), await server('a'), await server('b')];
    const live = broadcastOn(origin);
    a.follow(origin, b);
    b.follow(a);
    const feeds = [await untilAt(a, live.feed.next), await untilAt(b, live.feed.next)];
    const readers = feeds.map((feed) => new Reader(feed));
    live[Symbol.dispose]();
    await untilAt(b, live.feed.next - 1);
    await origin.kill();
    const own = a.holdings.adopt('alice', 'source');
    const last = own.at(own.next - 1)!;
    expect(own).toBe(feeds[0]);
    playOn(own, last.epoch + 1);
    await untilAt(b, own.next - 1);
    expect([a.follows, b.follows, b.feed]).toEqual([undefined, 'a', feeds[1]]);
    expect(b.holdings.followed[0]!.relayed.lineage).toEqual({ path: ['a', 'b'], isFed: true });
    for (const reader of readers) expect(reader.faults).toBe(0);
  });

  test('who has chunks of it that the new origin never got is told of a gap', async () => {
    const [origin, a, b] = [await server('o'), await server('a'), await server('b')];
    const broadcaster = new Broadcaster({}, origin.feeds.open('alice', 'source')).play(3);
    for (const one of [a, b]) one.follow(origin);
    for (const one of [a, b]) await untilAt(one, broadcaster.next - 1);
    const own = a.holdings.adopt('alice', 'source');
    broadcaster.play(1);
    const before = await untilAt(b, broadcaster.next - 1);
    await origin.kill();
    playOn(own, 101);
    b.follow(a);
    const after = await until('there is a new feed', () => (b.feed !== before ? b.feed : undefined));
    await untilAt(b, own.next - 1);
    expect(
      Buffer.concat(after.wire(after.first, after.next)).equals(
        Buffer.concat(own.wire(after.first, own.next)),
      ),
    ).toBe(true);
  });

  test('a server that is no longer the origin follows the one that is', async () => {
    const [origin, a] = [await server('o'), await server('a')];
    const broadcaster = new Broadcaster({}, origin.feeds.open('alice', 'source')).play(3);
    a.follow(origin);
    await untilAt(a, broadcaster.next - 1);
    const own = a.holdings.adopt('alice', 'source');
    origin.holdings.release('alice', 'source', broadcaster.feed, [a.parent]);
    playOn(own, 101);
    const feed = await untilAt(origin, own.next - 1);
    expect([feed, origin.follows]).toEqual([broadcaster.feed, 'a']);
    expect(origin.holdings.followed[0]!.relayed.lineage).toEqual({ path: ['a', 'o'], isFed: true });
  });
});

async function server(id: string, options: Partial<HoldingsOptions> = {}): Promise<RelayServer> {
  const started = await RelayServer.start(id, options);
  opened.push(started);
  return started;
}

function broadcastOn(origin: RelayServer): LiveBroadcast {
  const live = new LiveBroadcast(origin);
  opened.push(live);
  return live;
}

/** Three seconds of another epoch behind what a feed has, as its new origin writes them. */
function playOn(feed: Feed, epoch: number): void {
  const { msn } = feed.at(feed.next - 1)!;
  const first = { epoch, msn: msn + 1, discontinuitySequence: 1, sequence: feed.next };
  new Broadcaster({}, feed, first).play(3);
}
