// The sample broadcast, over real RTMP into the real server.

import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../network/clock.ts';
import { startSampleBroadcast } from '../../../origin/sample/sample-broadcast.ts';
import { type KeptPublication, startIngest } from '../../tools/rtmp/rtmp-ingest.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

const HEADERS = 3;
const LOOP_MS = 24_000;

test('publishes under its name and key, and goes on from loop to loop without a step in its times', async () => {
  await using ingest = await startIngest();
  const clock = new ManualClock();
  const logger = keepingLogger();
  const sample = startSampleBroadcast({ ...at(ingest.port), key: 'a/b+c=', clock, logger });
  const publication = await ingest.publications.find();
  expect(publication.request).toMatchObject({ app: 'live', name: 'sample', query: { key: 'a/b+c=' } });
  await publication.messages.count(HEADERS);

  for (let second = 0; second < 50; second++) await letPass(clock, 1_000, publication);
  const loops = 50_000 / LOOP_MS;
  for (const [type, perLoop, frameMs] of [
    ['video', 720, 1_000 / 30],
    ['audio', 1_125, 1_024 / 48],
  ] as const) {
    const frames = publication.messages.all.slice(HEADERS).filter((message) => message.type === type);
    expect(frames.length).toBeGreaterThan(Math.floor(loops * perLoop) - 2);
    const times = frames.map(({ timestampMs }) => timestampMs);
    const steps = times.slice(1).map((time, index) => time - times[index]!);
    expect(Math.min(...steps)).toBeGreaterThan(frameMs - 1.5);
    expect(Math.max(...steps)).toBeLessThan(frameMs + 1.5);
    expect(frames[perLoop]!.payload).toEqual(frames[0]!.payload);
    expect(times[perLoop]! - times[0]!).toBe(LOOP_MS);
  }
  const types = publication.messages.all.slice(0, HEADERS).map(({ type }) => type);
  expect(types).toEqual(['data', 'video', 'audio']);

  await sample.stop();
  expect(clock.pending).toBe(0);
  expect(await publication.closed.find()).toMatch(/the broadcaster closed the connection|ECONNRESET/);
  expect(logger.lines).toEqual([]);
});

test('sends no faster than in real time', async () => {
  await using ingest = await startIngest();
  const sample = startSampleBroadcast({ ...at(ingest.port), clock: systemClock, logger: keepingLogger() });
  const { messages } = await ingest.publications.find();
  await messages.count(HEADERS + 1);
  const startedMs = performance.now();
  const last = await messages.find(({ timestampMs }) => timestampMs >= 1_000);
  const tookMs = performance.now() - startedMs;
  expect(tookMs).toBeGreaterThan(last.timestampMs - 100);
  await sample.stop();
});

test('goes on from where it is after the machine slept', async () => {
  await using ingest = await startIngest();
  const clock = new ManualClock();
  let sleptMs = 0;
  const sleeping: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() + sleptMs,
    after: (delayMs, run) => clock.after(delayMs, run),
    every: (periodMs, run) => clock.every(periodMs, run),
  };
  const sample = startSampleBroadcast({ ...at(ingest.port), clock: sleeping, logger: keepingLogger() });
  const publication = await ingest.publications.find();
  await publication.messages.count(HEADERS);
  await letPass(clock, 1_000, publication);
  const before = publication.messages.all.length;
  sleptMs = 3_600_000;
  await letPass(clock, 1_000, publication);
  expect(publication.messages.all.length - before).toBeLessThan(200);
  await sample.stop();
});

test('comes back after it was cut off, from its first key frame and with its headers', async () => {
  await using ingest = await startIngest();
  const logger = keepingLogger();
  const sample = startSampleBroadcast({ ...at(ingest.port), clock: systemClock, logger });
  const first = await ingest.publications.find();
  await first.messages.count(20);
  first.request.close('NetStream.Publish.BadName', 'taken over by another connection');
  const [, second] = await ingest.publications.count(2);
  const messages = await second!.messages.count(20);
  expect(messages.slice(0, HEADERS).map(({ type }) => type)).toEqual(['data', 'video', 'audio']);
  expect(messages[HEADERS]!.timestampMs).toBe(0);
  const reason = 'NetStream.Publish.BadName: taken over by another connection';
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { reason, retryInMs: 250 } }]);
  await sample.stop();
});

test('waits longer from refusal to refusal, and says why it was refused', async () => {
  const refusal = { kind: 'refuse', code: 'NetStream.Publish.Denied', description: 'no key' } as const;
  await using ingest = await startIngest({ decide: async () => refusal });
  const clock = new ManualClock();
  const logger = keepingLogger();
  const sample = startSampleBroadcast({ ...at(ingest.port), clock, logger });
  const waits = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
  for (const [index, waitMs] of waits.entries()) {
    await waitFor(() => expect(logger.lines).toHaveLength(index + 1));
    const reason = 'NetStream.Publish.Denied: no key';
    expect(logger.lines[index]!.fields).toMatchObject({ stream: 'sample', reason, retryInMs: waitMs });
    clock.advance(waitMs);
  }
  await sample.stop();
  expect(clock.pending).toBe(0);
});

test('tries again when there is no server', async () => {
  const ingest = await startIngest();
  await ingest.server.close();
  const logger = keepingLogger();
  const sample = startSampleBroadcast({ ...at(ingest.port), clock: systemClock, logger });
  await waitFor(() => expect(logger.lines).toHaveLength(1));
  expect(logger.lines[0]!.fields.reason).toContain('ECONNREFUSED');
  await using again = await startIngest({ port: ingest.port });
  await again.publications.find();
  await sample.stop();
});

test.each([
  ['says nothing', () => {}, 'no answer within 10000 ms'],
  [
    'speaks another protocol',
    (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'.repeat(70)),
    'Unsupported RTMP version: 72',
  ],
  [
    'sends messages that are cut short',
    (socket: Socket) => {
      const [emptySetChunkSize, more] = [Buffer.from('020000000000000100000000', 'hex'), Buffer.alloc(40, 3)];
      socket.write(Buffer.concat([Buffer.of(3), Buffer.alloc(3_072), emptySetChunkSize, more]));
    },
    'Attempt to access memory outside buffer bounds',
  ],
])('survives a server that %s', async (_, answer, reason) => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('end', () => socket.end()).resume();
    answer(socket);
  });
  const port = await listening(server);
  const clock = new ManualClock();
  const logger = keepingLogger();
  const connected = once(server, 'connection');
  const sample = startSampleBroadcast({ ...at(port), clock, logger });
  await connected;
  if (reason.startsWith('no answer')) clock.advance(10_000);
  await waitFor(() => expect(logger.lines[0]?.fields.reason).toBe(reason));
  await sample.stop();
  expect(clock.pending).toBe(0);
  server.close();
});

test('can be stopped while it connects', async () => {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  const port = await listening(server);
  const connected = once(server, 'connection');
  const clock = new ManualClock();
  const logger = keepingLogger();
  const sample = startSampleBroadcast({ ...at(port), clock, logger });
  await connected;
  await sample.stop();
  expect(clock.pending).toBe(0);
  expect(logger.lines).toEqual([]);
  server.close();
});

test('without its file there is a line in the log and no broadcast', async () => {
  const logger = keepingLogger();
  const file = '/nowhere/broadcast.flv';
  const sample = startSampleBroadcast({ ...at(1), clock: systemClock, logger, file });
  await waitFor(() => expect(logger.lines).toMatchObject([{ level: 'error', fields: { file } }]));
  await sample.stop();
});

function at(port: number): { host: string; port: number; name: string } {
  return { host: '127.0.0.1', port, name: 'sample' };
}

/** Moves the clock in small steps, and waits until the server has what is due. */
async function letPass(clock: ManualClock, ms: number, { messages }: KeptPublication): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) clock.advance(100);
  const last = messages.all.at(-1)!.timestampMs;
  await messages.find(({ timestampMs }) => timestampMs > last + ms - 150);
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}
