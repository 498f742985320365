// The listener over TLS: both versions of HTTP, a certificate that is replaced, and clients that must show one.

import { once } from 'node:events';
import { copyFileSync, readFileSync, utimesSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2, constants, type Settings } from 'node:http2';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { send, sendJson } from '../../../network/http/answers.ts';
import { readText } from '../../../network/http/body.ts';
import { sendEndless } from '../../../network/http/endless.ts';
import { type HttpServer, listenHttp, type Route } from '../../../network/http/http.ts';
import { httpMetrics } from '../../../network/http/http-metrics.ts';
import { Identity } from '../../../network/http/identity.ts';
import { endOutlet, type HttpLimits, type Outlet } from '../../../network/http/listener.ts';
import { Metrics } from '../../../network/metrics.ts';
import { makeCertificate } from '../../tools/world/certificate.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';
import { waitFor } from '../../tools/world/wait.ts';

const first = makeCertificate('first.example');
const second = makeCertificate('second.example');
const folder = lastingFolder();
const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
const clock = new ManualClock();
const logger = keepingLogger();
const outlets: Outlet[] = [];
const LARGE_BYTES = 16 * 1024 * 1024;
let ended = 0;
const routes: Route[] = [
  {
    kind: 'json',
    method: 'GET',
    pattern: /^\/json$/,
    handle: (e) => sendJson(e, { version: e.request.httpVersion }),
  },
  {
    kind: 'endless',
    method: 'GET',
    pattern: /^\/endless$/,
    handle: (exchange) => void outlets.push(sendEndless(exchange, 'video/mp4')!),
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
    kind: 'large',
    method: 'GET',
    pattern: /^\/large$/,
    handle: (exchange) => {
      exchange.response.once('close', () => ended++);
      send(exchange, 200, 'text/plain', 'a'.repeat(LARGE_BYTES), 'no-store');
    },
  },
];
let identity: Identity;
let server: HttpServer;

beforeAll(async () => {
  use(first, 1);
  identity = await Identity.open(files, { clock, logger });
  server = await listen(identity, 'any');
});
afterAll(async () => {
  await server.close();
  identity[Symbol.dispose]();
});

describe('one port', () => {
  test('speaks HTTP/1.1 with whoever does not ask for more', async () => {
    const dispatcher = new Agent({ connect: { ca: readFileSync(first.certFile) }, allowH2: false });
    const { body } = await request(`https://127.0.0.1:${server.port}/json`, { dispatcher });
    expect(await body.json()).toEqual({ version: '1.1' });
    await dispatcher.close();
  });

  test('speaks HTTP/2 with whoever asks for it, several requests over one connection', async () => {
    const session = await openHttp2(first);
    const answers = await Promise.all([
      get(session, '/json'),
      get(session, '/json'),
      get(session, '/nothing'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect(JSON.parse(answers[0]!.text)).toEqual({ version: '2.0' });
    session.close();
  });

  test('an endless answer takes one stream of HTTP/2, and others go on beside it', async () => {
    const session = await openHttp2(first);
    const stream = session.request({ ':path': '/endless' });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    const outlet = outlets.at(-1)!;
    outlet.write('abc');
    expect(String((await once(stream, 'data'))[0])).toBe('abc');
    expect((await get(session, '/json')).status).toBe(200);
    outlet.write('def');
    endOutlet(outlet);
    expect(String((await once(stream, 'data'))[0])).toBe('def');
    await once(stream, 'end');
    session.close();
  });

  test('a viewer who leaves closes its outlet, and not those of others', async () => {
    const session = await openHttp2(first);
    const stream = session.request({ ':path': '/endless' });
    await once(stream, 'response');
    const outlet = outlets.at(-1)!;
    const closed = once(outlet, 'close');
    stream.close();
    await closed;
    expect(session.closed).toBe(false);
    session.close();
  });

  test('who speaks no TLS is closed, and the next one is served', async () => {
    const { connect: connectPlain } = await import('node:net');
    const socket = connectPlain(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write('GET /json HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket.resume(), 'close');
    const session = await openHttp2(first);
    expect((await get(session, '/json')).status).toBe(200);
    session.close();
  });
});

describe('a certificate', () => {
  test('that is replaced is shown to who comes then, and who is there already stays', async () => {
    const before = await openHttp2(first);
    use(second, 2);
    // Files are read when they have rested from one look to the next.
    await identity.check();
    await identity.check();
    const after = await openHttp2(second);
    expect(nameShown(after)).toBe('second.example');
    expect(nameShown(before)).toBe('first.example');
    expect((await get(before, '/json')).status).toBe(200);
    before.close();
    after.close();
  });

  test('whose key is another one is not taken, and what was there stays', async () => {
    const mixed = { certFile: first.certFile, keyFile: second.keyFile };
    await expect(Identity.open(mixed, { clock, logger })).rejects.toMatchObject({
      code: 'bad_certificate',
      message: expect.stringContaining(first.certFile),
    });
    use(mixed, 3);
    await identity.check();
    await identity.check();
    const session = await openHttp2(second);
    expect(nameShown(session)).toBe('second.example');
    session.close();
  });
});

describe('a peer over TLS costs no more than one without:', () => {
  const limits = { requestMs: 250, stalledMs: 250, leastBytesPerS: 1e9 };
  let own: Identity;
  let strict: HttpServer;
  beforeAll(async () => {
    own = await Identity.open(first, { clock, logger });
    strict = await listen(own, 'any', limits);
  });
  afterAll(async () => {
    await strict.close();
    own[Symbol.dispose]();
  });

  const HEAD = 'GET /json HTTP/1.1\r\nHost: x\r\n';
  const POST = 'POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n';
  test.each([
    ['headers that drip in end', `${HEAD}A`, 'a'],
    ['a body that drips in ends', POST, 'a'],
    ['a connection that rests is closed', `${HEAD}\r\n`, ''],
  ])('over HTTP/1.1 %s', async (_, begin, drop) => {
    const socket = openTls('http/1.1').resume();
    const closed = closing(socket);
    socket.write(begin);
    const dripping = setInterval(() => socket.write(drop), 50);
    await closed;
    clearInterval(dripping);
  });

  test('over HTTP/1.1 who takes nothing of its answer is let go', async () => {
    const before = ended;
    const socket = openTls('http/1.1').pause();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => expect(ended).toBe(before + 1));
    socket.destroy();
  });

  test('over HTTP/1.1 who drips its answer in is let go', async () => {
    const before = ended;
    const socket = openTls('http/1.1').pause();
    socket.write('GET /large HTTP/1.1\r\nHost: x\r\n\r\n');
    let taken = 0;
    const dripping = setInterval(() => {
      taken += socket.read()?.length ?? 0;
    }, 2);
    await waitFor(() => expect(ended).toBe(before + 1));
    clearInterval(dripping);
    expect(taken).toBeLessThan(LARGE_BYTES / 2);
    socket.destroy();
  });

  test('over HTTP/2 who drips its answer in loses it, and others go on beside it', async () => {
    const session = await openHttp2(first, strict);
    const stream = session.request({ ':path': '/large' }).on('error', () => {});
    const dripping = setInterval(() => stream.read(1024), 10);
    await once(stream, 'close');
    clearInterval(dripping);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect((await get(session, '/json')).status).toBe(200);
    session.close();
  });

  test('over HTTP/2 a body that drips in ends with its stream, and others go on beside it', async () => {
    const session = await openHttp2(first, strict);
    const stream = session.request({ ':method': 'POST', ':path': '/body' }).on('error', () => {});
    const dripping = setInterval(() => stream.write('a'), 50);
    await once(stream, 'close');
    clearInterval(dripping);
    expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect((await get(session, '/json')).status).toBe(200);
    session.close();
  });

  test('over HTTP/2 who takes nothing of its answer loses it, however often it asks whether anybody is there', async () => {
    const session = await openHttp2(first, strict, { initialWindowSize: 0 });
    const asking = setInterval(() => session.ping(() => {}), 50);
    const before = ended;
    const stream = session.request({ ':path': '/large' }).resume();
    stream.on('error', () => {});
    await waitFor(() => expect(ended).toBe(before + 1));
    clearInterval(asking);
    session.destroy();
  });

  test('over HTTP/2 an answer without an end goes on while there is nothing to say', async () => {
    const session = await openHttp2(first, strict);
    const stream = session.request({ ':path': '/endless' });
    await once(stream, 'response');
    const outlet = outlets.at(-1)!;
    await new Promise((resolve) => setTimeout(resolve, 2 * limits.stalledMs));
    outlet.write('abc');
    expect(String((await once(stream, 'data'))[0])).toBe('abc');
    session.destroy();
  });

  /** RFC 9113 6.10, 6.4, 10.5; CVE-2024-27316, CVE-2023-44487. */
  test.each([
    [
      'headers that go on and on',
      () => frame(CONTINUATION, 0, 1, Buffer.from('\x10\x03abc\x64'.padEnd(106, 'a'))),
    ],
    ['headers of nothing that go on and on', () => frame(CONTINUATION, 0, 1)],
    [
      'streams that it opens and resets',
      (at: number) =>
        Buffer.concat([
          frame(HEADERS, END_STREAM | END_HEADERS, 2 * at + 3, REQUEST),
          frame(RST_STREAM, 0, 2 * at + 3, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])),
        ]),
    ],
  ])('over HTTP/2 a flood of %s ends with its connection', async (kind, next) => {
    const socket = openTls('h2').resume();
    const closed = closing(socket);
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    socket.write(frame(SETTINGS, 0, 0));
    if (kind.startsWith('headers')) socket.write(frame(HEADERS, END_STREAM, 1, REQUEST));
    for (let at = 0; !socket.destroyed && at < 200_000; at++)
      if (!socket.write(next(at))) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
    await closed;
    const session = await openHttp2(first, strict);
    expect((await get(session, '/json')).status).toBe(200);
    session.close();
  });

  function openTls(protocol: string): TLSSocket {
    const ca = readFileSync(first.certFile);
    return connectTls({ host: '127.0.0.1', port: strict.port, ca, ALPNProtocols: [protocol] }).on(
      'error',
      () => {},
    );
  }
});

const [HEADERS, RST_STREAM, SETTINGS, CONTINUATION] = [1, 3, 4, 9] as const;
const [END_STREAM, END_HEADERS] = [1, 4] as const;
/** RFC 7541 6.1, 6.2.2: GET, https, /, and whom it is for. */
const REQUEST = Buffer.from('\x82\x87\x84\x41\x01x', 'latin1');

/** However it ends. */
function closing(socket: TLSSocket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** RFC 9113 4.1. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

describe('mutual TLS', () => {
  test('lets in whom it knows, and nobody else', async () => {
    const known = await Identity.open({ ...first, caFile: first.certFile }, { clock, logger });
    const mutual = await listen(known, 'known');
    const asOneself = { cert: readFileSync(first.certFile), key: readFileSync(first.keyFile) };
    const asAnother = { cert: readFileSync(second.certFile), key: readFileSync(second.keyFile) };
    const ca = readFileSync(first.certFile);
    const ask = async (own: object): Promise<number> => {
      const dispatcher = new Agent({ connect: { ca, ...own } });
      const { statusCode, body } = await request(`https://127.0.0.1:${mutual.port}/json`, { dispatcher });
      await body.dump();
      return statusCode;
    };
    expect(await ask(asOneself)).toBe(200);
    await expect(ask({})).rejects.toThrow();
    await expect(ask(asAnother)).rejects.toThrow();
    await mutual.close();
    known[Symbol.dispose]();
  });
});

function use({ certFile, keyFile }: { certFile: string; keyFile: string }, version: number): void {
  copyFileSync(certFile, files.certFile);
  copyFileSync(keyFile, files.keyFile);
  for (const file of Object.values(files)) utimesSync(file, version, version);
}

function listen(
  shown: Identity,
  clients: 'any' | 'known',
  limits: Partial<HttpLimits> = {},
): Promise<HttpServer> {
  const metrics = httpMetrics(new Metrics())('test');
  return listenHttp({
    host: '127.0.0.1',
    port: 0,
    routes,
    clock: systemClock,
    logger,
    metrics,
    identity: shown,
    clients,
    limits,
  });
}

async function openHttp2(
  { certFile }: { certFile: string },
  { port } = server,
  settings: Settings = {},
): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: readFileSync(certFile), settings });
  await once(session, 'connect');
  session.on('error', () => {});
  return session;
}

async function get(session: ClientHttp2Session, path: string): Promise<{ status: number; text: string }> {
  const stream = session.request({ ':path': path });
  const [headers] = await once(stream, 'response');
  let text = '';
  for await (const piece of stream) text += piece;
  return { status: headers[':status'], text };
}

function nameShown(session: ClientHttp2Session): unknown {
  return (session.socket as unknown as TLSSocket).getPeerCertificate().subject.CN;
}
