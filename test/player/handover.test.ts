import { afterEach, beforeEach, expect, test } from 'vitest';
import { MovingViewer } from '../tools/viewers/moving-viewer.ts';
import type { SyntheticBroadcast } from '../tools/viewers/progressive-feed.ts';
import { ProgressiveServer } from '../tools/viewers/progressive-server.ts';
import { waitUntil } from '../tools/world/wait.ts';

let one: ProgressiveServer;
let other: ProgressiveServer;
let broadcasts: SyntheticBroadcast[];
let viewer: MovingViewer;

beforeEach(async () => {
  [one, other] = await Promise.all([ProgressiveServer.start(), ProgressiveServer.start()]);
  broadcasts = [one.broadcast(), other.broadcast()];
});
afterEach(async () => {
  viewer[Symbol.dispose]();
  await Promise.all([one, other].map((server) => server[Symbol.asyncDispose]()));
});

/** A viewer of the first server, and of the other once it has to go. */
async function watching(options: { readonly bearableMs?: number } = {}): Promise<void> {
  push(10);
  const urlFrom = (from: number | undefined): string =>
    from === undefined ? one.url() : other.url(`?from=${from}`);
  viewer = new MovingViewer({ urlFrom, ...options });
  await untilNewest(10);
}

function push(frames: number): void {
  for (const broadcast of broadcasts) broadcast.push(frames);
}

async function untilNewest(sequence: number): Promise<void> {
  await waitUntil(() => viewer.sequences.at(-1) === sequence);
}

const tell = (): void => one.audience.tell({ kind: 'move' });

test('a viewer who is told to goes on at the other server at the next chunk, and then leaves the first', async () => {
  await watching();
  tell();
  await waitUntil(() => other.sessions.count === 1);
  push(10);
  await untilNewest(20);
  await waitUntil(() => one.sessions.count === 0);
  push(10);
  await untilNewest(30);
  expect([viewer.missing, viewer.handovers, viewer.endings]).toEqual([0, 1, []]);
});

test('a viewer is not at two servers for longer than it takes, however often it is told', async () => {
  await watching();
  for (let time = 0; time < 5; time++) tell();
  await waitUntil(() => other.sessions.count === 1);
  push(1);
  await waitUntil(() => one.sessions.count === 0);
  expect([viewer.handovers, other.sessions.count]).toEqual([1, 1]);
});

test('a viewer stays with the first server while the other is behind by more than it has in hand', async () => {
  await watching({ bearableMs: 100 });
  const [ahead, behind] = broadcasts as [SyntheticBroadcast, SyntheticBroadcast];
  ahead.push(10);
  await untilNewest(20);
  tell();
  await waitUntil(() => other.sessions.count === 1);
  ahead.push(10);
  await untilNewest(30);
  behind.push(13);
  await waitUntil(() => viewer.lagsMs.length === 3);
  expect([viewer.lagsMs, viewer.handovers]).toEqual([[360, 320, 280], 0]);
  behind.push(6);
  await waitUntil(() => viewer.handovers === 1);
  push(5);
  behind.push(1);
  await untilNewest(35);
  expect(viewer.missing).toBe(0);
});

test('a viewer whom no other server takes stays, and tries again when it is told again', async () => {
  await watching();
  other.feeds.drop('alice', 'source', 'it is not here');
  tell();
  await waitUntil(() => viewer.failures === 1);
  one.audience.tell({ kind: 'end', reason: 'nothing for viewers' });
  broadcasts[0]!.push(10);
  await untilNewest(20);
  tell();
  await waitUntil(() => viewer.failures === 2);
  expect([viewer.missing, viewer.endings, one.sessions.count]).toEqual([0, [], 1]);
});

test('a viewer does not follow a server that has left something out', async () => {
  await other[Symbol.asyncDispose]();
  other = await ProgressiveServer.start({ window: { windowMs: 1_000, minSegments: 2 } });
  broadcasts[1] = other.broadcast();
  broadcasts[1].push(400);
  await watching();
  tell();
  await waitUntil(() => other.sessions.count === 1);
  push(10);
  await untilNewest(20);
  expect([viewer.missing, viewer.handovers, one.sessions.count]).toEqual([0, 0, 1]);
});
