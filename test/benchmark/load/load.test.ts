// What the load tool of the benchmarks counts is what was sent.

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { CLIENT_CORE, PinnedProcess } from '../processes.ts';
import type { LoadRequest, LoadResult, OpenedAnswer, Protocol } from './load.ts';
import { openAll } from './opening.ts';
import type { Watcher } from './viewer.ts';

const VIEWERS = 500;

test('every byte of every viewer is counted, and who was closed is lost', async () => {
  const sockets: Socket[] = [];
  const url = await listen((socket) => {
    sockets.push(socket);
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
  });
  const { ask, open } = startLoad();
  expect(await open('endless', Array(VIEWERS).fill(url))).toMatchObject({ refused: 0, late: 0 });
  await ask({ kind: 'begin' });
  for (const [index, socket] of sockets.entries()) socket.write(Buffer.alloc(100_000 + index));
  const bytes = VIEWERS * 100_000 + (VIEWERS * (VIEWERS - 1)) / 2;
  await expect.poll(async () => (await ask<LoadResult>({ kind: 'end' })).bytes).toBe(bytes);
  for (const socket of sockets.slice(0, 7)) socket.destroy();
  await expect.poll(async () => (await ask<LoadResult>({ kind: 'end' })).lost).toBe(7);
});

test('of low-latency HLS every part is got once, and the playlists are not counted', async () => {
  const url = await listen((socket) => {
    socket.on('data', (request: Buffer) => answerPart(socket, String(request)));
  });
  const { ask, open } = startLoad();
  await ask({ kind: 'begin' });
  expect(await open('parts', Array(VIEWERS).fill(url))).toMatchObject({ refused: 0, late: 0 });
  await expect
    .poll(async () => (await ask<LoadResult>({ kind: 'end' })).bytes)
    .toBe(VIEWERS * PARTS * PART_BYTES);
});

test('who is turned away is told from who is served', async () => {
  let asked = 0;
  const url = await listen((socket) => {
    socket.once('data', () => socket.write(`HTTP/1.1 ${asked++ % 5 === 0 ? 503 : 200} As it is\r\n\r\n`));
  });
  const { open } = startLoad();
  expect(await open('endless', Array(VIEWERS).fill(url))).toMatchObject({ refused: VIEWERS / 5, late: 0 });
});

test('who has nothing when time is up is closed and late, and no more wait at once than a listen queue holds', async () => {
  const clock = new ManualClock();
  const opened: Watcher[] = [];
  let closed = 0;
  const opening = openAll({
    urls: Array(1_000).fill('http://127.0.0.1:1/'),
    open: (_, watcher) => {
      opened.push(watcher);
      return { close: () => closed++ };
    },
    source: () => () => {},
    onLost: () => {},
    clock,
  });
  expect(opened).toHaveLength(400);
  for (const watcher of opened.slice(0, 50)) watcher.began();
  opened[50]!.gone('turned away');
  await expect.poll(() => opened).toHaveLength(451);
  clock.advance(20_000);
  expect(await opening).toEqual({ refused: 1, late: 949 });
  expect(closed).toBe(400);
});

/** Gives the address. */
async function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => onConnection(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/live/index.m3u8`;
}

function startLoad() {
  const load = new PinnedProcess('load/load.ts', [], { core: CLIENT_CORE });
  onTestFinished(() => load[Symbol.asyncDispose]());
  const ask = <Answer>(request: LoadRequest): Promise<Answer> => load.ask<Answer>(request);
  const open = (protocol: Protocol, urls: readonly string[]): Promise<OpenedAnswer> =>
    ask({ kind: 'open', protocol, urls });
  return { ask, open };
}

const PARTS = 5;
const PART_BYTES = 20_000;

/** One part more in each playlist, and none behind the last. */
function answerPart(socket: Socket, request: string): void {
  if (request.includes('.m4s')) {
    answer(socket, Buffer.alloc(PART_BYTES));
    return;
  }
  const next = Number(/_HLS_part=(\d+)/.exec(request)?.[1] ?? -1) + 1;
  if (next > PARTS) return;
  const parts = Array.from({ length: next }, (_, part) => `#EXT-X-PART:DURATION=0.2,URI="1.${part}.m4s"\n`);
  const hint = `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="1.${next}.m4s"\n`;
  answer(socket, Buffer.from(`#EXTM3U\n${parts.join('')}${hint}`));
}

function answer(socket: Socket, body: Buffer): void {
  socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
}
