// A recorded session with bytes changed at random, 500 times, beside a healthy broadcaster.

import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { listenRtmp, type RtmpServer } from '../../../origin/rtmp/server.ts';
import { pushWithFfmpeg } from '../../tools/rtmp/rtmp-ffmpeg.ts';
import { startIngest } from '../../tools/rtmp/rtmp-ingest.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { waitFor } from '../../tools/world/wait.ts';

const SEEDS = 500;
const AT_ONCE = 25;
const HANDSHAKE_BYTES = 1 + 2 * 1536;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

test('changed bytes cost only the connection that sent them', { timeout: 60_000 }, async () => {
  const session = await recordSession();
  expect(session.length).toBeGreaterThan(20_000);
  const ingest = await startCounting();
  const healthy = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.server.port}/live/healthy`, 4);
  await waitFor(() => expect(ingest.messagesOf('healthy')).toBeGreaterThan(10));

  await replay(ingest.server, session, 0, AT_ONCE);
  const before = memoryBytes();
  await replay(ingest.server, session, AT_ONCE, SEEDS);
  await waitFor(() => expect((memoryBytes() - before) / 2 ** 20, 'MiB kept').toBeLessThan(4));

  // The healthy one took no notice: every frame came, and no line tells of it.
  expect(await healthy.exit).toMatchObject({ code: 0 });
  await waitFor(() => expect(ingest.server.connections).toBe(0));
  const metadata = 1;
  const video = 4 * 30 + 2;
  const audio = ingest.messagesOf('healthy') - metadata - video;
  expect([189, 190]).toContain(audio);
  expect(ingest.faultCodes).not.toContain(undefined);
  expect(ingest.faultsOf('healthy')).toEqual([]);

  expect(ingest.opened).toBeGreaterThan(SEEDS / 10);
  expect(ingest.closed).toBe(ingest.opened);
  // Of strangers' faults the log has twenty a second, so not of every kind.
  expect(new Set(ingest.faultCodes).size).toBeGreaterThan(1);
  await ingest.server.close();
});

/** What ffmpeg sends in the first second, taken on its way to a server. */
async function recordSession(): Promise<Buffer> {
  await using ingest = await startIngest();
  const recorded: Buffer[] = [];
  const proxy = createServer((socket) => {
    const server = createConnection({ port: ingest.port, host: '127.0.0.1' });
    socket.on('data', (bytes: Buffer) => recorded.push(bytes));
    socket.pipe(server).pipe(socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as { port: number };
  const push = pushWithFfmpeg(`rtmp://127.0.0.1:${port}/live/alice?key=k`, 1, 'fast');
  expect(await push.exit).toMatchObject({ code: 0 });
  proxy.close();
  return Buffer.concat(recorded);
}

interface CountingIngest {
  readonly server: RtmpServer;
  readonly opened: number;
  readonly closed: number;
  readonly faultCodes: readonly unknown[];
  messagesOf(name: string): number;
  faultsOf(name: string): readonly unknown[];
}

/** Accepts everything and keeps nothing but numbers. */
async function startCounting(): Promise<CountingIngest> {
  const logger = keepingLogger();
  const messages = new Map<string, number>();
  const connectionOf = new Map<string, string>();
  let opened = 0;
  let closed = 0;
  const server = await listenRtmp({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    logger,
    async onPublish({ name, connectionId }) {
      opened += 1;
      connectionOf.set(name, connectionId);
      return {
        kind: 'accept',
        publication: {
          message: () => messages.set(name, (messages.get(name) ?? 0) + 1),
          closed: () => {
            closed += 1;
          },
        },
      };
    },
  });
  const faults = () => logger.lines.filter(({ level }) => level === 'warn' || level === 'error');
  return {
    server,
    get opened() {
      return opened;
    },
    get closed() {
      return closed;
    },
    get faultCodes() {
      return faults().map(({ fields }) => fields.code);
    },
    messagesOf: (name) => messages.get(name) ?? 0,
    faultsOf: (name) => faults().filter(({ fields }) => fields.connectionId === connectionOf.get(name)),
  };
}

async function replay(server: RtmpServer, session: Buffer, from: number, to: number): Promise<void> {
  for (let seed = from; seed < to; seed += AT_ONCE) {
    const batch = Array.from({ length: Math.min(AT_ONCE, to - seed) }, (_, index) =>
      changed(session, seed + index),
    );
    await Promise.all(batch.map((bytes) => send(server, bytes)));
  }
}

/** Resolves when the connection is closed on this side. */
async function send(server: RtmpServer, bytes: Buffer): Promise<void> {
  const socket: Socket = createConnection({ port: server.port, host: '127.0.0.1' });
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => {}).resume();
  socket.end(bytes);
  await closed;
}

/** One to twenty bytes are others; most of them behind the handshake, and half of the time among the commands. */
function changed(session: Buffer, seed: number): Buffer {
  const random = dice(seed);
  const bytes = Buffer.from(session);
  const end = random() < 0.5 ? HANDSHAKE_BYTES + 600 : bytes.length;
  const start = random() < 0.05 ? 0 : HANDSHAKE_BYTES;
  const count = 1 + Math.floor(random() * 20);
  for (let index = 0; index < count; index++) {
    bytes[start + Math.floor(random() * (end - start))] = Math.floor(random() * 256);
  }
  return random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

/** mulberry32 */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
