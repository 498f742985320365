import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { Authorise } from '../../../edge/access.ts';
import { hlsRoutes } from '../../../edge/hls/hls.ts';
import { Sessions } from '../../../edge/sessions/sessions.ts';
import { type Clock, systemClock } from '../../../network/clock.ts';
import { Feeds, SOURCE } from '../../../network/feed/feeds.ts';
import { sendProblem } from '../../../network/http/answers.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { readInit } from '../../../network/media/init.ts';
import { Metrics } from '../../../network/metrics.ts';
import type { Successor } from '../../../network/state/state.ts';
import { commitmentsOf, freeOutflow } from '../../tools/cluster/commitments.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';
import { type Broadcast, Broadcaster } from '../../tools/media/feed.ts';
import { readPlaylist } from '../../tools/viewers/read-playlist.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

/** A media listener that delivers HLS to everybody whose token is not `refused`. */
class HlsServer {
  readonly feeds = new Feeds();
  readonly metrics = new Metrics();
  successor: Successor | undefined;
  #server: HttpServer | undefined;

  static async start(clock: Clock): Promise<HlsServer> {
    const server = new HlsServer();
    const { feeds, metrics } = server;
    const commitments = commitmentsOf(100, 4);
    const isDraining = (): boolean => server.successor !== undefined;
    const { hls } = new Sessions({ clock, logger: keepingLogger(), metrics, commitments, isDraining });
    server.#server = await serveRoutes(
      hlsRoutes({
        feeds,
        demand: async () => undefined,
        clock,
        metrics,
        authorise,
        sessions: hls,
        successorOf: () => server.successor,
        outflow: freeOutflow(),
      }),
    );
    return server;
  }

  get port(): number {
    return this.#server!.port;
  }

  broadcast(broadcast: Partial<Broadcast> = {}): Broadcaster {
    return new Broadcaster(broadcast, this.feeds.open('alice', SOURCE));
  }

  get(name: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.port}/play/token/alice/source/${name}`, init);
  }

  async text(name: string): Promise<string> {
    const response = await this.get(name);
    expect(response.status).toBe(200);
    return response.text();
  }

  /** The sum of a metric over those of its labels that contain some words. */
  async counted(metric: string, words = ''): Promise<number> {
    const lines = (await this.metrics.text()).split('\n');
    const values = lines.filter((line) => line.split(/[{ ]/)[0] === metric && line.includes(words));
    return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** Resolves when so many requests wait. */
  async waiting(count: number): Promise<void> {
    await waitFor(async () => expect(await this.counted('headwater_hls_waiting_requests')).toBe(count));
  }

  async close(): Promise<void> {
    this.feeds.close('alice', SOURCE, 'the test is over');
    await this.#server!.close();
  }
}

const authorise: Authorise = (exchange) => {
  const { token = '', stream = '', rendition = '' } = exchange.params;
  if (token !== 'refused')
    return { session: token, stream, rendition, expiresAtMs: Number.POSITIVE_INFINITY };
  sendProblem(exchange, 403, 'Forbidden', 'not with this token');
  return undefined;
};

let server: HlsServer;
let clock: ManualClock;
afterEach(() => server.close());

async function setUp(): Promise<void> {
  clock = new ManualClock();
  server = await HlsServer.start(clock);
}

async function detailOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return ((await response.json()) as { detail: string }).detail;
}

describe('the first playlist', () => {
  test('is held until a segment has closed', async () => {
    await setUp();
    const broadcaster = server.broadcast();
    const answer = server.get('index.m3u8');
    await server.waiting(1);
    broadcaster.play(1);
    await server.waiting(1);
    broadcaster.frame();
    const response = await answer;
    expect(response.status).toBe(200);
    expect(readPlaylist(await response.text()).segments.map(({ uri }) => uri)).toEqual(['100/0.m4s']);
  });

  test('is 404 when no segment closes in ten seconds, so that players leave at once', async () => {
    await setUp();
    server.broadcast().frame();
    const answer = server.get('index.m3u8');
    await server.waiting(1);
    clock.advance(9900);
    await server.waiting(1);
    clock.advance(100);
    const response = await answer;
    expect(response.status).toBe(404);
    expect(await detailOf(response)).toContain('no whole segment');
  });

  test('is of what there was when the stream ends meanwhile', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(0.5);
    const answer = server.get('index.m3u8');
    await server.waiting(1);
    broadcaster.end();
    expect(await (await answer).text()).toContain('#EXT-X-ENDLIST');
  });

  test('says what it is, for how long, and to whom', async () => {
    await setUp();
    server.broadcast({ gopS: 4 }).play(5);
    const { status, headers } = await server.get('index.m3u8');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('application/vnd.apple.mpegurl');
    expect(headers.get('cache-control')).toBe('max-age=2');
    expect(headers.get('vary')).toBe('Accept-Encoding');
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });

  test('of segments of a second is kept by caches that many ask, and by nobody else', async () => {
    await setUp();
    server.broadcast({ gopS: 1 }).play(2.5);
    const { headers } = await server.get('index.m3u8');
    expect(headers.get('cache-control')).toBe('max-age=0, s-maxage=1');
  });
});

describe('a blocking reload', () => {
  test('is answered the moment the part is whole, with the playlist that holds it', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    const answer = server.get('index.m3u8?_HLS_msn=2&_HLS_part=2');
    await server.waiting(1);
    broadcaster.play(0.1);
    await server.waiting(1);
    broadcaster.frame();
    const response = await answer;
    expect(response.headers.get('cache-control')).toBe('max-age=6');
    const { segments, hints } = readPlaylist(await response.text());
    expect(segments.at(-1)!.parts.at(-1)!.uri).toBe('100/2.2.m4s');
    expect(hints).toEqual(['100/2.3.m4s']);
  });

  test.each(['_HLS_msn=2&_HLS_part=1', '_HLS_msn=1', '_HLS_msn=0&_HLS_part=4', '_HLS_msn=0'])(
    'is answered at once for %s, which is there',
    async (query) => {
      await setUp();
      server.broadcast().play(2.5);
      expect((await server.get(`index.m3u8?${query}`)).status).toBe(200);
    },
  );

  test('for a part beyond the last of its segment waits for part 0 of the next', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.9);
    const answer = server.get('index.m3u8?_HLS_msn=2&_HLS_part=5');
    await server.waiting(1);
    broadcaster.play(0.2);
    await server.waiting(1);
    broadcaster.play(0.2);
    const { segments } = readPlaylist(await (await answer).text());
    expect(segments.at(-1)).toMatchObject({ msn: 3, uri: undefined });
  });

  test('for a segment waits until it has closed', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    const answer = server.get('index.m3u8?_HLS_msn=2');
    await server.waiting(1);
    broadcaster.play(0.5);
    await server.waiting(1);
    broadcaster.frame();
    expect(await (await answer).text()).toContain('100/2.m4s');
  });

  test('goes on across a new epoch', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    const answer = server.get('index.m3u8?_HLS_msn=3&_HLS_part=0');
    await server.waiting(1);
    broadcaster.restart({ width: 480 }).play(0.3);
    const { segments } = readPlaylist(await (await answer).text());
    expect(segments.map(({ uri }) => uri)).toEqual(['100/0.m4s', '100/1.m4s', '100/2.m4s', undefined]);
    expect(segments.at(-1)!.parts.map(({ uri }) => uri)).toEqual(['101/3.0.m4s']);
  });

  test.each([
    ['_HLS_part=1', '_HLS_part=1 without _HLS_msn'],
    ['_HLS_msn=abc', "_HLS_msn='abc' is not a decimal integer"],
    ['_HLS_msn=', "_HLS_msn='' is not a decimal integer"],
    ['_HLS_msn=-1', "_HLS_msn='-1' is not a decimal integer"],
    ['_HLS_msn=1e3', "_HLS_msn='1e3' is not a decimal integer"],
    ['_HLS_msn=99999999999', 'of up to 10 digits'],
    ['_HLS_msn=2&_HLS_part=1.5', "_HLS_part='1.5' is not a decimal integer"],
    ['_HLS_msn=4', '_HLS_msn=4 is more than two beyond segment 1'],
    ['_HLS_msn=2&_HLS_part=16', '_HLS_part=16 of segment 2 is more than 14 beyond part 1'],
    ['_HLS_msn=3&_HLS_part=14', '_HLS_part=14 of segment 3 is more than 14 beyond part -1'],
  ])('with %s is 400 and says why', async (query, words) => {
    await setUp();
    server.broadcast().play(2.5);
    const response = await server.get(`index.m3u8?${query}`);
    expect(response.status).toBe(400);
    expect(await detailOf(response)).toContain(words);
  });

  test('when the broadcaster is silent gets the unchanged playlist before players give the server up', async () => {
    await setUp();
    const broadcaster = server.broadcast({ gopS: 2 }).play(4.5);
    const before = await server.text('index.m3u8');
    const answer = server.get('index.m3u8?_HLS_msn=2&_HLS_part=2');
    await server.waiting(1);
    clock.advance(900);
    await server.waiting(1);
    clock.advance(200);
    const response = await answer;
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toBe(before);
    const again = server.get('index.m3u8?_HLS_msn=2&_HLS_part=2');
    await server.waiting(1);
    broadcaster.play(0.2);
    expect(await (await again).text()).toContain('100/2.2.m4s');
  });

  test('is 503 after three target durations of parts that do not get there', async () => {
    await setUp();
    const broadcaster = server.broadcast({ gopS: 1 }).play(1.1).restart({ gopS: 60, cutS: 60 }).play(0.1);
    const answer = server.get('index.m3u8?_HLS_msn=2');
    await server.waiting(1);
    for (let part = 0; part < 15; part++) {
      broadcaster.play(0.2);
      clock.advance(200);
    }
    const response = await answer;
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await detailOf(response)).toContain('three target durations');
  });

  test('of a client that went away is forgotten', async () => {
    await setUp();
    server.broadcast().play(2.5);
    const client = new AbortController();
    const answer = server.get('index.m3u8?_HLS_msn=2&_HLS_part=3', { signal: client.signal });
    await server.waiting(1);
    const sinceMs = clock.now();
    client.abort();
    await expect(answer).rejects.toThrow();
    await waitFor(async () => {
      clock.advance(1);
      expect(await server.counted('headwater_hls_waiting_requests')).toBe(0);
    });
    expect(clock.now() - sinceMs, 'it would not have waited any longer').toBeLessThan(480);
  });
});

describe('a delta update', () => {
  test('and the playlist before it make the playlist', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(40.5);
    const before = readPlaylist(await server.text('index.m3u8'));
    broadcaster.play(0.3);
    const full = await server.text('index.m3u8');
    const delta = await server.text('index.m3u8?_HLS_skip=YES');
    expect(delta.length).toBeLessThan(full.length);
    expect(await server.text('index.m3u8?_HLS_msn=40&_HLS_part=1&_HLS_skip=v2')).toBe(delta);
    const read = readPlaylist(delta, before);
    expect(read.skipped).toBe(9);
    expect({ ...read, skipped: 0 }).toEqual(readPlaylist(full));
  });

  test('is the whole playlist while that is short, and for values that the standard does not know', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(5.5);
    expect(await server.text('index.m3u8?_HLS_skip=YES')).toBe(await server.text('index.m3u8'));
    broadcaster.play(40);
    expect(await server.text('index.m3u8?_HLS_skip=NO')).not.toContain('EXT-X-SKIP');
  });
});

describe('the text', () => {
  test('is made once for each form and change, whoever asks', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(40.5);
    const built = (words: string): Promise<number> =>
      server.counted('headwater_hls_playlists_built_total', words);
    const identity = { headers: { 'Accept-Encoding': 'identity' } };
    for (let viewer = 0; viewer < 5; viewer++) {
      await (await server.get('index.m3u8')).text();
      await (await server.get('index.m3u8', identity)).text();
      await (await server.get('index.m3u8?_HLS_skip=YES', identity)).text();
    }
    expect(await built('form="full",encoding="identity"')).toBe(1);
    expect(await built('form="full",encoding="gzip"')).toBe(1);
    expect(await built('form="delta",encoding="identity"')).toBe(1);
    broadcaster.frame();
    await (await server.get('index.m3u8')).text();
    expect(await built('form="full"')).toBe(2);
    broadcaster.play(0.2);
    await (await server.get('index.m3u8')).text();
    expect(await built('form="full"')).toBe(4);
  });

  test('goes as gzip to those who take it, under its own validator', async () => {
    await setUp();
    server.broadcast().play(40.5);
    const raw = async (encoding: string): Promise<{ head: string; body: Buffer }> => {
      const socket = connect(server.port, '127.0.0.1');
      const path = '/play/token/alice/source/index.m3u8';
      socket.end(
        `GET ${path} HTTP/1.1\r\nHost: test\r\nAccept-Encoding: ${encoding}\r\nConnection: close\r\n\r\n`,
      );
      const bytes = Buffer.concat(await socket.toArray());
      const end = bytes.indexOf('\r\n\r\n');
      return { head: bytes.toString('latin1', 0, end), body: bytes.subarray(end + 4) };
    };
    const plain = await raw('identity');
    const zipped = await raw('gzip, br');
    expect(zipped.head).toContain('Content-Encoding: gzip');
    expect(zipped.head).toContain(`Content-Length: ${zipped.body.length}`);
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    expect(zipped.body.length * 5).toBeLessThan(plain.body.length);
    const etagOf = (head: string): string | undefined => /ETag: (.*)/.exec(head)?.[1];
    expect(etagOf(zipped.head)).not.toBe(etagOf(plain.head));
  });

  test('that a client has is not sent again', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(3.5);
    const etag = (await server.get('index.m3u8')).headers.get('etag')!;
    const headers = { 'If-None-Match': etag };
    expect((await server.get('index.m3u8', { headers })).status).toBe(304);
    broadcaster.play(0.2);
    expect((await server.get('index.m3u8', { headers })).status).toBe(200);
  });
});

describe('media', () => {
  test('is there under every name that the playlist lists, whole and for good', async () => {
    await setUp();
    const { feed } = server.broadcast().play(20).restart({ width: 480 }).play(2.5);
    const { segments } = readPlaylist(await server.text('index.m3u8'));
    const bytesOf = async (uri: string): Promise<Buffer> => {
      const response = await server.get(uri);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe('video/mp4');
      expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get('content-length')).toBe(String(bytes.length));
      return bytes;
    };
    expect(segments.length).toBeGreaterThan(10);
    for (const { uri, parts, map, msn } of segments) {
      expect(readInit(await bytesOf(map)).lead.width).toBe(msn < 20 ? 640 : 480);
      const ofParts = Buffer.concat(await Promise.all(parts.map((part) => bytesOf(part.uri))));
      if (!uri) continue;
      const bytes = await bytesOf(uri);
      const from = feed.segments.find((chunk) => chunk.msn === msn)!.sequence;
      const to = feed.segments.find((chunk) => chunk.msn === msn + 1)!.sequence;
      expect(bytes.equals(Buffer.concat(feed.bytes(from, to)))).toBe(true);
      if (parts.length > 0) expect(bytes.equals(ofParts)).toBe(true);
    }
  });

  test('answers HEAD, ranges and conditions', async () => {
    await setUp();
    server.broadcast().play(2.5);
    const whole = Buffer.from(await (await server.get('100/1.m4s')).arrayBuffer());
    const head = await server.get('100/1.m4s', { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(whole.length));
    const range = await server.get('100/1.m4s', { headers: { Range: 'bytes=100-299' } });
    expect(range.status).toBe(206);
    expect(range.headers.get('content-range')).toBe(`bytes 100-299/${whole.length}`);
    expect(Buffer.from(await range.arrayBuffer()).equals(whole.subarray(100, 300))).toBe(true);
    const headers = { 'If-None-Match': head.headers.get('etag')! };
    expect((await server.get('100/1.m4s', { headers })).status).toBe(304);
    expect((await server.get('100/1.0.m4s', { headers })).status).toBe(200);
  });

  test('that a playlist hints at is held until it is whole', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    const [hint] = readPlaylist(await server.text('index.m3u8')).hints;
    const answer = server.get(hint!);
    await server.waiting(1);
    clock.advance(2000);
    broadcaster.play(0.1);
    await server.waiting(1);
    broadcaster.frame();
    const bytes = Buffer.from(await (await answer).arrayBuffer());
    const again = await server.get(hint!);
    expect(bytes.equals(Buffer.from(await again.arrayBuffer()))).toBe(true);
    expect(bytes.length).toBeGreaterThan(6 * 100);
  });

  test('that was hinted at and is cut short by the end of the stream is what had come', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    const answer = server.get('100/2.2.m4s');
    await server.waiting(1);
    broadcaster.end();
    expect((await answer).status).toBe(200);
  });

  test('that was hinted at and does not come for three target durations is 404', async () => {
    await setUp();
    server.broadcast().play(2.5);
    const answer = server.get('100/2.2.m4s');
    await server.waiting(1);
    clock.advance(3000);
    expect((await answer).status).toBe(404);
  });

  test.each([
    ['100/2.m4s', 'a segment that is being written'],
    ['100/2.3.m4s', 'the part behind the one that is hinted at'],
    ['100/3.0.m4s', 'a part of the next segment'],
    ['100/1.5.m4s', 'a part beyond the last of its segment'],
    ['101/1.m4s', 'another epoch'],
    ['101/2.2.m4s', 'the hinted part of another epoch'],
    ['init-0123456789.mp4', 'an init that no segment needs'],
  ])('named %s is 404 at once: %s', async (name) => {
    await setUp();
    server.broadcast().play(2.5);
    const response = await server.get(name);
    expect(response.status).toBe(404);
    expect(await detailOf(response)).toContain(`'${name}' is not here, nor announced`);
  });

  test.each(['100/01.m4s', '0100/1.m4s', '100/1.00.m4s', '100/1.m4s.m4s', '100/-1.m4s', 'init-XYZ.mp4'])(
    'has no second name like %s',
    async (name) => {
      await setUp();
      server.broadcast().play(2.5);
      expect((await server.get(name)).status).toBe(404);
    },
  );

  test('that fell off the window is 404, and the answer says where the window begins', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(2.5);
    expect((await server.get('100/1.m4s')).status).toBe(200);
    broadcaster.play(40);
    const response = await server.get('100/1.m4s');
    expect(response.status).toBe(404);
    expect(await detailOf(response)).toContain('begins with segment 12 of epoch 100');
    expect((await server.get('100/12.m4s')).status).toBe(200);
  });
});

describe('a server that has promised all that it may send', () => {
  test('refuses new viewers, whatever they ask for, and answers those it has', async () => {
    await setUp();
    server.broadcast().play(3.5);
    const ask = (session: number, name = 'index.m3u8'): Promise<Response> =>
      fetch(`http://127.0.0.1:${server.port}/play/viewer-${session}/alice/source/${name}`);
    const admitted = await Promise.all(Array.from({ length: 24 }, (_, session) => ask(session)));
    expect(admitted.map(({ status }) => status)).toEqual(Array(24).fill(200));
    for (const name of ['index.m3u8', '100/1.m4s', '100/1.0.m4s']) {
      const refused = await ask(24, name);
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
      expect(refused.headers.get('cache-control')).toBe('no-store');
      expect(await detailOf(refused)).toBe('this server has promised all that it may send');
      expect((await ask(7, name)).status).toBe(200);
    }
    clock.advance(11_000);
    expect((await ask(24)).status).toBe(200);
  });
});

describe('a server that is being emptied', () => {
  const successor = { id: 'b', mediaUrl: 'http://127.0.0.1:9' };
  const ask = (name: string, session = 'ann', port = server.port): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/play/${session}/alice/source/${name}`, { redirect: 'manual' });

  test('sends playlists, and them alone, to the server that has the viewers next, with all that was asked', async () => {
    await setUp();
    server.broadcast().play(3.5);
    expect((await ask('index.m3u8')).status).toBe(200);
    server.successor = successor;
    const query = 'index.m3u8?_HLS_msn=3&_HLS_part=2&_HLS_skip=YES';
    const { status, headers } = await ask(query);
    const location = `http://127.0.0.1:9/play/ann/alice/source/${query}`;
    expect([status, headers.get('location')]).toEqual([307, location]);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('cache-control')).toBe('no-store');
    for (const name of ['100/1.m4s', '100/1.0.m4s']) expect((await ask(name)).status).toBe(200);
    expect(await server.counted('headwater_viewers')).toBe(0);
  });

  test('has one stay for a while that did not get there what is here, and none that waits for what is nowhere yet', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(3.5);
    await ask('index.m3u8');
    server.successor = successor;
    const isLate = 'index.m3u8?_HLS_msn=3&_HLS_part=4';
    for (let request = 0; request < 3; request++) expect((await ask(isLate)).status).toBe(307);
    expect((await ask('index.m3u8?_HLS_msn=3&_HLS_part=1')).status).toBe(307);
    expect((await ask('index.m3u8?_HLS_msn=3&_HLS_part=1')).status).toBe(200);
    expect(await server.counted('headwater_viewers')).toBe(1);
    broadcaster.play(2);
    clock.advance(2_000);
    expect((await ask('index.m3u8?_HLS_msn=5&_HLS_part=0')).status).toBe(200);
    clock.advance(3_000);
    expect((await ask('index.m3u8?_HLS_msn=5&_HLS_part=1')).status).toBe(307);
    expect((await ask('index.m3u8')).status).toBe(307);
    expect((await ask('index.m3u8')).status).toBe(307);
  });

  test('is what it was for its viewers when it is not emptied any more', async () => {
    await setUp();
    server.broadcast().play(3.5);
    await ask('index.m3u8');
    server.successor = successor;
    expect((await ask('index.m3u8')).status).toBe(307);
    server.successor = undefined;
    expect((await ask('index.m3u8')).status).toBe(200);
    expect(await server.counted('headwater_viewers')).toBe(1);
  });

  test('answers a cache itself, which would hand a redirect to all its viewers', async () => {
    await setUp();
    server.broadcast().play(3.5);
    await ask('index.m3u8', '~cache');
    server.successor = successor;
    expect((await ask('index.m3u8', '~cache')).status).toBe(200);
  });
});

describe('a stream', () => {
  test('that has ended says so, ignores directives, and is there for a while', async () => {
    await setUp();
    const broadcaster = server.broadcast().play(5.5);
    const waiting = server.get('index.m3u8?_HLS_msn=5&_HLS_part=3');
    await server.waiting(1);
    server.feeds.close('alice', SOURCE, 'over');
    expect(broadcaster.feed.ended).toBe('over');
    const last = await (await waiting).text();
    expect(readPlaylist(last)).toMatchObject({ hasEnded: true, hints: [] });
    for (const query of ['', '?_HLS_msn=900', '?_HLS_part=3', '?_HLS_msn=x', '?_HLS_msn=6&_HLS_skip=YES'])
      expect(await server.text(`index.m3u8${query}`)).toBe(last);
    clock.advance(9000);
    expect((await server.get('100/5.m4s')).status).toBe(200);
    clock.advance(1000);
    expect((await server.get('100/5.m4s')).status).toBe(404);
    expect((await server.get('index.m3u8')).status).toBe(404);
  });

  test('that begins anew under its name takes the place of the one that ended', async () => {
    await setUp();
    server.broadcast().play(3.5);
    expect(await server.text('index.m3u8')).toContain('100/2.m4s');
    const next = server.feeds.open('alice', SOURCE);
    new Broadcaster({}, next, { epoch: 900, msn: 70, discontinuitySequence: 4 }).play(2.5);
    const text = await server.text('index.m3u8');
    expect(text).toContain('900/71.m4s');
    expect(readPlaylist(text)).toMatchObject({
      mediaSequence: 70,
      discontinuitySequence: 3,
      hasEnded: false,
    });
    clock.advance(60_000);
    expect(await server.text('index.m3u8')).toBe(text);
  });

  test.each(['bob/source', 'alice/720p30'])('or rendition that is not there is 404: %s', async (names) => {
    await setUp();
    server.broadcast().play(2.5);
    const response = await fetch(`http://127.0.0.1:${server.port}/play/token/${names}/index.m3u8`);
    expect(response.status).toBe(404);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await detailOf(response)).toContain('has no rendition');
  });

  test.each(['index.m3u8', '100/1.m4s', '100/1.0.m4s', 'init-0123456789.mp4'])(
    'is for those who may watch it: %s',
    async (name) => {
      await setUp();
      server.broadcast().play(2.5);
      const response = await fetch(`http://127.0.0.1:${server.port}/play/refused/alice/source/${name}`);
      expect(response.status).toBe(403);
    },
  );
});

describe('five thousand players', () => {
  const PLAYERS = 5000;

  test('wait for one part, are all answered by it with one text, and leave nothing behind', async () => {
    server = await HlsServer.start(systemClock);
    // With a target duration of ten seconds nobody starves while the others join.
    const broadcaster = server.broadcast({ gopS: 10 }).play(12.5);
    const path = '/play/token/alice/source/index.m3u8?_HLS_msn=1&_HLS_part=12';
    const players = await Promise.all(Array.from({ length: PLAYERS }, () => join(server.port, path)));
    await server.waiting(PLAYERS);
    broadcaster.play(0.2);
    const texts = new Set(await Promise.all(players.map(answerTo)));
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('URI="100/1.12.m4s"');
    expect(await server.counted('headwater_hls_playlists_built_total')).toBe(1);
    expect(await server.counted('headwater_hls_waiting_requests')).toBe(0);
    for (const player of players) player.destroy();
  });
});

async function join(port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n\r\n`);
  return socket;
}

/** The body of the next answer. */
async function answerTo(socket: Socket): Promise<string> {
  let received = '';
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    received += bytes;
    const body = received.indexOf('\r\n\r\n') + 4;
    const length = Number(/Content-Length: (\d+)/.exec(received)?.[1]);
    if (received.length - body === length) return received.slice(body);
  }
  throw new Error(`cut short: ${received}`);
}
