// What one RTMP peer may cost: each limit at its default, on a clock that the test moves.

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { TURN_MS } from '../../../network/process/turns.ts';
import { DEFAULT_RTMP_LIMITS } from '../../../origin/rtmp/limits.ts';
import { command, message, setChunkSize, VIDEO } from '../../tools/rtmp/rtmp-bytes.ts';
import { handshake, RawRtmpClient } from '../../tools/rtmp/rtmp-client.ts';
import { startIngest, type TestIngest } from '../../tools/rtmp/rtmp-ingest.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { waitFor } from '../../tools/world/wait.ts';

const FRAME = message({ type: VIDEO, payload: Buffer.from([0x27, 1, 0, 0, 0]) });

test('a connection that says nothing ends after 5 s', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const client = await RawRtmpClient.dial(ingest.port);
  await connections(ingest, 1);
  clock.advance(4_999);
  expect(ingest.faults).toEqual([]);
  clock.advance(1);
  await client.closed;
  expect(ingest.faults).toEqual([{ code: 'rtmp_handshake_timeout', reason: 'no handshake within 5000 ms' }]);
  expect(ingest.lines[0]!.fields).toMatchObject({ connectionId: 'rtmp-1', remoteAddress: '127.0.0.1' });
});

test('a handshake that drips in byte by byte ends after 5 s too', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const client = await RawRtmpClient.dial(ingest.port);
  await connections(ingest, 1);
  for (const byte of handshake().subarray(0, 50)) {
    client.write(Buffer.of(byte));
    clock.advance(99);
  }
  expect(ingest.faults).toEqual([]);
  clock.advance(50);
  await client.closed;
  expect(ingest.faults).toEqual([{ code: 'rtmp_handshake_timeout', reason: 'no handshake within 5000 ms' }]);
});

test('a connection that does not publish ends after 10 s with the reason', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const client = await RawRtmpClient.connected(ingest.port);
  clock.advance(9_999);
  expect(ingest.faults).toEqual([]);
  clock.advance(1);
  const description = 'no publication within 10000 ms';
  expect(await client.refusal()).toEqual({ level: 'error', code: 'NetConnection.Call.Failed', description });
  expect(ingest.faults).toEqual([{ code: 'rtmp_publish_timeout', reason: description }]);
});

test('a publication ends after 30 s without audio or video, whatever else comes', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const client = await RawRtmpClient.publishing(ingest.port);
  const { messages, closed } = await ingest.publications.find();
  clock.advance(29_000);
  client.write(FRAME);
  await messages.count(1);
  clock.advance(29_000);
  client.write(message({ type: 18, payload: Buffer.of(5) }));
  await messages.count(2);
  clock.advance(999);
  expect(closed.all).toEqual([]);
  clock.advance(1);
  const description = 'no audio or video for 30000 ms';
  expect(await client.refusal()).toEqual({ level: 'error', code: 'NetStream.Failed', description });
  expect(closed.all).toEqual([description]);
  expect(ingest.faults).toEqual([{ code: 'rtmp_silence', reason: description }]);
  await connections(ingest, 0);
  expect(clock.pending).toBe(0);
});

test('a refused peer that does not close its end is cut off after a second', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const socket = createConnection({ port: ingest.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {}).write('not RTMP');
  socket.resume();
  await once(socket, 'end');
  expect(ingest.server.connections).toBe(1);
  clock.advance(1_000);
  await connections(ingest, 0);
  expect(clock.pending).toBe(0);
  socket.destroy();
});

test('a peer that asks and does not read is dropped', async () => {
  await using ingest = await startIngest();
  const client = await RawRtmpClient.publishing(ingest.port);
  client.socket.pause();
  const question = command(`no-such-call-${'x'.repeat(60)}`, 7, null);
  const questions = Buffer.concat(Array.from({ length: 1_000 }, () => question));
  while (ingest.faults.length === 0) {
    const written = new Promise((resolve) => client.socket.write(questions, resolve));
    await Promise.race([written, client.closed]);
  }
  const reason = 'the peer does not read: over 65536 bytes wait for it';
  expect(ingest.faults).toEqual([{ code: 'rtmp_output_full', reason }]);
  await connections(ingest, 0);
  client.socket.destroy();
});

test('no more than 64 KiB are taken in before a publication is accepted', async () => {
  await using ingest = await startIngest();
  const client = await RawRtmpClient.connected(ingest.port);
  const payload = Buffer.alloc(70_000);
  client.write(setChunkSize(65_536), message({ type: 20, payload, chunkSize: 65_536 }).subarray(0, 100));
  const description = 'unfinished messages of 70000 bytes are over the 65536 allowed';
  expect(await client.refusal()).toMatchObject({ description });
});

test.each([
  ['calls', command('createStream', 2, null)],
  ['pings', message({ chunkStream: 2, type: 4, payload: Buffer.of(0, 6, 0, 0, 0, 1) })],
  ['messages of nothing', message({ type: VIDEO, payload: Buffer.alloc(0) })],
])('who sends %s and does not publish is let go after 512 messages', async (_, one) => {
  await using ingest = await startIngest();
  const client = await RawRtmpClient.connected(ingest.port);
  client.write(Buffer.concat(Array.from({ length: 2_000 }, () => one)));
  await client.closed;
  const reason = 'over 512 messages, and no publication';
  expect(ingest.faults).toEqual([{ code: 'rtmp_too_large', reason }]);
});

test('who takes long to read rests until others have been read', async () => {
  const clock = new ManualClock();
  const { promise: turn, resolve: begin } = Promise.withResolvers<() => void>();
  clock.after = (delayMs, run) => {
    if (delayMs > 0) return ManualClock.prototype.after.call(clock, delayMs, run);
    begin(run);
    return { cancel: () => {} };
  };
  await using ingest = await startIngest({ clock, onMessage: () => clock.advance(TURN_MS) });
  const client = await RawRtmpClient.publishing(ingest.port);
  const { messages } = await ingest.publications.find();
  client.write(FRAME);
  const goOn = await turn;
  await new Promise((resolve) => client.socket.write(FRAME, resolve));
  await RawRtmpClient.connected(ingest.port);
  expect(messages.all).toHaveLength(1);
  goOn();
  await messages.count(2);
});

test('what comes while a publication is decided stays in the kernel', async () => {
  const decision = Promise.withResolvers<undefined>();
  await using ingest = await startIngest({ decide: () => decision.promise });
  const client = await RawRtmpClient.connected(ingest.port);
  client.write(setChunkSize(65_536), command('publish', 3, null, 'alice'));
  await ingest.requests.find();
  const before = process.memoryUsage().arrayBuffers;
  const frame = message({ type: VIDEO, payload: Buffer.alloc(60_000), chunkSize: 65_536 });
  const frames = 500;
  for (let sent = 0; sent < frames; sent++) client.socket.write(frame);
  // Half of the 30 MB fits into the kernel's buffers at most; the server has taken none of it.
  await waitFor(() => expect(client.socket.bytesWritten).toBeGreaterThan(frames * 60_000));
  expect(client.socket.writableLength).toBeGreaterThan(10_000_000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  decision.resolve(undefined);
  const { messages } = await ingest.publications.find();
  expect(await messages.count(frames)).toHaveLength(frames);
});

test('a flood of strangers is twenty lines of the log a second, and then how many more there were', async () => {
  const clock = new ManualClock();
  await using ingest = await startIngest({ clock });
  const garbage = async (): Promise<void> => {
    const client = await RawRtmpClient.dial(ingest.port);
    client.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await client.closed;
  };
  for (let count = 0; count < 50; count++) await garbage();
  expect(ingest.lines).toHaveLength(20);
  clock.advance(1_000);
  await garbage();
  expect(ingest.lines).toHaveLength(21);
  expect(ingest.lines.at(-1)!.fields).toMatchObject({ code: 'rtmp_bad_version', times: 31 });
});

test('connection 1,025 is turned away, and comes in when another has left', { timeout: 20_000 }, async () => {
  await using ingest = await startIngest();
  const { connections: limit } = DEFAULT_RTMP_LIMITS;
  const clients = await Promise.all(Array.from({ length: limit }, () => RawRtmpClient.dial(ingest.port)));
  await connections(ingest, limit);
  const late = await RawRtmpClient.dial(ingest.port);
  await late.closed;
  expect(ingest.faults).toEqual([{ code: 'rtmp_full', reason: 'all 1024 connections are taken' }]);
  clients[0]!.socket.destroy();
  await connections(ingest, limit - 1);
  await RawRtmpClient.connected(ingest.port);
});

const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

test.skipIf(elsewhere === undefined)('connection 65 from one address is turned away', async () => {
  await using ingest = await startIngest({ host: '0.0.0.0' });
  const dial = () => RawRtmpClient.dial(ingest.port, elsewhere);
  await Promise.all(Array.from({ length: 64 }, dial));
  await connections(ingest, 64);
  await (await dial()).closed;
  const reason = `${elsewhere} has 64 connections already`;
  expect(ingest.faults).toEqual([{ code: 'rtmp_address_full', reason }]);
  await RawRtmpClient.connected(ingest.port);
});

async function connections(ingest: TestIngest, count: number): Promise<void> {
  await waitFor(() => expect(ingest.server.connections).toBe(count));
}
