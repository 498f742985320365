import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, screenshot, statusOf, untilStatus } from '../tools/viewers/chromium.ts';

let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  server = await ServerProcess.start();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

test('the front page waits for the first stream, plays it, lists all and plays the one that is chosen', async () => {
  const { page, faults } = await openPage(browser, `${server.url}/`);
  await page.getByRole('heading', { name: 'No stream is live' }).waitFor();
  await screenshot(page, 'front-empty');
  await using _alice = new Broadcaster(`${server.rtmpUrl}/alice`);
  await untilStatus(page, 'playing alice', ({ stream, state }) => stream === 'alice' && state === 'playing');
  await using _bob = new Broadcaster(`${server.rtmpUrl}/bob`, { size: '320x180' });
  await page.getByRole('link', { name: /bob/ }).click();
  await untilStatus(page, 'playing bob', ({ stream, state }) => stream === 'bob' && state === 'playing');
  expect(new URL(page.url()).search).toBe('?stream=bob');
  await page.goBack();
  await untilStatus(page, 'playing alice', ({ stream, state }) => stream === 'alice' && state === 'playing');
  await screenshot(page, 'front');
  expect(faults).toEqual([]);
});

test('the front page says where to push and to watch, for the name that is typed', async () => {
  const { page } = await openPage(browser, `${server.url}/`, {
    colorScheme: 'light',
    viewport: { width: 390, height: 844 },
  });
  await page.getByLabel('Name of your stream').fill('my-show');
  const line = (name: string): Promise<string | null> =>
    page.locator(`[data-line="${name}"] code`).textContent();
  expect(await line('obsServer')).toBe(server.rtmpUrl);
  expect(await line('obsKey')).toBe('my-show');
  expect(await line('ffmpegFile')).toMatch(new RegExp(`-f flv ${server.rtmpUrl}/my-show$`));
  await page.getByLabel('Name of your stream').fill('not a name');
  expect(await line('obsKey')).toBe('my-show');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, 'nothing is wider than a phone').toBe(390);
  await screenshot(page, 'front-phone');
});

test('a mode is chosen with the keyboard, is kept in the address, and pause ends all traffic', async () => {
  await using _alice = new Broadcaster(`${server.rtmpUrl}/carol`);
  const { page } = await openPage(browser, `${server.url}/watch/carol`);
  await untilStatus(page, 'playing', ({ mode, state }) => mode === 'instant' && state === 'playing');
  await page.getByRole('radio', { name: /Instant/ }).focus();
  await page.keyboard.press('ArrowRight');
  await untilStatus(page, 'playing', ({ mode, state }) => mode === 'low-latency' && state === 'playing');
  expect(new URL(page.url()).search).toBe('?mode=low-latency');
  await page.keyboard.press('k');
  const paused = await untilStatus(page, 'paused', ({ state }) => state === 'paused');
  const requests: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.waitForTimeout(1000);
  expect(requests.filter((url) => url.startsWith(server.mediaUrl))).toEqual([]);
  expect((await statusOf(page))?.framesShown).toBe(paused.framesShown);
  await page.keyboard.press('k');
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.getByRole('button', { name: 'Unmute' }).click();
  expect(await page.evaluate(() => document.querySelector('video')?.muted)).toBe(false);
});
