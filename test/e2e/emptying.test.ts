// Servers that are to be emptied: by an operator who thinks again, and past the deadline with a broadcaster who can reconnect.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordingId } from '../../network/archive/index-file.ts';
import { systemClock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { RedisState } from '../../network/state/redis/state-redis.ts';
import { signToken } from '../../network/token.ts';
import { readRecording } from '../../origin/sample/recording.ts';
import { type Running, start } from '../../server.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { FeedReader } from '../tools/media/feed-reader.ts';
import { AUDIO, command, DATA, message, setChunkSize, VIDEO } from '../tools/rtmp/rtmp-bytes.ts';
import { RawRtmpClient, type Status } from '../tools/rtmp/rtmp-client.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { waitUntil } from '../tools/world/wait.ts';

const SECRET = 'the secret of two servers';
const STREAM = 'alice';
const TYPES = { audio: AUDIO, video: VIDEO, data: DATA };
const recording = readRecording(readFileSync(new URL('../../origin/sample/broadcast.flv', import.meta.url)));

let redis: RedisServer;
let first: Running;
let second: Running;

beforeAll(async () => {
  redis = await RedisServer.start();
  [first, second] = (await Promise.all(['a', 'b'].map(startServer))) as [Running, Running];
});
afterAll(async () => {
  await Promise.all([first.stop(), second.stop()]);
  await redis[Symbol.asyncDispose]();
});

function startServer(id: string): Promise<Running> {
  const folder = lastingFolder();
  const state = { redis: { addresses: [redis.hostAndPort] } };
  const ports = { rtmpPort: 0, mediaPort: 0 };
  const publish = { keys: [{ stream: STREAM, key: 'open sesame' }] };
  const file = join(folder, 'config.yaml');
  writeFileSync(file, JSON.stringify({ id, state, ...ports, publish, secrets: [SECRET], data: folder }));
  return start(readConfig({ config: file }, {}), keepingLogger(), 'server');
}

function openState(): RedisState {
  const address = redis.address({ prefix: 'headwater' });
  return new RedisState({ address, clock: systemClock, logger: keepingLogger() });
}

/** Publishes as an encoder does that knows E-RTMP, to where its tcUrl leads. */
async function publish(tcUrl: string): Promise<RawRtmpClient> {
  const client = await RawRtmpClient.handshaken(Number(new URL(tcUrl).port));
  client.write(command('connect', 1, { app: 'live', tcUrl, capsEx: 1 }), command('createStream', 2, null));
  client.write(command('publish', 3, null, STREAM, 'live'), setChunkSize(65_536));
  const { code, description } = await client.status(({ code }) => code.startsWith('NetStream'));
  if (code !== 'NetStream.Publish.Start') throw new Error(description);
  for (const header of recording.headers) send(client, header);
  return client;
}

function send(
  client: RawRtmpClient,
  { type, timestampMs, payload }: (typeof recording.frames)[number],
): void {
  client.write(message({ chunkStream: 4, type: TYPES[type], time: timestampMs, payload, chunkSize: 65_536 }));
}

function play(client: RawRtmpClient, fromMs: number, toMs: number): void {
  for (const frame of recording.frames)
    if (frame.timestampMs >= fromMs && frame.timestampMs < toMs) send(client, frame);
}

test('what an operator wants of a server reaches it, and is taken back', async () => {
  await using state = openState();
  await waitUntil(async () => (await state.snapshot()).servers.length === 2);
  const ready = async (): Promise<number> =>
    (await fetch(`http://127.0.0.1:${second.mediaPort}/readyz`)).status;
  expect(await ready()).toBe(200);
  await state.drain('b', { sinceMs: Date.now(), deadlineMs: null });
  await waitUntil(() => second.draining!.isOn);
  expect(await ready()).toBe(503);
  await state.drain('b', null);
  await waitUntil(() => !second.draining!.isOn);
  expect(await ready()).toBe(200);
});

test('an encoder that can is asked to go on at another server, takes its stream along, and viewers miss nothing', async () => {
  const old = await publish(`rtmp://127.0.0.1:${first.rtmpPort}/live?key=open%20sesame`);
  play(old, 0, 3_000);
  const expiresAtMs = Date.now() + 60_000;
  const token = signToken([SECRET], {
    purpose: 'play',
    stream: STREAM,
    session: 'abcdefghijkl',
    expiresAtMs,
  });
  await using viewer = new FeedReader(
    `http://127.0.0.1:${second.mediaPort}/play/${token}/${STREAM}/source/live.mp4`,
  );
  await waitUntil(() => viewer.chunks > 10);
  await using state = openState();
  await waitUntil(async () => (await state.find(STREAM))?.holders.some(({ id }) => id === 'b'));

  first.draining!.order(0);
  const isRequest = ({ code }: Status): boolean => code === 'NetConnection.Connect.ReconnectRequest';
  const request = (await old.status(isRequest)) as Status & { readonly tcUrl: string };
  expect(request.tcUrl).toBe(`rtmp://127.0.0.1:${second.rtmpPort}/live?key=open+sesame&takeover=1`);
  play(old, 3_000, 4_000);
  const [moved] = await Promise.all([publish(request.tcUrl), old.closed]);
  const before = viewer.chunks;
  play(moved, 4_000, 7_000);
  await waitUntil(() => viewer.chunks > before + 100);
  expect([viewer.lost, viewer.repeated]).toEqual([0, 0]);
  const { startedAtMs } = (await state.find(STREAM))!.stream;
  await first.draining!.emptied;
  moved.socket.destroy();
  // What was recorded of it at either is one, and the server where it goes on gives all of it.
  const started = recordingId(STREAM, startedAtMs).slice(STREAM.length + 1);
  const url = `http://127.0.0.1:${second.mediaPort}/vod/${token}/${STREAM}/${started}/source/index.m3u8`;
  const ranges = await waitUntil(async () => wholeRangesIn(await (await fetch(url)).text()));
  for (const { file, bytes, at } of ranges) {
    const headers = { Range: `bytes=${at}-${at + bytes - 1}` };
    const answer = await fetch(new URL(file, url), { headers });
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([206, bytes]);
  }
});

/** Of the segments of a recording, once there are all but the last. */
function wholeRangesIn(playlist: string) {
  const found = playlist.matchAll(/#EXTINF:(.*),\n#EXT-X-BYTERANGE:(\d+)@(\d+)\n(.*)/g);
  const ranges = [...found].map(([, s, bytes, at, file]) => ({
    seconds: Number(s),
    bytes: Number(bytes),
    at: Number(at),
    file: file!,
  }));
  const seconds = ranges.reduce((sum, range) => sum + range.seconds, 0);
  return seconds >= 5.5 ? ranges : undefined;
}
