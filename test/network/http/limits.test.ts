// What one HTTP peer may cost: whatever it does, it loses its own connection, and the next one is served.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { send, sendJson } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import { sendStored } from '../../../network/http/entity.ts';
import { type HttpOptions, type HttpServer, listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import type { HttpLimits } from '../../../network/http/listener.ts';
import { Untaken } from '../../../network/http/untaken.ts';
import { Metrics } from '../../../network/metrics.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

const LARGE_BYTES = 64 * 1024 * 1024;
let waiting = 0;
let begun = 0;
let ended = 0;
const routes: Route[] = [
  {
    kind: 'json',
    method: 'GET',
    pattern: /^\/json$/,
    handle: (exchange) => sendJson(exchange, { is: 'here' }),
  },
  {
    kind: 'body',
    method: 'POST',
    pattern: /^\/body$/,
    handle: async (exchange) => {
      const text = await readText(exchange, 1_000);
      if (text !== undefined) sendJson(exchange, { bytes: text.length });
    },
  },
  {
    kind: 'wait',
    method: 'GET',
    pattern: /^\/wait$/,
    handle: ({ response }) => {
      waiting++;
      response.once('close', () => waiting--);
    },
  },
  {
    kind: 'large',
    method: 'GET',
    pattern: /^\/large$/,
    handle: (exchange) => {
      begun++;
      exchange.response.once('close', () => ended++);
      send(exchange, 200, 'text/plain', 'a'.repeat(LARGE_BYTES), 'no-store');
    },
  },
  {
    kind: 'stored',
    method: 'GET',
    pattern: /^\/stored$/,
    handle: async (exchange) => {
      const reader = { pieceBytes: 0 };
      readers.add(reader);
      await sendStored(exchange, { ...STORED, read: async (from, to) => readFor(reader, to - from) });
      readers.delete(reader);
    },
  },
];
const STORED = {
  ...{ bytes: LARGE_BYTES, isWhole: true },
  ...{ type: 'video/mp4', etag: '"x"', cacheControl: 'no-store' },
};
/** Who has not got all, and what was read for each last. */
const readers = new Set<{ pieceBytes: number }>();
let reads = 0;
function readFor(reader: { pieceBytes: number }, bytes: number): Uint8Array {
  reads++;
  reader.pieceBytes = bytes;
  return new Uint8Array(bytes);
}
const metrics = new Metrics();
const measure = httpMetrics(metrics)('test');
let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  waiting = 0;
  begun = 0;
  ended = 0;
});

test('headers that drip in end with 408', async () => {
  await listen({ requestMs: 300 });
  const socket = await open();
  socket.write('GET /json HTTP/1.1\r\nHost: x\r\nA');
  const dripping = setInterval(() => socket.write('a'), 20);
  expect(await answer(socket)).toMatch(/^HTTP\/1\.1 408 /);
  clearInterval(dripping);
  await isServed();
});

test('headers of more than 16 KiB end with 431', async () => {
  await listen();
  const socket = await open();
  socket.write(`GET /json HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(17 * 1024)}\r\n\r\n`);
  expect(await answer(socket)).toMatch(/^HTTP\/1\.1 431 /);
  await isServed();
});

test.each(['/json', '/body', '/nothing'])(
  'a chunked body without end, to %s, ends with its connection',
  async (path) => {
    await listen({ requestMs: 300 });
    const socket = await open();
    socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const sending = setInterval(() => socket.write(`64\r\n${'a'.repeat(100)}\r\n`), 10);
    expect(await answer(socket)).toMatch(/^HTTP\/1\.1 4(?:04|05|08|13) /);
    clearInterval(sending);
    await isServed();
  },
);

test('a peer that takes nothing of its answer is let go', async () => {
  await listen({ stalledMs: 300 });
  const socket = await open();
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitFor(() => expect(ended).toBe(1));
  socket.destroy();
  await isServed();
});

test('a peer that drips its answer in is let go', async () => {
  await listen({ stalledMs: 300, leastBytesPerS: 1e9 });
  const socket = await open();
  socket.pause();
  socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
  let taken = 0;
  const dripping = setInterval(() => {
    taken += socket.read()?.length ?? 0;
  }, 2);
  await waitFor(() => expect(ended).toBe(1));
  clearInterval(dripping);
  expect(taken).toBeLessThan(LARGE_BYTES / 2);
  socket.destroy();
  await isServed();
});

describe('what a peer was sent it is to take within a minute and a second for each 4 kB:', () => {
  const limits = { untakenBytes: 1e9, stalledMs: 60_000, leastBytesPerS: 4_000 };

  /** Takes of an answer that is written in `pieceBytes`, for hours or until it is let go: gives after how many seconds. */
  function take(bytesPerS: (atS: number) => number, pieceBytes: number): number | undefined {
    const clock = new ManualClock();
    const taken = { bodyBytes: 0, response: { writableLength: pieceBytes, socket: {} } };
    let isLate = false;
    using untaken = new Untaken({ clock, limits, onLate: () => (isLate = true) });
    untaken.watch(taken);
    for (let atS = 0, bytes = 0; atS < 10_000; bytes += bytesPerS(atS++)) {
      if (isLate) return atS;
      taken.bodyBytes = (Math.floor(bytes / pieceBytes) + 1) * pieceBytes;
      clock.advance(1000);
    }
    return undefined;
  }

  test.each([
    ['a byte a minute of 400 kB', () => 1 / 60, 400_000, 160 + 30],
    ['3 kB a second of a recording', () => 3_000, 64_000, 400],
    [
      'nothing more after ten minutes at full speed',
      (atS: number) => (atS < 600 ? 1e7 : 0),
      64_000,
      676 + 30,
    ],
  ])('%s is too little', (_, bytesPerS, pieceBytes, atMostS) => {
    expect(take(bytesPerS, pieceBytes)).toBeLessThanOrEqual(atMostS);
  });

  test('what was made for one answer has a bound for all, which the oldest gives room for; one alone may be larger', () => {
    const late: string[] = [];
    const held = (name: string) => ({ name, bodyBytes: 0, response: { writableLength: 1, socket: {} } });
    const onLate = ({ name }: { name: string }): unknown => late.push(name);
    const options = { clock: new ManualClock(), limits: { ...limits, untakenBytes: 100 }, onLate };
    using untaken = new Untaken<ReturnType<typeof held>>(options);
    const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(held);
    for (const each of [a!, b!, c!]) untaken.hold(each, 40);
    expect(late).toEqual(['a']);
    untaken.forget(a!);
    untaken.forget(b!);
    untaken.hold(d!, 60);
    expect(late).toEqual(['a']);
    untaken.hold(e!, 200);
    expect(late).toEqual(['a', 'c', 'd']);
  });

  test.each([4_100, 100_000, 100_000_000])('%d bytes a second are enough for hours', (bytesPerS) => {
    expect(take(() => bytesPerS, 1_000_000)).toBeUndefined();
    expect(take(() => bytesPerS, 64_000)).toBeUndefined();
  });
});

test('of what is stored, those who take nothing have a bounded part in memory, and others get all of it meanwhile', async () => {
  const KIB = 1024;
  await listen({ readAheadBytes: 2_048 * KIB });
  const idle = await Promise.all(Array.from({ length: 12 }, () => open()));
  for (const socket of idle) socket.pause().write('GET /stored HTTP/1.1\r\nHost: x\r\n\r\n');
  await untilStill(() => reads);
  expect(readers.size).toBe(12);
  const ahead = [...readers].reduce((sum, { pieceBytes }) => sum + pieceBytes, 0);
  expect(ahead).toBeLessThanOrEqual((2_048 + 12 * 64) * KIB);
  const response = await fetch(`http://127.0.0.1:${server!.port}/stored`);
  expect((await response.arrayBuffer()).byteLength).toBe(LARGE_BYTES);
  for (const socket of idle) socket.destroy();
  await waitFor(() => expect(readers.size).toBe(0));
});

test('who reads what is stored alone gets it in large pieces, the room given back with each', async () => {
  await listen();
  reads = 0;
  const response = await fetch(`http://127.0.0.1:${server!.port}/stored`);
  expect((await response.arrayBuffer()).byteLength).toBe(LARGE_BYTES);
  expect(reads).toBe(64);
});

test('a peer that pipelines ten thousand requests loses its connection, and with it all that waited', async () => {
  await listen();
  const socket = await open();
  const closed = closing(socket.resume());
  socket.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10_000));
  await closed;
  await waitFor(() => expect(waiting).toBe(0));
  await isServed();
});

test('while as many requests wait as may in all, a connection has eight, and who has no more is served', async () => {
  await listen({ requestsInAll: 40 });
  const ask = (socket: Socket, times: number): Promise<void> => {
    socket.resume().write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(times));
    return closing(socket);
  };
  const [many, few, tooMany] = await Promise.all([open(), open(), open()]);
  const ends = ask(many, 40);
  await waitFor(() => expect(waiting).toBe(40));
  void ask(few, 8);
  await waitFor(() => expect(waiting).toBe(48));
  await ask(tooMany, 9);
  await waitFor(() => expect(waiting).toBe(48));
  await isServed();
  many.destroy();
  await ends;
  await waitFor(() => expect(waiting).toBe(8));
  const again = await open();
  void ask(again, 9);
  await waitFor(() => expect(waiting).toBe(17));
  for (const socket of [few, again]) socket.destroy();
});

test('answers that nobody takes have room together: who has left one there for longest makes room for another', async () => {
  await listen({ untakenBytes: 2 * LARGE_BYTES });
  const idle = await Promise.all([open(), open(), open()]);
  for (const socket of idle) {
    expect(ended).toBe(0);
    socket.pause().write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => expect(begun).toBe(idle.indexOf(socket) + 1));
  }
  await waitFor(() => expect(ended).toBe(1));
  for (const socket of idle) socket.destroy();
  await waitFor(() => expect(ended).toBe(3));
  expect((await (await fetch(`http://127.0.0.1:${server!.port}/large`)).bytes()).length).toBe(LARGE_BYTES);
});

test('beyond its limit of connections a listener closes what comes, counts it, and says so once a second', async () => {
  const { lines } = await listen({ connections: 3 });
  const held = await Promise.all([open(), open(), open()]);
  await waitFor(async () =>
    expect(await metrics.text()).toContain('headwater_http_connections{listener="test"} 3'),
  );
  const refused = await Promise.all(Array.from({ length: 20 }, () => open()));
  await Promise.all(refused.map((socket) => socket.closed || closing(socket.resume())));
  expect(await metrics.text()).toContain(
    'headwater_http_connections_refused_total{listener="test",why="full"} 20',
  );
  expect(lines.map(({ fields }) => fields.reason)).toEqual(['all 3 connections are taken']);
  held[0]!.destroy();
  await waitFor(() => isServed());
  for (const socket of held) socket.destroy();
});

/** RFC 9112 6.3: a message whose length two readers may see differently is how a request is hidden in another. */
test.each([
  ['a length and chunks', 'Content-Length: 6\r\nTransfer-Encoding: chunked'],
  ['two lengths', 'Content-Length: 6\r\nContent-Length: 7'],
  ['a list of lengths', 'Content-Length: 6, 7'],
  ['a length with a sign', 'Content-Length: +6'],
  ['another coding behind chunked', 'Transfer-Encoding: chunked, identity'],
  ['a header with space before the colon', 'Transfer-Encoding : chunked'],
  [
    'a folded header',
    'X: a\r\n Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 6',
  ],
  ['a bare line feed', 'X: a\nTransfer-Encoding: chunked'],
])('a request with %s is refused, and what is behind it is no request', async (_, headers) => {
  await listen();
  const socket = await open();
  socket.write(
    `POST /body HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n0\r\n\r\nGET /json HTTP/1.1\r\nHost: x\r\n\r\n`,
  );
  const text = await answer(socket);
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  expect(text).not.toContain('here');
  await isServed();
});

/** RFC 9112 3.2. */
test.each(['Host: x', 'hOST: y'])('a request with a second host, %j, is refused', async (second) => {
  await listen();
  const socket = await open();
  socket.write(`GET /json HTTP/1.1\r\nHost: x\r\n${second}\r\nConnection: close\r\n\r\n`);
  expect(await answer(socket)).toMatch(/^HTTP\/1\.1 400 .*a request has one Host/s);
  await isServed();
});

/** Loopback has no limit for one address. */
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

describe.skipIf(elsewhere === undefined)('of one address', () => {
  const limits = { connectionsPerAddress: 2 };

  test('connections beyond its limit are closed, while others come in', async () => {
    await listen(limits, { host: '0.0.0.0' });
    const held = await Promise.all([open(elsewhere), open(elsewhere)]);
    const closed = closing((await open(elsewhere)).resume());
    await waitFor(async () =>
      expect(await metrics.text()).toContain('_refused_total{listener="test",why="address_full"} 1'),
    );
    await closed;
    await isServed();
    for (const socket of held) socket.destroy();
  });

  test('any number comes in if that is a trusted proxy’s', async () => {
    await listen(limits, { host: '0.0.0.0', isProxy: (address) => address === elsewhere });
    const held = await Promise.all([open(elsewhere), open(elsewhere), open(elsewhere)]);
    held[2]!.write('GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect(await answer(held[2]!)).toContain('here');
    for (const socket of held) socket.destroy();
  });
});

async function listen(
  limits: Partial<HttpLimits> = {},
  options: Partial<Pick<HttpOptions, 'host' | 'isProxy'>> = {},
) {
  const lines: Parameters<typeof keepingLogger>[0] = [];
  const logger = keepingLogger(lines);
  server = await listenHttp({
    host: '127.0.0.1',
    port: 0,
    routes,
    clock: systemClock,
    logger,
    metrics: measure,
    limits,
    ...options,
  });
  return { lines };
}

async function open(host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(server!.port, host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** However it ends. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** All that comes until the connection is closed. */
async function answer(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  await closing(socket);
  return text;
}

/** Until a figure is the same in ten turns of 20 ms. */
async function untilStill(read: () => number): Promise<void> {
  for (let same = 0, last = -1; same < 10; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

async function isServed(): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${server!.port}/json`, { headers: { connection: 'close' } });
  expect(await response.json()).toEqual({ is: 'here' });
}
