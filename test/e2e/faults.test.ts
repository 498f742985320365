// What becomes of sessions in a real process that runs out of file descriptors, stands still, or meets an error that nobody caught.

import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { FeedReader } from '../tools/media/feed-reader.ts';
import { run } from '../tools/rtmp/rtmp-ffmpeg.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { waitFor } from '../tools/world/wait.ts';

const DESCRIPTORS = 96;
const STILL_MS = 1_500;

let server: ServerProcess;
let viewer: FeedReader;

beforeAll(async () => {
  // A timer that throws belongs to no session.
  const injection = join(lastingFolder(), 'fault.mjs');
  writeFileSync(
    injection,
    `process.on('SIGUSR2', () => setTimeout(() => { throw new Error('out of the blue'); }));`,
  );
  server = await ServerProcess.start([], { NODE_OPTIONS: `--import ${injection}` });
  await server.logged((line) => line.msg === 'on air');
  viewer = new FeedReader(`${server.url}/live/sample.mp4`);
  await goesOn();
});
afterAll(async () => {
  await viewer?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test('a process with few file descriptors left says so, is not ready, and usher sends nobody there until there are more', async () => {
  await limitDescriptors();
  const few: Socket[] = [];
  const said = () => server.lines.find((line) => line.msg.startsWith('file descriptors run out'));
  // Some of those that were open are closed again, as of a picture that was made just then.
  await expect
    .poll(
      () => {
        few.push(...open(Math.max(0, DESCRIPTORS - openDescriptors() - 4)));
        return said();
      },
      { interval: 250 },
    )
    .toBeDefined();
  expect(said()).toMatchObject({ open: expect.any(Number), limit: DESCRIPTORS });
  const readiness = await (await fetch(`${server.url}/readyz`)).json();
  expect(readiness).toMatchObject({ ready: false, conditions: [{ code: 'descriptors_low', blocks: true }] });
  const statusOf = async (): Promise<number> => (await fetch(`${server.url}/live/sample.m3u8`)).status;
  await waitFor(async () => expect(await statusOf()).toBe(503));
  for (const socket of few) socket.destroy();
  await waitFor(async () => expect(await statusOf()).toBe(200));
});

test('a viewer misses nothing while there are no file descriptors left, and others get in again after that', async () => {
  viewer.begin();
  await limitDescriptors();
  const flood = open(2 * DESCRIPTORS);
  const refused = flood.map((socket) => once(socket, 'close'));
  await Promise.race(refused);
  expect(openDescriptors()).toBeGreaterThan(DESCRIPTORS - 5);
  await goesOn();
  for (const socket of flood) socket.destroy();
  await Promise.all(refused);
  await goesOn();
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(viewer.lost).toBe(0);
});

test('a process that stood still says for how long, and goes on with the next chunk', async () => {
  viewer.begin();
  server.signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  server.signal('SIGCONT');
  const said = await server.logged((line) => line.msg === 'this process stood still');
  expect(said['stillMs']).toBeGreaterThan(1_000);
  await goesOn();
  expect(viewer.lost).toBe(0);
});

test('an error that nobody caught ends no session of a process that is alone', async () => {
  viewer.begin();
  server.signal('SIGUSR2');
  await server.logged((line) => line.msg.startsWith('uncaught error'));
  await goesOn();
  expect(viewer.lost).toBe(0);
  const { ready, conditions } = await (await fetch(`${server.url}/readyz`)).json();
  expect([ready, conditions]).toEqual([true, [expect.objectContaining({ code: 'failed' })]]);
  expect(await server.end('SIGTERM')).toBe(1);
});

async function limitDescriptors(): Promise<void> {
  await run('prlimit', ['--pid', String(server.pid), `--nofile=${DESCRIPTORS}:${DESCRIPTORS}`]).exit;
}

function openDescriptors(): number {
  return readdirSync(`/proc/${server.pid}/fd`).length;
}

function open(sockets: number): Socket[] {
  const port = Number(new URL(server.url).port);
  return Array.from({ length: sockets }, () => connect(port, '127.0.0.1').on('error', () => {}));
}

/** Some chunks more. */
async function goesOn(): Promise<void> {
  const enough = viewer.chunks + 20;
  while (viewer.chunks < enough) await new Promise((resolve) => setTimeout(resolve, 20));
}
