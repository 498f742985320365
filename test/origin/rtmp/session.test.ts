// The order of an RTMP publication, and what is said to those who do not keep it.

import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../network/errors.ts';
import { AUDIO, command, DATA, message, VIDEO } from '../../tools/rtmp/rtmp-bytes.ts';
import { connectObject, RawRtmpClient } from '../../tools/rtmp/rtmp-client.ts';
import { startIngest, type TestIngest } from '../../tools/rtmp/rtmp-ingest.ts';

const FRAME = Buffer.from([0x27, 1, 0, 0, 0, 9]);

describe('connect', () => {
  test('is answered with what Enhanced RTMP may carry', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.handshaken(ingest.port);
    client.write(command('connect', 1, connectObject(ingest.port)));
    const [, , properties, information] = await client.reply('_result', 1);
    expect(information).toMatchObject({ level: 'status', code: 'NetConnection.Connect.Success' });
    for (const object of [properties, information]) {
      expect(object).toMatchObject({
        capsEx: 1,
        fourCcList: ['avc1', 'hvc1', 'av01', 'vp09', 'mp4a', '.mp3', 'Opus', 'fLaC', 'ac-3', 'ec-3'],
        videoFourCcInfoMap: { avc1: 4, hvc1: 4, av01: 4, vp09: 4 },
        audioFourCcInfoMap: { mp4a: 4, '.mp3': 4, Opus: 4, fLaC: 4, 'ac-3': 4, 'ec-3': 4 },
      });
    }
    const types = client.answers.all.map((answer) => answer.type);
    const [setChunkSize, windowAcknowledgementSize, setPeerBandwidth, commandType] = [1, 5, 6, 20];
    expect(types).toEqual([windowAcknowledgementSize, setPeerBandwidth, setChunkSize, commandType]);
  });

  test.each([
    ['without tcUrl', { app: 'live' }, 'connect has no tcUrl'],
    ['with a tcUrl that is no URL', { app: 'live', tcUrl: 'live' }, "the tcUrl 'live' is no rtmp:// URL"],
    [
      'with an http URL',
      { app: 'live', tcUrl: 'http://a/live' },
      "the tcUrl 'http://a/live' is no rtmp:// URL",
    ],
    ['with a number for tcUrl', { app: 'live', tcUrl: 1 }, 'connect has no tcUrl'],
    ['without app', { tcUrl: 'rtmp://a/live' }, 'connect has no app'],
    [
      'with control characters in the app',
      { app: 'li\nve', tcUrl: 'rtmp://a/live' },
      "the app 'li\\u{a}ve' is not one: publish to rtmp://host/live/<name>",
    ],
    ['without a command object', null, 'connect has no app'],
  ])('%s is rejected', async (_, object, description) => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.handshaken(ingest.port);
    client.write(command('connect', 1, object));
    const [, , , information] = await client.reply('_error', 1);
    expect(information).toEqual({ level: 'error', code: 'NetConnection.Connect.Rejected', description });
    await client.closed;
    expect(ingest.faults).toEqual([{ code: 'NetConnection.Connect.Rejected', reason: description }]);
  });

  test('twice is rejected', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(command('connect', 2, connectObject(ingest.port)));
    const [, , , information] = await client.reply('_error', 2);
    expect(information).toMatchObject({ description: 'connect came twice' });
    await client.closed;
  });
});

describe('publish', () => {
  test('is not answered before the decision, and what came with it is delivered behind it', async () => {
    const decision = Promise.withResolvers<undefined>();
    await using ingest = await startIngest({ decide: () => decision.promise });
    const client = await RawRtmpClient.connected(ingest.port);
    const frames = [1, 2, 3].map((time) => message({ chunkStream: 4, type: VIDEO, time, payload: FRAME }));
    client.write(publishCommand('alice'), ...frames);
    await ingest.requests.find();
    expect(client.answers.all.map(({ values }) => values[0])).not.toContain('onStatus');
    expect(ingest.publications.all).toEqual([]);
    decision.resolve(undefined);
    expect(await client.status()).toMatchObject({ level: 'status', code: 'NetStream.Publish.Start' });
    const { messages } = await ingest.publications.find();
    expect((await messages.count(3)).map(({ timestampMs }) => timestampMs)).toEqual([1, 2, 3]);
  });

  test('decided after the broadcaster has left closes the publication at once', async () => {
    const decision = Promise.withResolvers<undefined>();
    await using ingest = await startIngest({
      decide: () => decision.promise,
      limits: { handshakeMs: 20, publishMs: 40 },
    });
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(publishCommand('alice'));
    expect(await client.refusal()).toMatchObject({ description: 'no publication within 40 ms' });
    decision.resolve(undefined);
    const { closed } = await ingest.publications.find();
    expect(await closed.find()).toBe('no publication within 40 ms');
  });

  test('that cannot be decided is refused with the reason', async () => {
    await using ingest = await startIngest({
      decide: () => Promise.reject(new CodedError('webhook_failed', 'the webhook did not answer')),
    });
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(publishCommand('alice'));
    expect(await client.refusal()).toMatchObject({ description: 'the webhook did not answer' });
    expect(ingest.faults).toEqual([{ code: 'webhook_failed', reason: 'the webhook did not answer' }]);
  });

  test('twice on one connection ends it', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port, 'alice');
    client.write(publishCommand('bob'));
    const description = 'this connection publishes already: one stream each';
    expect(await client.refusal()).toMatchObject({ code: 'NetStream.Publish.BadName', description });
    const { closed } = await ingest.publications.find();
    expect(closed.all).toEqual([description]);
    expect(ingest.requests.all.map(({ name }) => name)).toEqual(['alice']);
  });

  test.each([
    ['-alice', "the stream name '-alice' is not one"],
    ['', "the stream name '' is not one"],
    ['al ice', "the stream name 'al ice' is not one"],
    ['../etc', "the stream name '../etc' is not one"],
    ['al\u001b[31m', "the stream name 'al\\u{1b}[31m' is not one"],
    ['ä'.repeat(200), `the stream name '${'\\u{e4}'.repeat(10)}...' is not one`],
    ['a'.repeat(65), `the stream name '${'a'.repeat(64)}...' is not one`],
    [7, 'publish names no stream'],
  ])('with the name %j is refused', async (name, description) => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(command('publish', 3, null, name, 'live'));
    const status = await client.refusal();
    expect(status.code).toBe('NetStream.Publish.BadName');
    expect(status.description).toContain(description);
    expect(ingest.requests.all).toEqual([]);
  });
});

describe('out of order', () => {
  test.each([
    ['createStream before connect', command('createStream', 2, null), 'createStream came before connect'],
    ['publish before connect', command('publish', 2, null, 'alice'), 'publish came before connect'],
    ['video before connect', message({ type: VIDEO, payload: FRAME }), 'video came before publish'],
  ])('%s is refused', async (_, bytes, description) => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.handshaken(ingest.port);
    client.write(bytes);
    expect(await client.refusal()).toMatchObject({ code: 'NetConnection.Call.Failed', description });
    expect(ingest.faults).toEqual([{ code: 'rtmp_out_of_order', reason: description }]);
  });

  test('audio before publish is refused', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(message({ type: AUDIO, payload: FRAME }));
    expect(await client.refusal()).toMatchObject({ description: 'audio came before publish' });
  });

  test('play is refused with a hint', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(command('play', 4, null, 'alice'));
    const description = 'Headwater plays over HTTP, not RTMP: open /watch/<name>';
    expect(await client.refusal()).toEqual({ level: 'error', code: 'NetStream.Play.Failed', description });
  });

  test('a call that is not known gets an error, and the connection goes on', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.connected(ingest.port);
    client.write(command('constructor', 5, null), command('_checkbw', 6, null));
    for (const [transaction, name] of [
      [5, 'constructor'],
      [6, '_checkbw'],
    ] as const) {
      const [, , , information] = await client.reply('_error', transaction);
      expect(information).toMatchObject({ description: `there is no '${name}' here: this is an ingest` });
    }
    client.write(publishCommand('alice'));
    expect(await client.status()).toMatchObject({ code: 'NetStream.Publish.Start' });
  });
});

describe('the end', () => {
  test.each(['FCUnpublish', 'deleteStream', 'closeStream'])('comes with %s', async (name) => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port);
    client.write(command(name, 5, null, 1));
    await client.status(({ code }) => code === 'NetStream.Unpublish.Success');
    await client.closed;
    await expectClosedOnce(ingest, `the broadcaster ended the stream (${name})`);
    expect(ingest.faults).toEqual([]);
  });

  test('comes when the socket closes', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port);
    client.socket.end();
    await expectClosedOnce(ingest, 'the broadcaster closed the connection');
  });

  test('comes when the socket breaks', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port);
    client.socket.resetAndDestroy();
    await expectClosedOnce(ingest, 'read ECONNRESET');
  });

  test('comes when the publication throws, and its words reach the broadcaster', async () => {
    await using ingest = await startIngest({
      onMessage(received) {
        if (received.type === 'data')
          throw new CodedError('unsupported', 'the codec Sorenson Spark is not carried');
      },
    });
    const client = await RawRtmpClient.publishing(ingest.port);
    client.write(message({ type: VIDEO, payload: FRAME }), message({ type: DATA, payload: FRAME }));
    client.write(message({ type: VIDEO, payload: FRAME }));
    const description = 'the codec Sorenson Spark is not carried';
    expect(await client.refusal()).toEqual({ level: 'error', code: 'NetStream.Failed', description });
    await expectClosedOnce(ingest, description);
    const { messages } = await ingest.publications.find();
    expect(messages.all).toHaveLength(1);
    expect(ingest.faults).toEqual([{ code: 'unsupported', reason: description }]);
  });
});

describe('a broadcaster who is to go on elsewhere', () => {
  const connect = { tcUrl: 'rtmp://a.example/live?key=k&takeover=0', app: 'live', capsEx: 1 };

  test('is asked to, with what it said in its own URL, and goes on here until it leaves', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.handshaken(ingest.port);
    client.write(command('connect', 1, connect), command('createStream', 2, null), publishCommand('alice'));
    const { request, messages } = await ingest.publications.find();
    expect(request.reconnect('rtmp://b.example:1936/live', 'this server is being emptied')).toBe(true);
    const isRequest = ({ code }: { code: string }): boolean => code.endsWith('ReconnectRequest');
    expect(await client.status(isRequest)).toEqual({
      level: 'status',
      code: 'NetConnection.Connect.ReconnectRequest',
      description: 'this server is being emptied',
      tcUrl: 'rtmp://b.example:1936/live?key=k&takeover=1',
    });
    client.write(message({ type: VIDEO, payload: FRAME }));
    expect(await messages.count(1)).toHaveLength(1);
    client.socket.end();
    await expectClosedOnce(ingest, 'the broadcaster closed the connection');
    expect(request.reconnect('rtmp://b.example/live', '')).toBe(false);
  });

  test('is not asked when it has not said that it can be', async () => {
    await using ingest = await startIngest();
    const client = await RawRtmpClient.publishing(ingest.port);
    const { request } = await ingest.publications.find();
    expect(request.reconnect('rtmp://b.example/live', 'this server is being emptied')).toBe(false);
    expect(client.answers.all.filter(({ values }) => values[0] === 'onStatus')).toHaveLength(1);
  });
});

function publishCommand(name: string): Buffer {
  return command('publish', 3, null, name, 'live');
}

async function expectClosedOnce(ingest: TestIngest, reason: string): Promise<void> {
  const { closed } = await ingest.publications.find();
  await closed.find();
  await ingest.server.close();
  expect(closed.all).toEqual([reason]);
}
