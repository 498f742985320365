// A server of a cluster of real processes is emptied while it is watched: by HLS players, progressive ones, and a page.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Mode } from '../../usher/player/playback/modes.ts';
import { STREAM, TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, statusOf, untilStatus } from '../tools/viewers/chromium.ts';
import { HlsReader } from '../tools/viewers/hls-reader.ts';
import { MovingViewer } from '../tools/viewers/moving-viewer.ts';
import { waitUntil } from '../tools/world/wait.ts';

const PAGES = ['instant', 'low-latency'] as const;
const EDGE = { site: 'eu', roles: ['edge'] } as const;

let cluster: TestCluster;
let broadcaster: Broadcaster;
let browser: Browser;

beforeAll(async () => {
  const servers = { o: { site: 'eu', roles: ['origin'] }, a: EDGE } as const;
  [cluster, browser] = await Promise.all([TestCluster.start({ servers, ushers: ['u'] }), launchChromium()]);
  broadcaster = new Broadcaster(cluster.publishUrl('o'));
});

afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** Where a viewer who comes now is sent; empty as long as there is nobody to send it to. */
async function playlistUrl(): Promise<string> {
  const text = await (await fetch(`${cluster.usher('u').url}/live/${STREAM}.m3u8`)).text();
  return /^http\S+index\.m3u8$/m.exec(text)?.[0] ?? '';
}

async function readers(count: number): Promise<HlsReader[]> {
  const urls = await Promise.all(Array.from({ length: count }, playlistUrl));
  return urls.map((url) => new HlsReader({ url, staysAfter: 5 }));
}

function movingViewer(): MovingViewer {
  const urlFrom = (sequence: number | undefined): string =>
    `${cluster.usher('u').url}/live/${STREAM}.mp4${sequence === undefined ? '' : `?from=${sequence}`}`;
  return new MovingViewer({ urlFrom, bearableMs: 200 });
}

type Viewer = HlsReader | MovingViewer;

async function untilAll(
  viewers: readonly Viewer[],
  holds: (viewer: Viewer, at: number) => boolean,
): Promise<void> {
  const told = (viewer: Viewer): string =>
    `${viewer.sequences.length} chunks, ${JSON.stringify('endings' in viewer ? viewer.endings : viewer.failures)}`;
  await until(
    () => `all viewers have chunks: ${viewers.filter((viewer, at) => !holds(viewer, at)).map(told)}`,
    () => viewers.every(holds),
  );
}

function requestsOf(page: Page): readonly string[] {
  const urls: string[] = [];
  page.on('request', (request) => urls.push(request.url()));
  return urls;
}

async function openPlaying(mode: Mode): Promise<Page> {
  const { page } = await openPage(browser, `${cluster.usher('u').url}/watch/${STREAM}?mode=${mode}`);
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 30);
  return page;
}

test('SIGTERM empties a server: no request fails, no chunk is missed, nobody new comes, and it exits with 0', async () => {
  const drained = cluster.server('a');
  await waitUntil(playlistUrl);
  const hls = await readers(8);
  const progressive = Array.from({ length: 3 }, movingViewer);
  const viewers = [...hls, ...progressive];
  const pages = await Promise.all(PAGES.map(openPlaying));
  await untilAll(viewers, ({ sequences }) => sequences.length > 100);
  for (const { origins } of hls) expect(origins).toEqual([drained.mediaUrl]);

  await cluster.startServer('b', EDGE);
  const next = cluster.server('b');
  const asked = pages.map((page) => requestsOf(page));
  await waitUntil(async () => (await cluster.snapshot()).servers.some(({ id }) => id === 'b'));
  const ended = drained.end('SIGTERM');
  await drained.logged(({ msg }) => msg === 'this server is being emptied');
  expect((await fetch(`${drained.mediaUrl}/readyz`)).status).toBe(503);
  await waitUntil(async () => (await playlistUrl()).startsWith(next.mediaUrl));
  expect(await ended).toBe(0);

  const counts = viewers.map(({ sequences }) => sequences.length);
  await untilAll(viewers, ({ sequences }, at) => sequences.length > counts[at]! + 50);
  for (const { failures, missing, origins } of hls)
    expect([failures, missing, origins]).toEqual([[], 0, [drained.mediaUrl, next.mediaUrl]]);
  for (const { missing, endings, handovers } of progressive)
    expect([missing, endings, handovers]).toEqual([0, [], 1]);
  for (const [index, page] of pages.entries()) {
    const shown = (await statusOf(page))!;
    await untilStatus(
      page,
      'playing on',
      ({ state, framesShown }) => state === 'playing' && framesShown > shown.framesShown + 30,
    );
    const there = asked[index]!.filter((url) => url.startsWith(next.mediaUrl));
    expect(there.some((url) => url.endsWith('.m4s') || url.includes('.mp4'))).toBe(true);
    if (shown.mode === 'instant') expect(shown.errors).toEqual([]);
    // hls.js changes pathways by fetching the init again, and a whole group of pictures: what is near the live edge stands still then.
    // It also does so where a machine that pauses for a moment makes it give up an answer, and tells of that.
    if (shown.errors.length === 0) expect(there.filter((url) => url.includes('/init-'))).toEqual([]);
  }
  await Promise.all(hls.map((reader) => reader.close()));
  for (const viewer of progressive) viewer[Symbol.dispose]();
});

test('a second signal ends a server at once, whoever watches', async () => {
  await using reader = cluster.read('b');
  await waitUntil(() => reader.chunks > 0);
  const server = cluster.server('b');
  server.signal('SIGTERM');
  await server.logged(({ msg }) => msg === 'this server is being emptied');
  expect(await server.end('SIGINT')).toBe(0);
  expect(server.lines.map(({ msg }) => msg)).not.toContain('this server is empty');
});
