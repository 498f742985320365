// RTMP's chunks and control messages, as a raw client sends them: what is understood, and what is refused.

import { describe, expect, test } from 'vitest';
import type { RtmpMessage } from '../../../origin/media.ts';
import {
  AUDIO,
  amf0,
  type Chunking,
  COMMAND,
  chunks,
  command,
  control,
  DATA,
  message,
  setChunkSize,
  uint32,
  VIDEO,
} from '../../tools/rtmp/rtmp-bytes.ts';
import { connectObject, RawRtmpClient } from '../../tools/rtmp/rtmp-client.ts';
import { startIngest, type TestIngest } from '../../tools/rtmp/rtmp-ingest.ts';

const [ABORT, USER_CONTROL, WINDOW_SIZE] = [2, 4, 5];
const MIB = 1024 * 1024;

describe('chunks', () => {
  test('of one byte make a message', async () => {
    const payload = Buffer.from('one byte at a time');
    const back = message({ chunkStream: 2, type: 1, payload: uint32(65_536), chunkSize: 1 });
    const [received] = await sent(1, [
      setChunkSize(1),
      message({ type: VIDEO, payload, chunkSize: 1 }),
      back,
    ]);
    expect(Buffer.from(received!.payload)).toEqual(payload);
  });

  test('of 16 MiB make a message', async () => {
    const payload = Buffer.alloc(3 * MIB, 5);
    const sizes = { chunkSize: 16 * MIB };
    const [received] = await sent(1, [setChunkSize(16 * MIB), message({ type: VIDEO, payload, ...sizes })]);
    expect(Buffer.from(received!.payload)).toEqual(payload);
  });

  test('of two messages may alternate', async () => {
    const video = Buffer.alloc(1_000, 1);
    const audio = Buffer.alloc(900, 2);
    const [first = [], second = []] = [
      chunks({ chunkStream: 6, type: VIDEO, payload: video, time: 40 }),
      chunks({ chunkStream: 4, type: AUDIO, payload: audio, time: 41 }),
    ];
    const alternating = first.flatMap((chunk, index) => [chunk, second[index] ?? Buffer.alloc(0)]);
    const received = await sent(2, [setChunkSize(128), ...alternating]);
    expect(received.map(({ type, timestampMs }) => [type, timestampMs])).toEqual([
      ['video', 40],
      ['audio', 41],
    ]);
    expect(received.map(({ payload }) => Buffer.from(payload))).toEqual([video, audio]);
  });

  test('with ids of one, two and three bytes are kept apart', async () => {
    const ids = [3, 63, 64, 319, 320, 1_000, 16_384, 65_599];
    const split = ids.map((chunkStream) =>
      chunks({ chunkStream, type: VIDEO, payload: Buffer.alloc(200, chunkStream % 251), time: chunkStream }),
    );
    const firstHalves = split.map((parts) => parts[0]!);
    const secondHalves = split.map((parts) => parts[1]!);
    const received = await sent(ids.length, [setChunkSize(128), ...firstHalves, ...secondHalves]);
    expect(received.map(({ timestampMs }) => timestampMs)).toEqual(ids);
    for (const { payload, timestampMs } of received) {
      expect(Buffer.from(payload)).toEqual(Buffer.alloc(200, timestampMs % 251));
    }
  });

  test('of each message have their own bytes, also behind ones of the same length', async () => {
    const payloads = [1, 2, 3].map((value) => Buffer.alloc(5_000, value));
    const received = await sent(
      3,
      payloads.map((payload) => message({ type: VIDEO, payload, chunkSize: 65_536 })),
    );
    expect(received.map(({ payload }) => Buffer.from(payload))).toEqual(payloads);
  });
});

describe('times', () => {
  const at = (time: number, format: Chunking['format'] = 0) =>
    message({ type: AUDIO, payload: PAYLOAD, time, format });
  const PAYLOAD = Buffer.from([0xaf, 1, 2]);

  test('are absolute or deltas, and a header without either repeats the delta', async () => {
    const received = await sent(5, [at(1_000), at(20, 1), at(30, 2), at(0, 3), at(5, 2)]);
    expect(received.map(({ timestampMs }) => timestampMs)).toEqual([1_000, 1_020, 1_050, 1_080, 1_085]);
  });

  test('past 24 bits are extended, also in the chunks that continue a message', async () => {
    const long = { type: VIDEO, payload: Buffer.alloc(500, 3) };
    const received = await sent(4, [
      setChunkSize(128),
      message({ ...long, time: 0xfffffe }),
      message({ ...long, time: 0xffffff }),
      message({ ...long, time: 0x1000000 }),
      message({ ...long, time: 0x2000000, format: 1 }),
    ]);
    expect(received.map(({ timestampMs }) => timestampMs)).toEqual([
      0xfffffe, 0xffffff, 0x1000000, 0x3000000,
    ]);
    for (const { payload } of received) expect(Buffer.from(payload)).toEqual(long.payload);
  });

  test('go on at 0 behind 2^32', async () => {
    const received = await sent(5, [at(0xffffffec), at(10, 1), at(10, 2), at(0, 3), at(0xffffffff, 1)]);
    expect(received.map(({ timestampMs }) => timestampMs)).toEqual([0xffffffec, 0xfffffff6, 0, 10, 9]);
  });
});

describe('control messages', () => {
  test('abort drops a message that has begun, and its chunk stream goes on', async () => {
    const dropped = chunks({ chunkStream: 6, type: VIDEO, payload: Buffer.alloc(300, 1), time: 5 });
    const kept = Buffer.alloc(200, 2);
    const received = await sent(1, [
      setChunkSize(128),
      dropped[0]!,
      dropped[1]!,
      control(ABORT, 6),
      control(ABORT, 77),
      message({ chunkStream: 6, type: VIDEO, payload: kept, time: 9 }),
    ]);
    expect(received.map(({ timestampMs }) => timestampMs)).toEqual([9]);
    expect(Buffer.from(received[0]!.payload)).toEqual(kept);
  });

  test('a ping is answered with its own time', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    const payload = Buffer.concat([Buffer.of(0, 6), uint32(123_456)]);
    client.write(message({ chunkStream: 2, type: USER_CONTROL, payload }));
    const answer = await client.answers.find(({ type }) => type === USER_CONTROL);
    expect(answer.payload).toEqual(Buffer.concat([Buffer.of(0, 7), uint32(123_456)]));
  });

  test('what was received is acknowledged by the window that the peer asks for', async () => {
    await using ingest = await startIngest({ limits: { acknowledgeBytes: 100_000 } });
    const client = await RawRtmpClient.publishing(ingest.port);
    const acknowledged = () =>
      client.answers.all.filter(({ type }) => type === 3).map(({ payload }) => payload.readUInt32BE());
    const frame = message({ type: VIDEO, payload: Buffer.alloc(9_000), chunkSize: 65_536 });
    const { messages } = await ingest.publications.find();

    for (let count = 1; count <= 9; count++) await sendOne(count);
    expect(acknowledged()).toEqual([]);
    for (let count = 10; count <= 13; count++) await sendOne(count);
    await client.answers.find(({ type }) => type === 3);
    expect(acknowledged()).toHaveLength(1);
    expect(acknowledged()[0]).toBeGreaterThanOrEqual(100_000);
    expect(acknowledged()[0]).toBeLessThanOrEqual(client.socket.bytesWritten);

    client.write(control(WINDOW_SIZE, 10_000));
    for (let count = 14; count <= 23; count++) await sendOne(count);
    await client.answers.find(({ type, payload }) => type === 3 && payload.readUInt32BE() > 190_000);
    expect(acknowledged().length).toBeGreaterThanOrEqual(5);

    async function sendOne(count: number): Promise<void> {
      client.write(frame);
      await messages.count(count);
    }
  });
});

describe('data and commands', () => {
  test('in the wrapping of AMF3 are read as AMF0', async () => {
    const [data3, command3] = [15, 17];
    const metadata = amf0('@setDataFrame', 'onMetaData', { width: 640 });
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    const publish = Buffer.concat([Buffer.of(0), amf0('publish', 3, null, 'alice')]);
    client.write(message({ type: command3, payload: publish }));
    client.write(message({ type: data3, payload: Buffer.concat([Buffer.of(0), metadata]) }));
    const { messages } = await ingest.publications.find();
    const [received] = await messages.count(1);
    expect(received!.type).toBe('data');
    expect(Buffer.from(received!.payload)).toEqual(metadata);
  });

  test('may have an ECMA array where others have an object', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.handshaken(ingest.port);
    const object = new Map(Object.entries(connectObject(ingest.port)));
    client.write(command('connect', 1, object), command('publish', 2, new Map([['a', 1]]), 'alice'));
    expect(await client.status()).toMatchObject({ code: 'NetStream.Publish.Start' });
    expect(await ingest.requests.find()).toMatchObject({ app: 'live', name: 'alice' });
  });

  test('messages without a byte are not handed on', async () => {
    const payload = Buffer.of(1);
    const empty = Buffer.alloc(0);
    const received = await sent(1, [
      message({ type: AUDIO, payload: empty }),
      message({ type: VIDEO, payload: empty }),
      message({ type: DATA, payload }),
    ]);
    expect(received.map(({ type }) => type)).toEqual(['data']);
  });
});

describe('is refused:', () => {
  const short = (type: number): Buffer => message({ chunkStream: 2, type, payload: Buffer.of(0) });
  const half = (chunkStream: number, length = 200): Buffer =>
    chunks({ chunkStream, type: VIDEO, payload: Buffer.alloc(length) })[0]!;

  test.each<[what: string, code: string, reason: string, bytes: Buffer[]]>([
    [
      'a chunk size of 0',
      'rtmp_bad_chunk',
      'a chunk size of 0 is not between 1 and 16777216',
      [setChunkSize(0)],
    ],
    [
      'a chunk size of 2^31 and more',
      'rtmp_bad_chunk',
      'a chunk size of 2147483776 is not between 1 and 16777216',
      [setChunkSize(0x80000080)],
    ],
    ['a chunk size cut short', 'rtmp_bad_message', 'a message of type 1 has only 1 bytes', [short(1)]],
    ['an abort cut short', 'rtmp_bad_message', 'a message of type 2 has only 1 bytes', [short(ABORT)]],
    ['a window cut short', 'rtmp_bad_message', 'a message of type 5 has only 1 bytes', [short(WINDOW_SIZE)]],
    [
      'a user control message cut short',
      'rtmp_bad_message',
      'a message of type 4 has only 1 bytes',
      [short(USER_CONTROL)],
    ],
    [
      'a ping cut short',
      'rtmp_bad_message',
      'a message of type 4 has only 3 bytes',
      [message({ chunkStream: 2, type: USER_CONTROL, payload: Buffer.of(0, 6, 1) })],
    ],
    [
      'a chunk size that changes inside a message',
      'rtmp_bad_chunk',
      'the chunk size changes inside a message on chunk stream 6',
      [setChunkSize(128), half(6), setChunkSize(4096)],
    ],
    [
      'more than 32 chunk streams',
      'rtmp_bad_chunk',
      'chunk stream 130 is one more than the 32 allowed',
      Array.from({ length: 32 }, (_, index) =>
        message({ chunkStream: 100 + index, type: AUDIO, payload: Buffer.of(1) }),
      ),
    ],
    [
      'a chunk stream without a beginning',
      'rtmp_bad_chunk',
      'chunk stream 9 begins with a header of format 3',
      [message({ chunkStream: 9, type: AUDIO, payload: Buffer.of(1), format: 3 })],
    ],
    [
      'a message inside a message',
      'rtmp_bad_chunk',
      'another message begins inside one of 200 bytes on chunk stream 6',
      [setChunkSize(128), half(6), half(6, 300)],
    ],
    [
      'a video message over 8 MiB',
      'rtmp_too_large',
      'a message of type 9 has 8388609 bytes: over 8388608',
      [message({ type: VIDEO, payload: Buffer.alloc(8 * MIB + 1), chunkSize: 65_536 }).subarray(0, 100)],
    ],
    [
      'an audio message over 1 MiB',
      'rtmp_too_large',
      'a message of type 8 has 1048577 bytes: over 1048576',
      [message({ type: AUDIO, payload: Buffer.alloc(MIB + 1), chunkSize: 65_536 }).subarray(0, 100)],
    ],
    [
      'unfinished messages of over 16 MiB',
      'rtmp_too_large',
      'unfinished messages of 16777218 bytes are over the 16777216 allowed',
      [setChunkSize(128), half(6, 8 * MIB), half(7, 8 * MIB), half(8, 2)],
    ],
    [
      'a command of a type that AMF0 has not',
      'rtmp_bad_command',
      'a command has a value of type 99, which AMF0 has not',
      [message({ type: COMMAND, payload: Buffer.of(99, 1, 2) })],
    ],
    [
      'a command that is cut short',
      'rtmp_bad_command',
      'a command of 8 bytes is cut short',
      [message({ type: COMMAND, payload: amf0('publish').subarray(0, 8) })],
    ],
    [
      'a command without a name',
      'rtmp_bad_command',
      "a command's name is a string, not number",
      [message({ type: COMMAND, payload: amf0(7) })],
    ],
    [
      'a message type of no use here',
      'rtmp_bad_message',
      'nobody publishes with messages of type 22',
      [message({ type: 22, payload: Buffer.alloc(20) })],
    ],
  ])('%s', async (_, code, reason, bytes) => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port);
    client.write(...bytes);
    expect(await client.refusal()).toEqual({ level: 'error', code: 'NetStream.Failed', description: reason });
    expect(ingest.faults).toEqual([{ code, reason }]);
    await expectClosed(ingest, reason);
  });

  test('deeply nested AMF0', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    const opened = Buffer.concat(Array.from({ length: 15_000 }, () => Buffer.of(3, 0, 1, 97)));
    const payload = Buffer.concat([amf0('connect', 1), opened]);
    client.write(setChunkSize(65_536), message({ type: COMMAND, payload, chunkSize: 65_536 }));
    const description = 'a command has a value of type 3 that is not valid AMF0';
    expect(await client.refusal()).toMatchObject({ description });
    expect(ingest.faults).toEqual([{ code: 'rtmp_bad_command', reason: description }]);
  });

  test.each([[0, 0, 0, 0], [6, 0, 0, 0], [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]])(
    'a handshake that begins with %i',
    async (...first) => {
      await using ingest = await startIngest();
      const client = await RawRtmpClient.dial(ingest.port);
      client.write(Buffer.from(first));
      await client.closed;
      const reason = `the first byte is ${first[0]}, where RTMP has its version, 3`;
      expect(ingest.faults).toEqual([{ code: 'rtmp_bad_version', reason }]);
      expect(client.socket.bytesRead).toBe(0);
    },
  );
});

/** Publishes with a raw client, and waits for so many messages. */
async function sent(count: number, bytes: readonly Buffer[]): Promise<readonly RtmpMessage[]> {
  await using ingest = await startIngest();
  const client = await RawRtmpClient.publishing(ingest.port);
  client.write(...bytes);
  const { messages } = await ingest.publications.find();
  await messages.count(count);
  client.write(command('deleteStream', 9, null, 1));
  await client.closed;
  expect(messages.all).toHaveLength(count);
  expect(ingest.faults).toEqual([]);
  return messages.all;
}

async function expectClosed(ingest: TestIngest, reason: string): Promise<void> {
  const { closed } = await ingest.publications.find();
  await ingest.server.close();
  expect(closed.all).toEqual([reason]);
}
