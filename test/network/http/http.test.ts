import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import { redirect, sendJson } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import { sendEndless } from '../../../network/http/endless.ts';
import { sendEntity } from '../../../network/http/entity.ts';
import { type HttpServer, listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { Metrics } from '../../../network/metrics.ts';
import { TASKS_IN_A_TURN } from '../../../network/process/turns.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';

const views = [Buffer.from('01234'), Buffer.from('56789')];
const routes: Route[] = [
  {
    kind: 'entity',
    method: 'GET',
    pattern: /^\/entity$/,
    handle: (exchange) =>
      sendEntity(exchange, { views, type: 'text/plain', etag: '"ten"', cacheControl: 'immutable' }),
  },
  {
    kind: 'echo',
    method: 'GET',
    pattern: /^\/echo\/(?<word>[^/]+)$/,
    handle: (e) => sendJson(e, { ...e.params, q: e.query.get('q') }),
  },
  {
    kind: 'body',
    method: 'POST',
    pattern: /^\/body$/,
    handle: async (exchange) => {
      const text = await readText(exchange, 8);
      if (text !== undefined) sendJson(exchange, { text });
    },
  },
  {
    kind: 'away',
    method: 'GET',
    pattern: /^\/away$/,
    handle: (e) => redirect(e, 307, 'http://elsewhere.example/x'),
  },
  {
    kind: 'fault',
    method: 'GET',
    pattern: /^\/fault\/(?<token>[^/]+)$/,
    handle: async (exchange) => {
      exchange.subject = { stream: 'alice', session: 'abcdefghijkl' };
      throw new Error('private words');
    },
  },
  {
    kind: 'stateless',
    method: 'GET',
    pattern: /^\/stateless$/,
    handle: async () => {
      throw new CodedError('state_unavailable', 'Redis at 10.0.0.1: refused');
    },
  },
  {
    kind: 'turn',
    method: 'GET',
    pattern: /^\/turn$/,
    handle: (exchange) => sendJson(exchange, performance.nodeTiming.uvMetricsInfo.loopCount),
  },
  {
    kind: 'endless',
    method: 'GET',
    pattern: /^\/endless$/,
    handle: (exchange) => {
      const socket = sendEndless(exchange, 'video/mp4');
      socket?.write('one ');
      socket?.end('two');
    },
  },
];

const logger = keepingLogger();
const metrics = new Metrics();
let server: HttpServer;
let base: string;

beforeAll(async () => {
  const options = {
    host: '127.0.0.1',
    port: 0,
    routes,
    clock: systemClock,
    logger,
    metrics: httpMetrics(metrics)('test'),
  };
  server = await listenHttp(options);
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

/** What the server sends back for raw bytes, until it closes. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('an entity', () => {
  test('comes whole, with its length, validator and the headers of any site', async () => {
    const answer = await fetch(`${base}/entity`);
    expect(await answer.text()).toBe('0123456789');
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-length': '10',
      etag: '"ten"',
      'access-control-allow-origin': '*',
      'cache-control': 'immutable',
    });
  });

  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=3-6', '3456', 'bytes 3-6/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=4-100', '456789', 'bytes 4-9/10'],
  ])('range %s across views', async (range, text, contentRange) => {
    const answer = await fetch(`${base}/entity`, { headers: { range } });
    expect([answer.status, await answer.text(), answer.headers.get('content-range')]).toEqual([
      206,
      text,
      contentRange,
    ]);
  });

  test('a range past the end is not satisfiable', async () => {
    const answer = await fetch(`${base}/entity`, { headers: { range: 'bytes=10-' } });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  });

  test('a range of an older version gets the whole', async () => {
    const answer = await fetch(`${base}/entity`, { headers: { range: 'bytes=1-2', 'if-range': '"nine"' } });
    expect([answer.status, await answer.text()]).toEqual([200, '0123456789']);
  });

  test('what the client has is not sent again', async () => {
    const answer = await fetch(`${base}/entity`, { headers: { 'if-none-match': '"ten"' } });
    expect([answer.status, await answer.text()]).toEqual([304, '']);
  });

  test('HEAD gets the headers alone', async () => {
    const answer = await fetch(`${base}/entity`, { method: 'HEAD' });
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([
      200,
      '10',
      '',
    ]);
  });
});

describe('routes', () => {
  test('give the path’s named parts and the query', async () => {
    expect(await (await fetch(`${base}/echo/hello?q=1%202`)).json()).toEqual({ word: 'hello', q: '1 2' });
  });

  test('an unknown path is a problem document', async () => {
    const answer = await fetch(`${base}/nothing`);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ status: 404, title: 'Not Found' });
  });

  test('a known path with another method is 405', async () => {
    expect((await fetch(`${base}/entity`, { method: 'POST' })).status).toBe(405);
  });

  test('a preflight is answered for any site', async () => {
    const answer = await fetch(`${base}/entity`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-headers': 'range' },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-headers')).toBe('range');
  });

  test('a redirect can be followed from any site', async () => {
    const answer = await fetch(`${base}/away`, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([307, 'http://elsewhere.example/x']);
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('a fault in a handler is a 500 that tells nothing, and a line in the log that lets nobody in', async () => {
    const answer = await fetch(`${base}/fault/t0ken`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('private');
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { kind: 'fault', path: '/fault/-', stream: 'alice', session: 'abcdefghijkl' },
    });
  });

  test('what needs the cluster state while it is away is a 503', async () => {
    const answer = await fetch(`${base}/stateless`);
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('10.0.0.1')]);
    expect(logger.lines.at(-1)).toMatchObject({ level: 'warn', fields: { kind: 'stateless' } });
  });

  test('requests are counted by kind and status', async () => {
    await fetch(`${base}/echo/x`);
    expect(await metrics.text()).toMatch(
      /headwater_http_requests_total\{listener="test",kind="echo",method="GET",status="200"\} \d/,
    );
  });
});

describe('sent bytes', () => {
  test('are counted by kind, without heads, and without what HEAD and 304 leave out', async () => {
    const counted = async (): Promise<number> =>
      Number(
        /headwater_http_sent_bytes_total\{listener="test",kind="entity"\} (\d+)/.exec(
          await metrics.text(),
        )?.[1],
      );
    const before = await counted();
    await (await fetch(`${base}/entity`)).text();
    await (await fetch(`${base}/entity`, { headers: { range: 'bytes=3-6' } })).text();
    await fetch(`${base}/entity`, { method: 'HEAD' });
    await fetch(`${base}/entity`, { headers: { 'if-none-match': '"ten"' } });
    expect((await counted()) - before).toBe(14);
  });
});

describe('an endless body', () => {
  test.each(['1.0', '1.1'])('is not framed in HTTP/%s and ends with the connection', async (version) => {
    const answer = await raw(`GET /endless HTTP/${version}\r\nHost: x\r\n\r\n`);
    const [head, body] = answer.split('\r\n\r\n');
    expect(head).not.toMatch(/^(?:transfer-encoding|content-length):/im);
    expect(head).toMatch(/Connection: close/i);
    expect(body).toBe('one two');
  });
});

describe('the body of a request', () => {
  const post = (body: string) => `POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n`;

  test('comes as text', async () => {
    const answer = await fetch(`${base}/body`, { method: 'POST', body: '12345678' });
    expect(await answer.json()).toEqual({ text: '12345678' });
  });

  test('is refused when it is longer than it may be, and the connection is closed', async () => {
    const answer = await raw(`${post('1'.repeat(1_000_000))}\r\n123456789`);
    expect(answer).toMatch(/^HTTP\/1.1 413/);
    expect(answer).toMatch(/Connection: close/i);
    expect(answer).toContain('at most 8 bytes');
  });
});

describe('bad requests', () => {
  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', /^HTTP\/1.1 400/],
    [
      'headers of 32 KiB',
      `GET /echo/x HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(32_768)}\r\n\r\n`,
      /^HTTP\/1.1 431/,
    ],
    [
      'two lengths',
      'POST /entity HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      /^HTTP\/1.1 400/,
    ],
  ])('%s costs only that connection', async (_, text, answer) => {
    expect(await raw(text)).toMatch(answer);
    expect((await fetch(`${base}/echo/x`)).status).toBe(200);
  });
});

test('of requests that come all at once some are answered in each turn of the event loop', async () => {
  const sockets = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1'));
  const ask = async (): Promise<readonly string[]> => {
    const answers = sockets.map((socket) => once(socket, 'data'));
    for (const socket of sockets) socket.write('GET /turn HTTP/1.1\r\nHost: x\r\n\r\n');
    return (await Promise.all(answers)).map(([bytes]) => String(bytes).split('\r\n\r\n')[1]!);
  };
  // With the first answers the connections are known to the server.
  await ask();
  const turns = Map.groupBy(await ask(), (turn) => turn);
  for (const socket of sockets) socket.destroy();
  // As many as they come, and as many of those that wait.
  const most = Math.max(...[...turns.values()].map(({ length }) => length));
  expect(most).toBeLessThanOrEqual(2 * TASKS_IN_A_TURN);
});

test('who asks once is answered before the last of many that another asks at once', async () => {
  const sockets = Array.from({ length: 2 }, () => connect(server.port, '127.0.0.1'));
  const [many, one] = sockets as [Socket, Socket];
  const asked = 'GET /turn HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const socket of sockets) socket.write(asked);
  await Promise.all(sockets.map((socket) => once(socket, 'data')));
  const answered: string[] = [];
  const allOf = new Promise<void>((resolve) => {
    many.on('data', (bytes) => {
      answered.push(...String(bytes).match(/(?<=\r\n\r\n)\d+/g)!);
      if (answered.length === 120) resolve();
    });
  });
  const turnOfOne = once(one, 'data').then(([bytes]) => Number(String(bytes).split('\r\n\r\n')[1]));
  many.write(asked.repeat(120));
  one.write(asked);
  await allOf;
  expect(await turnOfOne).toBeLessThan(Number(answered.at(-1)));
  for (const socket of sockets) socket.destroy();
});
