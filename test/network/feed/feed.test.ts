import { describe, expect, test } from 'vitest';
import { Feed } from '../../../network/feed/feed.ts';
import { Feeds } from '../../../network/feed/feeds.ts';
import type { Chunk } from '../../../network/media/chunk.ts';
import { SyntheticBroadcast } from '../../tools/viewers/progressive-feed.ts';

const joined = (views: readonly Uint8Array[]): Buffer => Buffer.concat(views);

describe('a feed', () => {
  test('lets a reader that throws hear no more; its writer and the other readers notice nothing', () => {
    const faults: unknown[] = [];
    const broadcast = new SyntheticBroadcast({}, new Feed({}, (error) => faults.push(error)));
    const heard: (number | undefined)[] = [];
    broadcast.feed.subscribe(() => {
      throw new Error('a mistake in one session');
    });
    broadcast.feed.subscribe((chunk) => heard.push(chunk?.sequence));
    broadcast.push(2);
    expect(heard).toEqual([1, 2]);
    expect(faults).toEqual([new Error('a mistake in one session')]);
  });

  test('gives the bytes of any run of chunks, as they were appended, in few views', () => {
    const broadcast = new SyntheticBroadcast();
    broadcast.push(500);
    const { feed, chunks } = broadcast;
    for (const [from, to] of [
      [feed.first, feed.next],
      [200, 201],
      [123, 456],
    ] as const) {
      const wanted = joined(
        chunks.filter(({ sequence }) => sequence >= from && sequence < to).map(({ bytes }) => bytes),
      );
      expect(joined(feed.bytes(from, to)).equals(wanted)).toBe(true);
    }
    expect(feed.bytes(200, 300).length).toBeLessThanOrEqual(2);
    expect(feed.bytes(7, 7)).toEqual([]);
  });

  test('keeps bytes that were written into its room where they are, beside those that it copies', () => {
    const feed = new Feed();
    const broadcast = new SyntheticBroadcast();
    broadcast.push(300);
    for (const chunk of broadcast.chunks) {
      if (chunk.startsEpoch) feed.begin(broadcast.feed.initOf(chunk.epoch)!);
      const isWritten = chunk.sequence % 3 > 0;
      const room = isWritten ? feed.reserve(chunk.bytes.length) : chunk.bytes;
      if (isWritten) room.set(chunk.bytes);
      feed.append({ ...chunk, bytes: room });
      const held = feed.at(chunk.sequence)!.bytes;
      expect(held.buffer === room.buffer).toBe(isWritten);
    }
    const all = joined(broadcast.chunks.map(({ bytes }) => bytes));
    expect(joined(feed.bytes(feed.first, feed.next)).equals(all)).toBe(true);
  });

  test('on the wire has each init before the first chunk of its epoch', () => {
    const broadcast = new SyntheticBroadcast();
    broadcast.push(20);
    const second = broadcast.feed.next;
    const firstInit = broadcast.init;
    broadcast.restart();
    broadcast.push(20);
    const { feed } = broadcast;
    const wanted = [
      firstInit.bytes,
      ...feed.bytes(1, second),
      broadcast.init.bytes,
      ...feed.bytes(second, feed.next),
    ];
    expect(joined(feed.wire(1, feed.next)).equals(joined(wanted))).toBe(true);
    expect(joined(feed.wire(2, second)).equals(joined(feed.bytes(2, second)))).toBe(true);
  });

  test('keeps its window in whole segments and forgets what lies behind it', () => {
    const broadcast = new SyntheticBroadcast({ gop: 25 }, new Feed({ windowMs: 4_000, minSegments: 2 }));
    broadcast.push(25 * 60);
    const { feed } = broadcast;
    expect(feed.heldMs).toBeGreaterThanOrEqual(4_000);
    expect(feed.heldMs).toBeLessThan(6_000);
    expect(feed.at(feed.first)?.startsSegment).toBe(true);
    expect(feed.segments[0]?.sequence).toBe(feed.first);
    expect(feed.at(feed.first - 1)).toBeUndefined();
    expect(feed.at(feed.next)).toBeUndefined();
    expect(() => feed.bytes(feed.first - 1, feed.next)).toThrow(/not in the window/);
    const held = broadcast.chunks.filter(({ sequence }) => sequence >= feed.first);
    expect(feed.bytesHeld).toBe(held.reduce((sum, { bytes }) => sum + bytes.length, 0));
  });

  test('keeps enough segments to play when they are longer than the window', () => {
    const broadcast = new SyntheticBroadcast({ gop: 250 }, new Feed({ windowMs: 4_000, minSegments: 6 }));
    broadcast.push(250 * 10);
    expect(broadcast.feed.segments.length).toBe(6);
  });

  test('never keeps more bytes than its bound, whatever the times say', () => {
    const limits = { windowMs: 600_000, minSegments: 100, maxBytes: 1_000_000 };
    const broadcast = new SyntheticBroadcast({ gop: 5, frameBytes: 10_000 }, new Feed(limits));
    broadcast.push(1_000);
    expect(broadcast.feed.bytesHeld).toBeLessThan(1_000_000 + 6 * 11_000);
  });

  test('forgets an init with the last chunk of its epoch', () => {
    const broadcast = new SyntheticBroadcast({ gop: 25 }, new Feed({ windowMs: 2_000, minSegments: 2 }));
    broadcast.push(50);
    const [{ epoch }] = broadcast.chunks as [Chunk];
    expect(broadcast.feed.initOf(epoch)).toBeDefined();
    broadcast.restart();
    broadcast.push(25 * 10);
    expect(broadcast.feed.initOf(epoch)).toBeUndefined();
  });

  test('offers the newest segment that begins with a key frame to begin at', () => {
    const broadcast = new SyntheticBroadcast({ gop: 10 });
    expect(broadcast.feed.newestStart()).toBeUndefined();
    broadcast.push(35);
    const start = broadcast.feed.newestStart()!;
    expect([start.keyframe, start.startsSegment]).toEqual([true, true]);
    expect(broadcast.feed.segments.at(-1)?.sequence).toBe(start.sequence);
  });

  test('tells every listener of each chunk once and in order, then of the end', () => {
    const broadcast = new SyntheticBroadcast();
    const seen: (number | undefined)[] = [];
    const unsubscribe = broadcast.feed.subscribe((chunk) => seen.push(chunk?.sequence));
    const left: unknown[] = [];
    broadcast.feed.subscribe((chunk) => left.push(chunk))();
    broadcast.push(3);
    broadcast.feed.end('over');
    unsubscribe();
    expect(seen).toEqual([...broadcast.chunks.map(({ sequence }) => sequence), undefined]);
    expect(left).toEqual([]);
    expect(broadcast.feed.ended).toBe('over');
  });

  test('may begin at any segment, with the init of the epoch that it is in', () => {
    const broadcast = new SyntheticBroadcast();
    broadcast.push(25);
    const feed = new Feed();
    const start = broadcast.chunks[10]!;
    feed.begin(broadcast.init);
    expect(() => feed.append(broadcast.chunks[11]!)).toThrow(/begins with a segment/);
    for (const chunk of broadcast.chunks.slice(10)) feed.append(chunk);
    expect([feed.first, feed.next]).toEqual([start.sequence, broadcast.feed.next]);
    expect(feed.initOf(start.epoch)).toEqual(broadcast.init);
    expect(() => new Feed().append(start)).toThrow(/no init/);
  });

  test('that is cut ends too, and says that the stream goes on elsewhere', () => {
    const [cut, over] = [new Feed(), new Feed()];
    const seen: unknown[] = [];
    cut.subscribe((chunk) => seen.push(chunk));
    cut.cut('moved');
    over.end('over');
    over.cut('moved');
    expect([cut.ended, cut.isCut, seen]).toEqual(['moved', true, [undefined]]);
    expect([over.ended, over.isCut]).toEqual(['over', false]);
  });

  test('refuses what a writer must not do', () => {
    const broadcast = new SyntheticBroadcast();
    broadcast.push(3);
    const { feed, chunks } = broadcast;
    const last = chunks.at(-1)!;
    expect(() => feed.append(last)).toThrow(/belongs/);
    expect(() => feed.append({ ...last, sequence: last.sequence + 2 })).toThrow(/belongs/);
    expect(() => feed.append({ ...last, sequence: last.sequence + 1, epoch: last.epoch + 1 })).toThrow(
      /no init/,
    );
    feed.end('over');
    expect(() => feed.append({ ...last, sequence: last.sequence + 1 })).toThrow(/end/);
  });
});

describe('the feeds of a process', () => {
  test('are found by stream and rendition until they are closed', () => {
    const feeds = new Feeds();
    const feed = feeds.open('alice', 'source');
    expect(feeds.get('alice', 'source')).toBe(feed);
    expect(feeds.get('alice', '720p')).toBeUndefined();
    feeds.close('alice', 'source', 'over');
    expect(feeds.get('alice', 'source')).toBeUndefined();
    expect([...feeds.all()]).toEqual([]);
    expect(feed.ended).toBe('over');
  });

  test('who reads a feed that is replaced or dropped is told once the name says what is now', () => {
    const feeds = new Feeds();
    const found: unknown[] = [];
    const look = (): unknown => found.push(feeds.get('alice', 'source'));
    feeds.open('alice', 'source').subscribe(look);
    const second = feeds.open('alice', 'source');
    second.subscribe(look);
    feeds.drop('alice', 'source', 'moved');
    expect(found).toEqual([second, undefined]);
    expect([second.ended, second.isCut]).toEqual(['moved', true]);
  });

  test('opening a name again ends the feed that had it', () => {
    const feeds = new Feeds();
    const first = feeds.open('alice', 'source');
    const second = feeds.open('alice', 'source');
    expect([first.ended, first.isCut]).toEqual(['replaced', true]);
    expect(feeds.get('alice', 'source')).toBe(second);
  });
});
