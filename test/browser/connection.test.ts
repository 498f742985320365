import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, untilStatus } from '../tools/viewers/chromium.ts';
import { TcpProxy } from '../tools/world/tcp-proxy.ts';

let proxy: TcpProxy;
let server: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  proxy = await TcpProxy.before();
  server = await ServerProcess.start(['--no-sample', '--media-url', proxy.url]);
  proxy.leadTo(server.mediaUrl);
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  proxy.leadTo(server.mediaUrl);
  proxy.requests.length = 0;
  ({ page } = await openPage(browser, `${server.url}/watch/alice?mode=instant`));
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 60);
  return () => page.context().close();
});

test('a viewer whose connection breaks goes on at the next chunk, and misses no frame', async () => {
  await page.evaluate(watchFrames);
  proxy.break();
  await expect.poll(() => resumed().length).toBe(1);
  await untilStatus(
    page,
    'playing',
    moved(await untilStatus(page, 'playing', ({ state }) => state === 'playing')),
  );
  const gaps = await page.evaluate(() => (window as unknown as { gapsS: number[] }).gapsS);
  expect(gaps.length).toBeGreaterThan(30);
  // Frames that a busy browser does not report are in the gap too; a lost second of them would not fit.
  expect(Math.max(...gaps)).toBeLessThan(0.4);
  expect(Math.min(...gaps)).toBeGreaterThan(0);
});

test('a viewer whose connection goes silent makes another one', async () => {
  proxy.hush();
  const silent = await untilStatus(page, 'stalled', ({ state }) => state !== 'playing');
  const back = await untilStatus(page, 'playing', moved(silent));
  expect(resumed()).toHaveLength(1);
  expect(back.errors.length).toBeLessThan(3);
});

test('a viewer asks again and again, and ever more seldom, while the server can’t be reached', async () => {
  proxy.leadTo('http://127.0.0.1:1');
  proxy.break();
  const gone = await untilStatus(page, 'without picture', ({ state }) => state !== 'playing');
  await page.waitForTimeout(4000);
  expect(resumed().length).toBeLessThan(8);
  proxy.leadTo(server.mediaUrl);
  await untilStatus(
    page,
    'playing',
    ({ state, framesShown }) => state === 'playing' && framesShown !== gone.framesShown,
  );
});

/** Requests that say where to go on. */
function resumed(): string[] {
  return proxy.requests.filter((line) => /live\.mp4\?from=\d+ /.test(line));
}

function moved(before: { readonly framesShown: number }): Parameters<typeof untilStatus>[2] {
  return ({ state, framesShown }) => state === 'playing' && framesShown > before.framesShown + 45;
}

/** Runs in the page: collects the media time from each frame that is shown to the next. */
function watchFrames(): void {
  const gapsS: number[] = [];
  Object.assign(window, { gapsS });
  const video = document.querySelector('video')!;
  let lastS: number | undefined;
  const see = (_: number, { mediaTime }: VideoFrameCallbackMetadata): void => {
    if (lastS !== undefined) gapsS.push(mediaTime - lastS);
    lastS = mediaTime;
    video.requestVideoFrameCallback(see);
  };
  video.requestVideoFrameCallback(see);
}
