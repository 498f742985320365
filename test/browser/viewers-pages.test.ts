// The pages of viewers in Chromium: the list of streams, the page of one, the player in another site's frame, a recording.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { send } from '../../network/http/answers.ts';
import type { Route } from '../../network/http/http.ts';
import { serveRoutes } from '../tools/cluster/serve-routes.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { graveFindings } from '../tools/viewers/axe.ts';
import {
  launchChromium,
  OUTPUT,
  openPage,
  screenshot,
  statusOf,
  untilStatus,
} from '../tools/viewers/chromium.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

const LOOKS = [
  ['', { width: 1280, height: 900 }, 'dark'],
  ['-light', { width: 1280, height: 900 }, 'light'],
  ['-phone', { width: 390, height: 844 }, 'light'],
  ['-phone-dark', { width: 390, height: 844 }, 'dark'],
] as const;
const PATIENCE_MS = 15_000;

let server: ServerProcess;
let browser: Browser;
let alice: Broadcaster;

beforeAll(async () => {
  const config = lastingFile('config.yaml', 'publish: { graceS: 1 }\n');
  [server, browser] = await Promise.all([
    ServerProcess.start(['--no-sample', '--config', config]),
    launchChromium(),
  ]);
});
afterAll(async () => {
  await browser?.close();
  await alice?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test('the front page says that nobody is live, shows the first stream by itself, and leads to where it plays', async () => {
  const { page, faults } = await openPage(browser, `${server.url}/`);
  page.setDefaultTimeout(PATIENCE_MS);
  await page.getByText('Nobody is live right now').waitFor();
  await screenshot(page, 'front-empty');
  alice = new Broadcaster(`${server.rtmpUrl}/alice`);
  const card = page.getByRole('link', { name: /alice/ });
  await card.filter({ hasText: /Live.*viewer.* · 360p30/ }).waitFor();
  await card.locator('img').waitFor();
  await portray(page, 'front');
  await card.click();
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.getByText(/1 viewer · live for 0:/).waitFor();
  await page.goBack();
  await card.waitFor();
  expect(faults).toEqual([]);
  await page.context().close();
});

test('the page says where to push and to watch, for the name that is typed', async () => {
  const { page } = await openPage(browser, `${server.url}/`);
  const line = (name: string): Promise<string | null> =>
    page.locator(`[data-line="${name}"] code`).textContent();
  await page.getByLabel('Name of your stream').fill('my-show');
  expect(await line('obsServer')).toBe(server.rtmpUrl);
  expect(await line('obsKey')).toBe('my-show');
  expect(await line('ffmpegFile')).toMatch(new RegExp(`-f flv ${server.rtmpUrl}/my-show$`));
  expect(await line('page')).toBe(`${server.url}/watch/my-show`);
  await page.getByLabel('Name of your stream').fill('not a name');
  expect(await line('obsKey')).toBe('my-show');
  await page.context().close();
});

test('many streams are searched, those with most viewers come first, and one is found without reloading', async () => {
  const { page } = await openPage(browser, 'about:blank');
  const streams = Array.from({ length: 60 }, (_, index) => listed(`stream-${index}`, index));
  await page.route('**/api/streams', (route) => route.fulfill({ json: { streams } }));
  await page.goto(`${server.url}/`);
  const titles = page.locator('[data-streams] .card-title');
  await expect.poll(() => titles.first().textContent()).toBe('stream-59');
  expect(await titles.count()).toBe(48);
  await page.getByRole('button', { name: 'Show more' }).click();
  expect(await titles.count()).toBe(60);
  await page.getByRole('searchbox', { name: 'Find a stream' }).fill('M-7');
  await expect.poll(() => titles.allTextContents()).toEqual(['stream-7']);
  await page.getByRole('searchbox').fill('nobody');
  await page.getByText('No live stream has this in its name').waitFor();
  await page.getByRole('searchbox').fill('late');
  streams.push(listed('latecomer', 1));
  await expect.poll(() => titles.allTextContents()).toEqual(['latecomer']);
  await page.unroute('**/api/streams');
  await page.route('**/api/streams', (route) => route.abort());
  await page.getByText(/The server does not answer/).waitFor();
  await page.context().close();
});

test('a stream is watched by keyboard alone, and how it was watched is remembered', async () => {
  const { page, faults } = await openPage(browser, 'about:blank');
  // A browser without a window does not always give its screen.
  await page.addInitScript(() => {
    Element.prototype.requestFullscreen = async function (this: Element) {
      Object.assign(window, { filled: this.className });
    };
  });
  const weight = await weigh(page, `${server.url}/watch/alice`);
  writeFileSync(join(OUTPUT, 'page-weight.json'), `${JSON.stringify(weight, undefined, 2)}\n`);
  console.log(`until the first frame: ${JSON.stringify(weight)}`);
  expect(weight.ours.bytes).toBeLessThan(300_000);
  const video = page.locator('video');
  const property = (name: 'muted' | 'volume'): Promise<unknown> =>
    video.evaluate((element: HTMLVideoElement, key) => element[key], name);
  await portray(page, 'watch');
  await page.keyboard.press('m');
  expect(await property('muted')).toBe(false);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  expect(await property('volume')).toBeCloseTo(0.8);
  await untilStatus(page, 'with a past', ({ framesShown }) => framesShown > 120);
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('button', { name: 'Back to live' }).waitFor();
  await page.keyboard.press('l');
  await untilStatus(page, 'live', ({ isBehind }) => !isBehind);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.getByRole('button', { name: 'Close' }).press('Enter');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  // A dialog takes the keys until it has told that it is closed.
  await expect
    .poll(async () => {
      await page.keyboard.press('f');
      return page.evaluate(() => (window as Window & { filled?: string }).filled);
    })
    .toBe('screen');
  await page.getByRole('button', { name: 'Settings' }).press('Enter');
  await page.getByRole('radio', { name: /Low latency/ }).focus();
  await page.keyboard.press('ArrowUp');
  await untilStatus(page, 'instant', ({ mode, state }) => mode === 'instant' && state === 'playing');
  await page.keyboard.press('Escape');
  expect(new URL(page.url()).search).toBe('?mode=instant');
  await page.goto(`${server.url}/watch/alice`);
  await untilStatus(page, 'as before', ({ mode, state }) => mode === 'instant' && state === 'playing');
  expect([await property('muted'), await property('volume')]).toEqual([false, 0.8]);
  expect(await page.evaluate(() => navigator.mediaSession.metadata?.title)).toBe('alice');
  expect(faults).toEqual([]);
  await page.context().close();
});

test('a stream that is paused is not fetched, and goes on at the live edge', async () => {
  const { page } = await openPage(browser, `${server.url}/watch/alice`);
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.keyboard.press('Space');
  const paused = await untilStatus(page, 'paused', ({ state }) => state === 'paused');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.waitForTimeout(700);
  expect(requests.filter((url) => url.startsWith(server.mediaUrl))).toEqual([]);
  expect((await statusOf(page))?.framesShown).toBe(paused.framesShown);
  await page.getByRole('button', { name: 'Play this stream' }).click();
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.context().close();
});

test('the player is framed by a page of another site, which finds the code for it on the page of the stream', async () => {
  const context = await browser.newContext({ viewport: LOOKS[0][1] });
  const page = await context.newPage();
  await page.goto(`${server.url}/watch/alice`);
  await page.getByRole('button', { name: 'Share / embed' }).click();
  const code = (await page.locator('[data-line="embed"] code').textContent())!;
  expect(code).toContain(`src="${server.url}/embed/alice"`);
  await screenshot(page, 'share');
  const framing = code.replace('/embed/alice', '/embed/alice?autoplay=0&mode=instant');
  const elsewhere = await serveRoutes([pageWith(framing)]);
  await page.goto(`http://127.0.0.1:${elsewhere.port}/`);
  const frame = page.frameLocator('iframe');
  const start = frame.getByRole('button', { name: 'Play this stream' });
  await start.waitFor();
  await start.click();
  await frame.getByText('Live', { exact: true }).waitFor();
  const box = await frame.locator('video').boundingBox();
  expect([box?.width, box?.height]).toEqual([640, 360]);
  await screenshot(page, 'embed-framed');
  await elsewhere.close();
  await page.goto(`${server.url}/embed/alice?muted=0`);
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  expect(await page.locator('video').evaluate((video: HTMLVideoElement) => video.muted)).toBe(false);
  await portray(page, 'embed');
  await context.close();
});

test('what keeps a viewer from watching is told in words: no click yet, no room, no connection', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    let isClicked = false;
    addEventListener('pointerdown', () => (isClicked = true), true);
    const { play } = HTMLVideoElement.prototype;
    HTMLVideoElement.prototype.play = function (this: HTMLVideoElement) {
      if (isClicked) return play.call(this);
      return Promise.reject(new DOMException('no click yet', 'NotAllowedError'));
    };
  });
  await page.goto(`${server.url}/watch/alice?mode=instant`);
  await page.getByText('Your browser wants a click before it plays.').waitFor();
  await page.getByRole('button', { name: 'Play this stream' }).click();
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await context.route('**/live/**', (route) => route.fulfill({ status: 503 }));
  await page.goto(`${server.url}/watch/alice?mode=low-latency`);
  await page.getByText('Every seat is taken').waitFor();
  await context.route('**/api/streams/**', (route) => route.abort());
  await page.getByText('No connection', { exact: true }).waitFor();
  await context.unrouteAll();
  await untilStatus(page, 'blocked or playing', ({ state }) => state === 'blocked' || state === 'playing');
  await context.close();
});

test('without Media Source Extensions the browser plays HLS itself', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource'])
      Object.defineProperty(window, name, { value: undefined });
    HTMLMediaElement.prototype.canPlayType = () => 'maybe';
  });
  await page.goto(`${server.url}/watch/alice`);
  await expect
    .poll(() => page.locator('video').evaluate((video: HTMLVideoElement) => video.src))
    .toBe(`${server.url}/live/alice.m3u8`);
  await context.close();
});

test('a stream that ends is said to have been live, its recording is played, and it goes on without reloading', async () => {
  const { page, faults } = await openPage(browser, `${server.url}/watch/alice`);
  page.setDefaultTimeout(PATIENCE_MS);
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 20);
  await page.evaluate(() => document.body.setAttribute('data-marked', ''));
  await alice[Symbol.asyncDispose]();
  await page.getByText('Not live right now').waitFor();
  await page.getByText(/It was live just now/).waitFor();
  expect(await page.locator('[data-still]').isVisible(), 'the last picture stays').toBe(true);
  await portray(page, 'offline');
  await watchRecording(page.context());
  alice = new Broadcaster(`${server.rtmpUrl}/alice`);
  await untilStatus(page, 'playing again', ({ state }) => state === 'playing');
  expect(await page.evaluate(() => document.body.hasAttribute('data-marked'))).toBe(true);
  expect(faults).toEqual([]);
  await page.context().close();
});

async function watchRecording(context: BrowserContext): Promise<void> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`${server.url}/`);
  const past = page.getByRole('region', { name: 'Past broadcasts' });
  await past.getByRole('link', { name: /alice.*just now/ }).click();
  await expect.poll(() => page.evaluate(() => window.replay?.readyState ?? 0)).toBeGreaterThanOrEqual(2);
  await portray(page, 'replay');
  await page.close();
}

/** Pictures of a page at all widths and in all colours; it fits, and keeps nobody out. */
async function portray(page: Page, name: string): Promise<void> {
  const before = page.viewportSize()!;
  for (const [suffix, size, colorScheme] of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    if (suffix === '' || suffix === '-phone')
      expect(await graveFindings(page), `${name}${suffix}`).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBe(size.width);
    await screenshot(page, `${name}${suffix}`);
  }
  await page.setViewportSize(before);
}

interface Weight {
  readonly requests: number;
  /** As sent, without headers. */
  readonly bytes: number;
}

/** What comes before the first frame: from usher, and from the servers that have the media. */
async function weigh(page: Page, url: string): Promise<{ ours: Weight; media: Weight }> {
  await page.goto(url);
  await untilStatus(page, 'playing', ({ framesShown }) => framesShown > 0);
  const sent = await page.evaluate(() =>
    (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      .concat(performance.getEntriesByType('navigation') as PerformanceResourceTiming[])
      .map(({ name, encodedBodySize }) => ({ name, bytes: encodedBodySize })),
  );
  const isOurs = ({ name }: { name: string }): boolean => name.startsWith(server.url);
  const sum = (all: typeof sent): Weight => ({
    requests: all.length,
    bytes: all.reduce((total, { bytes }) => total + bytes, 0),
  });
  return { ours: sum(sent.filter(isOurs)), media: sum(sent.filter((one) => !isOurs(one))) };
}

function pageWith(content: string): Route {
  const html = `<!doctype html><html lang="en"><title>Elsewhere</title><h1>Elsewhere</h1>${content}</html>`;
  return {
    kind: 'page',
    method: 'GET',
    pattern: /^\/$/,
    handle: (exchange) => send(exchange, 200, 'text/html', html, 'no-store'),
  };
}

function listed(name: string, viewers: number): object {
  return { name, live: true, startedAt: new Date().toISOString(), viewers, thumbnail: null, renditions: [] };
}
