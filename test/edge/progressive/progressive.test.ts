import { PassThrough } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test, vi } from 'vitest';
import { beatMsFor, slotsOf } from '../../../edge/progressive/beat.ts';
import { PATIENCE_MS } from '../../../edge/progressive/cursor.ts';
import { MAX_LAG_MS } from '../../../edge/progressive/fanout.ts';
import { SOURCE } from '../../../network/feed/feeds.ts';
import { Splitter } from '../../../network/media/splitter.ts';
import { readSignal, writeSignal } from '../../../network/relay/signal.ts';
import { FRAME_MS } from '../../tools/viewers/progressive-feed.ts';
import { ProgressiveServer } from '../../tools/viewers/progressive-server.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitUntil } from '../../tools/world/wait.ts';

describe('a viewer', () => {
  test('gets the init, the newest key frame and every chunk after it, byte for byte', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(25);
    const viewer = server.view();
    const start = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(21)]);
    expect(await viewer.bodyOf(start.length)).toEqual(start);
    expect(viewer.status).toBe(200);
    expect(viewer.header('headwater-sequence')).toBe('21');
    expect(viewer.header('content-type')).toBe('video/mp4');
    expect(viewer.header('transfer-encoding')).toBeUndefined();
    expect(viewer.header('access-control-expose-headers')).toContain('Headwater-Sequence');
    for (let pushed = 0; pushed < 30; pushed++) {
      broadcast.push();
      const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(21)]);
      expect(await viewer.bodyOf(whole.length)).toEqual(whole);
    }
    expect(await server.counted('headwater_progressive_sent_bytes_total')).toBe(
      viewer.body.length - broadcast.init.bytes.length,
    );
  });

  test('gets the init of a new epoch before its first chunk', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewer = server.view();
    const before = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    await viewer.bodyOf(before.length);
    broadcast.restart();
    broadcast.push(3);
    const whole = Buffer.concat([before, broadcast.init.bytes, broadcast.bytesFrom(11)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
  });

  test('who comes before the first key frame waits for it', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    const waiting = vi.spyOn(broadcast.feed, 'subscribe');
    const viewer = server.view();
    await waitUntil(() => waiting.mock.calls.length === 1);
    broadcast.push(2);
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
  });

  test('gets what is left of a feed that ends, and then the end', async () => {
    await using server = await ProgressiveServer.start({ beatMs: 1000 });
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewer = server.view();
    await viewer.bodyOf(broadcast.init.bytes.length);
    broadcast.push(5);
    server.feeds.close('alice', SOURCE, 'the broadcaster left');
    await viewer.closed;
    expect(viewer.body).toEqual(Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]));
    expect(server.sessions.count).toBe(0);
  });

  test.each([
    ['HTTP/1.1 HEAD', 'HEAD', 'HTTP/1.1'],
    ['HTTP/1.0 HEAD', 'HEAD', 'HTTP/1.0'],
  ])('%s gets the head alone', async (_, method, version) => {
    await using server = await ProgressiveServer.start();
    server.broadcast().push(10);
    const viewer = server.ask(`${method} ${server.path()} ${version}\r\nHost: test\r\n\r\n`);
    await viewer.closed;
    expect([viewer.status, viewer.header('headwater-sequence'), viewer.body.length]).toEqual([200, '1', 0]);
  });

  test('of HTTP/1.0 is sent the same bytes', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewer = server.ask(`GET ${server.path()} HTTP/1.0\r\n\r\n`);
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
  });

  test('who sends more requests behind the endless one is sent nothing else, and they are not read', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewer = server.view();
    const start = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    await viewer.bodyOf(start.length);
    for (let sent = 0; sent < 1000; sent++)
      viewer.socket.write(`GET ${server.path()} HTTP/1.1\r\nHost: test\r\n\r\n`);
    broadcast.push(100);
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
    expect(server.sessions.count).toBe(1);
    viewer.socket.destroy();
    await waitUntil(() => server.sessions.count === 0);
    expect(await server.counted('headwater_http_requests_total')).toBe(1);
  });
});

describe('refused is', () => {
  test.each([
    ['a stream that is not there', {}, 404, "the stream 'alice' has no rendition 'source' here"],
    [
      'a token that has expired',
      { expiresAtMs: 1_000_000_000_000 },
      403,
      'the token expired at 2001-09-09T01:46:40.000Z',
    ],
    ['a token for another stream', { stream: 'bob' }, 403, "the token is not for playing 'alice'"],
  ])('%s', async (_, grant, status, detail) => {
    await using server = await ProgressiveServer.start();
    const response = await fetch(server.url('', grant));
    expect(await response.json()).toMatchObject({ status, detail });
  });

  test('a feed in which no key frame comes in time', async () => {
    const clock = new ManualClock();
    await using server = await ProgressiveServer.start({ clock });
    server.broadcast();
    const answer = fetch(server.url());
    await waitUntil(() => clock.pending > 0);
    clock.advance(5000);
    expect(await (await answer).json()).toMatchObject({
      status: 404,
      detail: 'the stream has nothing to begin with: no key frame came within 5000 ms',
    });
    await waitUntil(() => server.sessions.count === 0);
  });

  test('a connection more than a session may have, and more viewers than the server takes', async () => {
    await using server = await ProgressiveServer.start({ limits: { connectionsPerSession: 2, viewers: 3 } });
    server.broadcast().push(10);
    const watching = ['ann', 'ann', 'ben'].map((session) => server.view('', { session }));
    await waitUntil(() => server.sessions.count === 3);
    const full = await fetch(server.url('', { session: 'cleo' }));
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '5']);
    watching[2]!.socket.destroy();
    await waitUntil(() => server.sessions.count === 2);
    const tooMany = await fetch(server.url('', { session: 'ann' }));
    expect(tooMany.status).toBe(429);
    expect(await tooMany.json()).toMatchObject({ detail: expect.stringContaining('2 connections') });
  });
});

describe('resuming', () => {
  test('on another server loses no byte and repeats none', async () => {
    await using one = await ProgressiveServer.start();
    await using other = await ProgressiveServer.start();
    const [source, copy] = [one.broadcast(), other.broadcast()];
    const push = (frames: number): void => {
      source.push(frames);
      copy.push(frames);
    };
    push(33);
    const before = one.view();
    await before.bodyOf(source.init.bytes.length + source.bytesFrom(31).length);
    one.feeds.close('alice', SOURCE, 'drained');
    await before.closed;
    copy.push(4);
    const after = other.view(`?from=${before.contents.sequences.at(-1)! + 1}`);
    copy.push(20);
    const rest = copy.bytesFrom(34);
    expect(await after.bodyOf(rest.length)).toEqual(rest);
    expect(after.header('headwater-sequence')).toBe('34');
    expect(Buffer.concat([before.body, after.body])).toEqual(
      Buffer.concat([copy.init.bytes, copy.bytesFrom(31)]),
    );
  });

  test('waits for a chunk that is about to come', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(15);
    const viewer = server.view('?from=20');
    await waitUntil(() => viewer.status === 200);
    broadcast.push(6);
    const rest = broadcast.bytesFrom(20);
    expect(await viewer.bodyOf(rest.length)).toEqual(rest);
    expect(viewer.header('headwater-sequence')).toBe('20');
  });

  test('at a key frame is given the init again, as a viewer may begin there', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast();
    broadcast.push(25);
    const viewer = server.view('?from=11');
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(11)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
  });

  test('from behind the window goes on with the newest key frame, and says so', async () => {
    await using server = await ProgressiveServer.start({ window: { windowMs: 1000, minSegments: 2 } });
    const broadcast = server.broadcast();
    broadcast.push(105);
    const viewer = server.view('?from=17');
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(101)]);
    expect(await viewer.bodyOf(whole.length)).toEqual(whole);
    expect(viewer.header('headwater-sequence')).toBe('101');
  });

  test.each([
    ['?from=9999', 'chunk 9999 is more than 400 ahead of the window, which is 1 to 25'],
    ['?from=-1', "from='-1' is not the sequence number of a chunk"],
    ['?from=new', "from='new' is not the sequence number of a chunk"],
    ['?from=', "from='' is not the sequence number of a chunk"],
  ])('with %s is refused in words', async (query, detail) => {
    await using server = await ProgressiveServer.start();
    server.broadcast().push(25);
    const response = await fetch(server.url(query));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ status: 400, detail });
    await waitUntil(() => server.sessions.count === 0);
  });
});

describe('a server that is being emptied', () => {
  test('says so to its viewers between two chunks, at any beat, and plays on for them', async () => {
    for (const beatMs of [0, 20]) {
      await using server = await ProgressiveServer.start({ beatMs });
      const broadcast = server.broadcast();
      broadcast.push(10);
      const viewer = server.view();
      await viewer.bodyOf(broadcast.init.bytes.length + 1);
      server.audience.tell({ kind: 'move' });
      broadcast.push(10);
      const signal = Buffer.from(writeSignal({ kind: 'move' }));
      await viewer.bodyOf(broadcast.init.bytes.length + broadcast.bytesFrom(1).length + signal.length);
      const { types, sequences } = viewer.contents;
      expect(types.filter((type) => type === 'free')).toHaveLength(1);
      expect(sequences).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      const pieces = [...new Splitter().push(viewer.body)];
      expect(pieces.flatMap((piece) => (piece.kind === 'signal' ? [readSignal(piece.bytes)] : []))).toEqual([
        { kind: 'move' },
      ]);
    }
  });

  test('sends whoever comes to the server that has the viewers next', async () => {
    await using server = await ProgressiveServer.start();
    server.broadcast().push(10);
    server.successor = { id: 'b', mediaUrl: 'https://b.example/media' };
    const path = server.path('?from=7');
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { redirect: 'manual' });
    expect(answer.status).toBe(307);
    expect(answer.headers.get('location')).toBe(`https://b.example/media${path}`);
  });
});

describe('many viewers', () => {
  test.each([0, 20])('two hundred get identical bytes at a beat of %d ms', async (beatMs) => {
    await using server = await ProgressiveServer.start({ beatMs });
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewers = Array.from({ length: 200 }, () => server.view());
    const start = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    await Promise.all(viewers.map((viewer) => viewer.bodyOf(start.length)));
    expect(server.sessions.viewers.of('alice', 'source')).toBe(200);
    for (let turn = 0; turn < 50; turn++) {
      broadcast.push(3);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    for (const viewer of viewers) expect((await viewer.bodyOf(whole.length)).equals(whole)).toBe(true);
    expect(await server.counted('headwater_viewers')).toBe(200);
    for (const viewer of viewers) viewer.socket.resetAndDestroy();
    await waitUntil(() => server.sessions.count === 0);
  });

  test('who come and go in storms leave nothing behind', async () => {
    const clock = new ManualClock();
    await using server = await ProgressiveServer.start({ clock });
    const broadcast = server.broadcast();
    broadcast.push(10);
    for (let storm = 0; storm < 3; storm++) {
      const viewers = Array.from({ length: 100 }, () => server.view());
      await waitUntil(() => server.sessions.count > 50);
      viewers.forEach((viewer, index) => {
        if (index % 2 === 0) viewer.socket.resetAndDestroy();
        else viewer.socket.end();
        broadcast.push();
      });
      await Promise.all(viewers.map((viewer) => viewer.closed));
      await waitUntil(() => server.sessions.count === 0);
    }
    expect([...server.sessions.list()]).toEqual([]);
    clock.advance(1000);
    expect(clock.pending).toBe(0);
    const viewer = server.view();
    await viewer.bodyOf(broadcast.init.bytes.length + 1);
  });
});

describe('a slow viewer', () => {
  const frameBytes = 60_000;

  /** Pushes until the connection of a viewer that does not read is full. */
  async function fill(server: ProgressiveServer, push: () => void): Promise<void> {
    while ((await server.counted('headwater_progressive_skips_total')) === 0) push();
  }

  test('goes on with the newest key frame, between two chunks', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast('alice', { frameBytes });
    broadcast.push(10);
    const viewer = server.view();
    await viewer.bodyOf(1);
    viewer.pause();
    await fill(server, () => broadcast.push());
    broadcast.push(10 + MAX_LAG_MS / FRAME_MS);
    viewer.resume();
    await waitUntil(async () => (await server.counted('headwater_progressive_jumps_total')) === 1);
    server.feeds.close('alice', SOURCE, 'over');
    await viewer.closed;
    const { sequences, types } = viewer.contents;
    const gaps = sequences.filter((sequence, index) => index > 0 && sequence !== sequences[index - 1]! + 1);
    expect(gaps).toEqual([broadcast.feed.newestStart()!.sequence]);
    expect(sequences.at(-1)).toBe(broadcast.feed.next - 1);
    expect(types.filter((type) => type === 'moov').length).toBe(2);
  });

  test('who catches up within a few seconds loses nothing', async () => {
    await using server = await ProgressiveServer.start();
    const broadcast = server.broadcast('alice', { frameBytes });
    broadcast.push(10);
    const viewer = server.view();
    await viewer.bodyOf(1);
    viewer.pause();
    await fill(server, () => broadcast.push());
    broadcast.push(20);
    viewer.resume();
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    expect((await viewer.bodyOf(whole.length)).equals(whole)).toBe(true);
    expect(await server.counted('headwater_progressive_jumps_total')).toBe(0);
  });

  test('who does not read at all costs no memory and is let go', async () => {
    const clock = new ManualClock();
    await using server = await ProgressiveServer.start({ clock, window: { windowMs: 1000, minSegments: 2 } });
    const broadcast = server.broadcast('alice', { frameBytes, keeps: false });
    broadcast.push(10);
    const viewer = server.view();
    await viewer.bodyOf(1);
    viewer.pause();
    await fill(server, () => broadcast.push());
    broadcast.push(200);
    const before = bytesInUse();
    for (let turn = 0; turn < 20; turn++) {
      broadcast.push(200);
      await new Promise(setImmediate);
    }
    const written = 4000 * frameBytes;
    await waitUntil(() => bytesInUse() - before < written / 50);
    expect(server.sessions.count).toBe(1);
    clock.advance(PATIENCE_MS);
    await waitUntil(() => server.sessions.count === 0);
    expect(await server.counted('headwater_progressive_let_go_total')).toBe(1);
    expect(clock.pending).toBe(0);
    viewer.resume();
    await viewer.closed;
  });
});

describe('the beat', () => {
  test.each([
    [1, 0],
    [100, 0],
    [101, 33],
    [1000, 33],
    [1001, 100],
    [20_000, 100],
  ])('for %d viewers is %d ms', (viewers, ms) => {
    expect(beatMsFor(viewers)).toBe(ms);
  });

  test.each([
    [33, 2],
    [100, 5],
    [350, 18],
    [2, 1],
  ])('of %d ms has %d slots', (ms, slots) => {
    expect(slotsOf(ms)).toBe(slots);
  });

  test('grows with the viewers of the process and shrinks when they leave', async () => {
    const clock = new ManualClock();
    await using server = await ProgressiveServer.start({ clock });
    const broadcast = server.broadcast();
    broadcast.push(10);
    const viewers = Array.from({ length: 110 }, () => server.view());
    const start = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    await Promise.all(viewers.map((viewer) => viewer.bodyOf(start.length)));
    expect(await server.counted('headwater_progressive_beat_seconds')).toBe(0.033);
    broadcast.push(2);
    clock.advance(33);
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    await Promise.all(viewers.map((viewer) => viewer.bodyOf(whole.length)));
    for (const viewer of viewers.slice(1)) viewer.socket.destroy();
    await waitUntil(() => server.sessions.count === 1);
    clock.advance(33);
    expect(await server.counted('headwater_progressive_beat_seconds')).toBe(0);
  });
});

/** Memory outside and inside the heap after a collection; buffers are given back some moments after it. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('a mistake in writing to one viewer', () => {
  test.each([0, 33])('closes his connection alone, with a beat of %i ms', async (beatMs) => {
    await using server = await ProgressiveServer.start({ beatMs });
    const broadcast = server.broadcast();
    broadcast.push(10);
    const victim = new PassThrough();
    const write = vi.spyOn(victim, 'write');
    server.audience.seat(broadcast.feed, victim, { sequence: 11, opening: undefined });
    const other = server.view();
    await other.bodyOf(broadcast.init.bytes.length);
    write.mockImplementation(() => {
      throw new Error('a mistake');
    });
    broadcast.push(10);
    const whole = Buffer.concat([broadcast.init.bytes, broadcast.bytesFrom(1)]);
    expect(await other.bodyOf(whole.length)).toEqual(whole);
    expect(victim.destroyed).toBe(true);
    expect(server.logger.lines.map(({ message }) => message)).toContain(
      'writing to a progressive viewer failed',
    );
  });
});
