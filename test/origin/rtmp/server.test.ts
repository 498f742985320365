// Real encoders against the RTMP server: ffmpeg, and curl with librtmp (the library that OBS grew out of).

import { createConnection, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RtmpMessage } from '../../../origin/media.ts';
import { setChunkSize, uint32 } from '../../tools/rtmp/rtmp-bytes.ts';
import { pushWithCurl, pushWithFfmpeg, recordWithFfmpeg, run } from '../../tools/rtmp/rtmp-ffmpeg.ts';
import { startIngest } from '../../tools/rtmp/rtmp-ingest.ts';
import { lastingFolder } from '../../tools/world/scratch-folder.ts';

const NO_KEY = {
  kind: 'refuse',
  code: 'NetStream.Publish.Denied',
  description: 'alice needs a key',
} as const;

let recording: string;

beforeAll(async () => {
  recording = join(lastingFolder(), 'short.flv');
  expect(await recordWithFfmpeg(recording, 2).exit).toMatchObject({ code: 0 });
});

describe('ffmpeg', () => {
  test('publishes with app, name and query; messages come in order and whole', async () => {
    await using ingest = await startIngest();
    const push = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live/alice?key=k-1&takeover=1`, 2, 'fast');
    expect(await push.exit).toMatchObject({ code: 0 });
    const { request, messages, closed } = await ingest.publications.find();
    expect(request).toMatchObject({ app: 'live', name: 'alice', query: { key: 'k-1', takeover: '1' } });
    expect(request).toMatchObject({ remoteAddress: '127.0.0.1', connectionId: 'rtmp-1' });
    expect(await closed.find()).toBe('the broadcaster ended the stream (FCUnpublish)');
    expectTwoSeconds(messages.all);
    expect(ingest.faults).toEqual([]);
  });

  test('may put the query on the app', async () => {
    await using ingest = await startIngest();
    const push = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live?key=k-2/alice`, 1, 'fast');
    expect(await push.exit).toMatchObject({ code: 0 });
    expect(await ingest.requests.find()).toMatchObject({ app: 'live', name: 'alice', query: { key: 'k-2' } });
  });

  test('that is refused exits with an error and shows our description', async () => {
    await using ingest = await startIngest({ decide: async () => NO_KEY });
    const { code, output } = await pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live/alice`, 5).exit;
    expect(code).not.toBe(0);
    expect(output).toContain('Server error: alice needs a key');
    expect(ingest.faults).toEqual([{ code: 'NetStream.Publish.Denied', reason: 'alice needs a key' }]);
    expect(ingest.publications.all).toEqual([]);
  });

  test('is told why its stream is closed in the middle', async () => {
    await using ingest = await startIngest();
    const push = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live/alice`, 20);
    const { request, messages, closed } = await ingest.publications.find();
    await messages.count(20);
    request.close('NetStream.Publish.BadName', 'taken over by another connection');
    expect(await closed.find()).toBe('taken over by another connection');
    const { code, output } = await push.exit;
    expect(code).not.toBe(0);
    expect(output).toContain('Server error: taken over by another connection');
    expect(closed.all).toHaveLength(1);
  });

  test('that is killed ends its publication', async () => {
    await using ingest = await startIngest();
    const push = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live/alice`, 20);
    const { messages, closed } = await ingest.publications.find();
    await messages.count(20);
    push.kill();
    expect(await closed.find()).toMatch(/the broadcaster closed the connection|ECONNRESET/);
    await push.exit;
  });

  test('that wants to play learns that it should use HTTP', async () => {
    await using ingest = await startIngest();
    const url = `rtmp://127.0.0.1:${ingest.port}/live/alice`;
    const { code, output } = await run('ffmpeg', ['-hide_banner', '-i', url, '-f', 'null', '-']).exit;
    expect(code).not.toBe(0);
    expect(output).toContain('Server error: Headwater plays over HTTP, not RTMP');
    expect(ingest.server.connections).toBe(0);
  });

  test.each([200, 1_000, 1_000_000])('with a chunk size of %i sends the same stream', async (chunkSize) => {
    await using ingest = await startIngest({
      // ffmpeg takes over the chunk size that it is told last; by now it has read all that was sent before.
      decide: async () => {
        broadcasterSocket?.write(setChunkSize(chunkSize));
        return undefined;
      },
    });
    let broadcasterSocket: Socket | undefined;
    const fromBroadcaster: Buffer[] = [];
    const proxy = createServer((socket) => {
      broadcasterSocket = socket;
      const server = createConnection({ port: ingest.port, host: '127.0.0.1' });
      socket
        .on('data', (bytes: Buffer) => fromBroadcaster.push(bytes))
        .pipe(server)
        .pipe(socket);
      for (const end of [socket, server]) end.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as { port: number };
    const push = pushWithFfmpeg(`rtmp://127.0.0.1:${port}/live/alice`, 2, 'fast');
    expect(await push.exit).toMatchObject({ code: 0 });
    // It sends the same size back: format 3 on chunk stream 2, as its header is the one before it.
    const mirrored = Buffer.concat([Buffer.of(0xc2), uint32(chunkSize)]);
    expect(Buffer.concat(fromBroadcaster).includes(mirrored)).toBe(true);
    const { messages, closed } = await ingest.publications.find();
    await closed.find();
    expectTwoSeconds(messages.all);
    expect(ingest.faults).toEqual([]);
    proxy.close();
  });
});

describe('curl with librtmp', () => {
  test('publishes in chunks of 128 bytes', async () => {
    await using ingest = await startIngest();
    const url = `rtmp://127.0.0.1:${ingest.port}/live/alice?key=k-3`;
    expect(await pushWithCurl(url, recording).exit).toEqual({ code: 0, output: '' });
    const { request, messages, closed } = await ingest.publications.find();
    expect(request).toMatchObject({ app: 'live', name: 'alice', query: { key: 'k-3' } });
    await closed.find();
    expectTwoSeconds(messages.all);
  });

  test('that is refused exits with an error', async () => {
    await using ingest = await startIngest({ decide: async () => NO_KEY });
    const url = `rtmp://127.0.0.1:${ingest.port}/live/alice`;
    expect((await pushWithCurl(url, recording).exit).code).not.toBe(0);
    expect(ingest.faults).toEqual([{ code: 'NetStream.Publish.Denied', reason: 'alice needs a key' }]);
  });
});

test('closing the server ends every connection and frees the port', async () => {
  const ingest = await startIngest();
  const push = pushWithFfmpeg(`rtmp://127.0.0.1:${ingest.port}/live/alice`, 20);
  const { messages, closed } = await ingest.publications.find();
  await messages.count(20);
  await ingest.server.close();
  expect(closed.all).toEqual(['the server is shutting down']);
  expect(ingest.server.connections).toBe(0);
  expect((await push.exit).code).not.toBe(0);
  const again = createServer();
  await new Promise<void>((resolve) => again.listen(ingest.port, '127.0.0.1', resolve));
  again.close();
});

test('a port that is taken is an error, not a crash', async () => {
  await using ingest = await startIngest();
  await expect(startIngest({ port: ingest.port })).rejects.toThrow('EADDRINUSE');
});

/** 60 frames, their decoder configuration and the end of sequence; 94 or 95 frames of AAC and their configuration. */
function expectTwoSeconds(messages: readonly RtmpMessage[]): void {
  const of = (type: RtmpMessage['type']) => messages.filter((message) => message.type === type);
  expect(of('data').length).toBeGreaterThanOrEqual(1);
  expect(of('video')).toHaveLength(62);
  expect([95, 96]).toContain(of('audio').length);
  const avcSequenceHeader = [0x17, 0, 0, 0, 0];
  expect([...of('video')[0]!.payload.subarray(0, 5)]).toEqual(avcSequenceHeader);
  expect([...of('audio')[0]!.payload.subarray(0, 2)]).toEqual([0xaf, 0]);
  for (const type of ['video', 'audio'] as const) {
    const times = of(type).map(({ timestampMs }) => timestampMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(1_900);
  }
  // Each NAL unit's length fits the message exactly, so that not a byte is missing or too many.
  for (const { payload } of of('video').slice(1, -1)) expectNalUnitsToFill(payload);
}

function expectNalUnitsToFill(payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let offset = 5;
  while (offset < payload.length) offset += 4 + view.getUint32(offset);
  expect(offset).toBe(payload.length);
}
