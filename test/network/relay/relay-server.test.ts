import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import type { Commitments } from '../../../network/egress/commitments.ts';
import { type Piece, Splitter } from '../../../network/media/splitter.ts';
import { readSignal, type Signal } from '../../../network/relay/signal.ts';
import { type Grant, signToken } from '../../../network/token.ts';
import { commitmentsOf } from '../../tools/cluster/commitments.ts';
import { LiveBroadcast, Reader, RelayServer, SECRETS, until, untilAt } from '../../tools/cluster/relay.ts';
import { Broadcaster } from '../../tools/media/feed.ts';
import { waitFor } from '../../tools/world/wait.ts';

const opened: (Disposable | AsyncDisposable)[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) {
    if (Symbol.asyncDispose in one) await one[Symbol.asyncDispose]();
    else one[Symbol.dispose]();
  }
});

describe('a request for a feed', () => {
  test.each<[string, number, RegExp, RequestOptions]>([
    ['without a token', 401, /wants a token/, { token: '' }],
    ['with another scheme', 401, /wants a token/, { authorization: 'Basic YTpi' }],
    ['with a token that is none', 403, /malformed/, { token: 'x' }],
    ['with a stranger’s key', 403, /not for relaying 'alice'/, { secret: 'a stranger’s secret' }],
    ['with a token to play', 403, /not for relaying 'alice'/, { grant: { purpose: 'play' } }],
    ['with a token for another stream', 403, /not for relaying 'alice'/, { grant: { stream: 'bob' } }],
    ['with a token of yesterday', 403, /expired/, { grant: { expiresAtMs: Date.now() - 86_400_000 } }],
    ['for an unknown stream', 404, /no rendition 'source' of a stream 'bob'/, { stream: 'bob' }],
    ['for an unknown rendition', 404, /no rendition '8k' of a stream 'alice'/, { rendition: '8k' }],
    ['for what is no name', 404, /no rendition/, { rendition: '..%2f..' }],
    ['without saying who asks', 400, /as='' is not the id/, { query: '' }],
    ['from a chunk that is no number', 400, /from='1e3' is not a number/, { query: 'as=x&from=1e3' }],
    [
      'from the future',
      409,
      /chunk 1000 is in the future: the window is 1 to 382/,
      { query: 'as=x&from=1000' },
    ],
    ['from what fell off', 410, /chunk 0 fell off: the window is 1 to 382/, { query: 'as=x&from=0' }],
    [
      'that goes on with another feed',
      410,
      /does not go on with epoch 99/,
      { query: 'as=x&from=50&epoch=99' },
    ],
    ['by a server the feed comes from', 409, /by way of o: o$/, { query: 'as=o' }],
  ])('%s is refused', async (_, status, reason, options) => {
    const server = await serverWith(5);
    const answer = await request(server, options);
    const problem = (await answer.json()) as { detail: string };
    expect(answer.status).toBe(status);
    expect(problem.detail).toMatch(reason);
  });

  test('is answered under each of two secrets: a cluster changes its secret without a pause', async () => {
    const server = await serverWith(5, { secrets: ['the new secret', 'the old secret'] });
    for (const secret of ['the new secret', 'the old secret']) {
      const answer = await request(server, { secret });
      expect(answer.status).toBe(200);
      await answer.body!.cancel();
    }
  });

  test('is 503 while all is promised that the server may send, and answered as soon as it is not', async () => {
    const server = await serverWith(5, { commitments: commitmentsOf(10, 4) });
    const answers = await Promise.all([request(server), request(server)]);
    const refused = await request(server);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await server.metrics.text()).toContain('headwater_relay_refused_total 1');
    await answers[0]!.body!.cancel();
    await waitFor(async () => expect(await server.metrics.text()).toContain('headwater_relay_children 1'));
    const next = await request(server);
    expect(next.status).toBe(200);
    await next.body!.cancel();
    await answers[1]!.body!.cancel();
  });

  test('without a place gets a heartbeat, the init and the newest three segments', async () => {
    const server = await serverWith(20);
    const { feed } = server;
    const { segments } = feed!;
    const pieces = await read(server, 'as=x', feed!.next - 1);
    expect(signalOf(pieces[0]!)).toEqual({ kind: 'heartbeat', next: feed!.next, path: ['o'], isFed: true });
    expect(pieces[1]!.kind).toBe('init');
    const chunks = pieces.flatMap((piece) => (piece.kind === 'chunk' ? [piece.chunk] : []));
    expect(chunks[0]!.sequence).toBe(segments.at(-3)!.sequence);
    expect(bytesOf(chunks)).toEqual(Buffer.concat(feed!.bytes(chunks[0]!.sequence, feed!.next)));
  });

  test('from a place in the window gets exactly what comes from there on', async () => {
    const server = await serverWith(20);
    const pieces = await read(server, 'as=x&from=700&epoch=100', server.feed!.next - 1);
    expect(pieces.map(({ kind }) => kind).slice(0, 2)).toEqual(['signal', 'chunk']);
    const chunks = pieces.flatMap((piece) => (piece.kind === 'chunk' ? [piece.chunk] : []));
    expect(bytesOf(chunks)).toEqual(Buffer.concat(server.feed!.bytes(700, server.feed!.next)));
  });

  test('from a little ahead waits for that chunk', async () => {
    const server = await serverWith(5);
    const from = server.feed!.next + 7;
    const reading = read(server, `as=x&from=${from}&epoch=100`, from);
    const broadcaster = broadcasters.get(server)!;
    const timer = setInterval(() => broadcaster.frame(), 5);
    const chunks = (await reading).flatMap((piece) => (piece.kind === 'chunk' ? [piece.chunk.sequence] : []));
    clearInterval(timer);
    expect(chunks[0]).toBe(from);
  });

  test('gets each init before its epoch', async () => {
    const server = await serverWith(3);
    broadcasters.get(server)!.restart({ width: 1280 }).play(3);
    const pieces = await read(server, 'as=x&from=1', server.feed!.next - 1);
    const inits = pieces.flatMap((piece) => (piece.kind === 'init' ? [piece.init.lead.width] : []));
    expect(inits).toEqual([640, 1280]);
  });
});

describe('a following server', () => {
  test('gets heartbeats over and over, and is told by them when the way of the feed changes', async () => {
    const [origin, a, b] = [await serverWith(5), await server('a'), await server('b')];
    a.follow(origin);
    await untilAt(a, origin.feed!.next - 1);
    const heard: (readonly string[])[] = [];
    const listening = listen(a, 'as=x&from=380', (piece) => {
      if (piece.kind === 'signal') heard.push(heartbeatOf(piece).path);
    });
    await until('it was heard three times', () => heard.length >= 3);
    b.follow(origin);
    await untilAt(b, origin.feed!.next - 1);
    a.follow(b);
    const changed = await until('the new way is known', () => heard.find((path) => path.includes('b')));
    listening.abort();
    expect(changed).toEqual(['o', 'b', 'a']);
  });

  test('that reads nothing costs itself alone: nothing is queued for it, and it is let go', async () => {
    const [origin, quick] = [await serverWith(1, { frameBytes: 50_000 }), await server('quick')];
    quick.follow(origin);
    await untilAt(quick, origin.feed!.next - 1);
    for (let count = 0; count < 4; count++) await openPaused(origin);
    const reader = new Reader(quick.feed!);
    let mostQueuedBytes = 0;
    const timer = setInterval(() => {
      broadcasters.get(origin)!.frame();
      mostQueuedBytes = Math.max(mostQueuedBytes, origin.queuedBytes);
    }, 10);
    await until('they are let go', () => lettingGo(origin).length === 4, 12_000);
    clearInterval(timer);
    await untilAt(quick, origin.feed!.next - 1);
    expect(reader.faults).toBe(0);
    expect(mostQueuedBytes).toBeLessThan(4 * 512 * 1024);
    expect(lettingGo(origin)).toEqual(['stuck', 'stuck', 'stuck', 'stuck']);
    expect(await origin.metrics.text()).toContain('headwater_relay_let_go_total{reason="stuck"} 4');
  });

  test('that reads on in time goes on where it was', async () => {
    const origin = await serverWith(1, { frameBytes: 50_000 });
    const slow = await openPaused(origin);
    broadcasters.get(origin)!.play(8);
    await until('its connection is full', () => origin.queuedBytes > 0);
    const sequences: number[] = [];
    const splitter = new Splitter();
    slow.on('data', (bytes: Buffer) => {
      for (const piece of splitter.push(bytes))
        if (piece.kind === 'chunk') sequences.push(piece.chunk.sequence);
    });
    await until('it has everything', () => sequences.at(-1) === origin.feed!.next - 1);
    expect(sequences).toEqual(sequences.map((_, index) => sequences[0]! + index));
    expect(lettingGo(origin)).toEqual([]);
  });

  test('that comes back too late finds that what it needs is gone', async () => {
    const origin = await serverWith(1, { frameBytes: 50_000 });
    const slow = await openPaused(origin);
    broadcasters.get(origin)!.play(60);
    slow.resume();
    await until('it is let go', () => lettingGo(origin).length > 0);
    expect(lettingGo(origin)).toEqual(['behind']);
  });

  test('is counted, and so are the bytes that it gets', async () => {
    const [origin, child] = [await server('o'), await server('a')];
    const live = new LiveBroadcast(origin);
    opened.push(live);
    child.follow(origin);
    await untilAt(child, live.feed.next);
    const text = await origin.metrics.text();
    expect(text).toContain('headwater_relay_children 1');
    expect(Number(/headwater_relay_sent_bytes_total (\d+)/.exec(text)![1])).toBeGreaterThan(
      child.feed!.bytesHeld,
    );
    expect(await child.metrics.text()).toContain('headwater_relay_follows 1');
  });
});

const broadcasters = new Map<RelayServer, Broadcaster>();

async function server(
  id: string,
  options: { secrets?: readonly string[]; commitments?: Commitments } = {},
): Promise<RelayServer> {
  const started = await RelayServer.start(id, options);
  opened.push(started);
  return started;
}

async function serverWith(
  seconds: number,
  options: { secrets?: readonly string[]; commitments?: Commitments; frameBytes?: number } = {},
): Promise<RelayServer> {
  const { frameBytes = 40, ...others } = options;
  const started = await server('o', others);
  const broadcaster = new Broadcaster({ frameBytes }, started.feeds.open('alice', 'source')).play(seconds);
  broadcasters.set(started, broadcaster);
  return started;
}

interface RequestOptions {
  readonly token?: string;
  readonly authorization?: string;
  readonly secret?: string;
  readonly grant?: Partial<Grant>;
  readonly stream?: string;
  readonly rendition?: string;
  readonly query?: string;
}

function request({ port }: RelayServer, options: RequestOptions = {}): Promise<Response> {
  const { stream = 'alice', rendition = 'source', query = 'as=x' } = options;
  const token = options.token ?? tokenFor(stream, options);
  const authorization = options.authorization ?? `Bearer ${token}`;
  return fetch(`http://127.0.0.1:${port}/relay/${stream}/${rendition}?${query}`, {
    headers: { authorization },
  });
}

function tokenFor(stream: string, { secret, grant }: RequestOptions = {}): string {
  const expiresAtMs = systemClock.now() + 60_000;
  return signToken([secret ?? SECRETS[0]!], { purpose: 'relay', stream, expiresAtMs, session: '', ...grant });
}

/** The pieces up to a chunk. */
async function read(from: RelayServer, query: string, last: number): Promise<Piece[]> {
  const pieces: Piece[] = [];
  await new Promise<void>((resolve, reject) => {
    const listening = listen(from, query, (piece) => {
      pieces.push(piece);
      if (piece.kind !== 'chunk' || piece.chunk.sequence !== last) return;
      resolve();
      listening.abort();
    });
    listening.signal.addEventListener('abort', () => reject(listening.signal.reason));
  });
  return pieces;
}

function listen(from: RelayServer, query: string, onPiece: (piece: Piece) => void): AbortController {
  const stop = new AbortController();
  const run = async (): Promise<void> => {
    const answer = await request(from, { query });
    const splitter = new Splitter();
    for await (const bytes of answer.body!) {
      for (const piece of splitter.push(bytes)) if (!stop.signal.aborted) onPiece(piece);
      if (stop.signal.aborted) return;
    }
  };
  run().catch((error: unknown) => stop.abort(error));
  return stop;
}

function signalOf(piece: Piece): Signal {
  if (piece.kind !== 'signal') throw new Error(`${piece.kind} where a signal belongs`);
  return readSignal(piece.bytes);
}

function heartbeatOf(piece: Piece): Extract<Signal, { kind: 'heartbeat' }> {
  const signal = signalOf(piece);
  if (signal.kind !== 'heartbeat') throw new Error('not a heartbeat');
  return signal;
}

function bytesOf(chunks: readonly { bytes: Uint8Array }[]): Buffer {
  return Buffer.concat(chunks.map(({ bytes }) => bytes));
}

/** An answer that is not read. */
async function openPaused({ port }: RelayServer): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${tokenFor('alice')}` };
  const asking = get({ port, host: '127.0.0.1', path: '/relay/alice/source?as=slow', headers });
  opened.push({ [Symbol.dispose]: () => asking.destroy() });
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  answer.on('error', () => {});
  return answer;
}

function lettingGo(server: RelayServer): unknown[] {
  const lines = server.lines.filter(({ message }) => message === 'a following server is let go');
  return lines.map(({ fields }) => fields.reason);
}
