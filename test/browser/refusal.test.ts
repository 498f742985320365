import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../network/token.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, statusOf, untilStatus } from '../tools/viewers/chromium.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

const SECRET = 'a secret for this test alone';
const MODES = ['instant', 'low-latency'] as const;

let server: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;

beforeAll(async () => {
  const config = lastingFile('config.yaml', `secrets: ['${SECRET}']\nplayback: { access: signed }\n`);
  server = await ServerProcess.start(['--no-sample', '--config', config]);
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice?key=${sign('publish', 'alice')}`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

describe.each(MODES)('in the mode %s', (mode) => {
  test('a viewer with a token plays, and the token is told to nobody but usher', async () => {
    const token = sign('play', 'alice');
    const { page } = await openPage(browser, `${server.url}/watch/alice?mode=${mode}&token=${token}`);
    const told: string[] = [];
    page.on('request', (request) => {
      if (`${request.url()} ${request.headers().referer}`.includes(token))
        told.push(new URL(request.url()).origin);
    });
    await untilStatus(page, 'playing', ({ state }) => state === 'playing');
    expect(new Set(told)).not.toContain(server.mediaUrl);
    await page.context().close();
  });

  test('viewers without a token, and with one for another stream, are told so and ask no more', async () => {
    const pages = await Promise.all(['', `&token=${sign('play', 'bob')}`].map(refused));
    const asked: string[] = [];
    for (const page of pages) page.on('request', (request) => asked.push(request.url()));
    await pages[0]!.waitForTimeout(1500);
    expect(asked.filter((url) => url.includes('/live/'))).toEqual([]);
    for (const page of pages) await page.context().close();
  });

  async function refused(query: string): Promise<Page> {
    const { page } = await openPage(browser, `${server.url}/watch/alice?mode=${mode}${query}`);
    const { detail } = await untilStatus(page, 'refused', ({ state }) => state === 'refused');
    expect(detail).toContain('403');
    return page;
  }

  test('a viewer whose browser has no decoder is told so', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.addInitScript(() => {
      MediaSource.isTypeSupported = () => false;
    });
    await page.goto(`${server.url}/watch/alice?mode=${mode}&token=${sign('play', 'alice')}`);
    await untilStatus(page, 'unsupported', ({ state }) => state === 'unsupported');
    expect((await statusOf(page))?.detail).not.toBe('');
    await context.close();
  });
});

test.concurrent('a viewer whom a full server refuses goes to the next one in its list, and does not ask the full one again', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const asked: string[] = [];
  await page.route('**/live/alice.m3u8*', async (route) => {
    const playlist = await (await route.fetch()).text();
    await route.fulfill({
      body: withFullPathwayFirst(playlist),
      contentType: 'application/vnd.apple.mpegurl',
    });
  });
  await page.route('**/full/**', (route) => route.fulfill({ status: 503, headers: { 'Retry-After': '5' } }));
  page.on('request', (request) => {
    if (request.url().includes('index.m3u8')) asked.push(new URL(request.url()).pathname.split('/')[1]!);
  });
  await page.goto(`${server.url}/watch/alice?mode=low-latency&token=${sign('play', 'alice')}`);
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 10);
  expect(asked.slice(0, 3)).toEqual(['full', 'play', 'play']);
  await context.close();
});

test.concurrent('a viewer whose address at a server is good no longer gets another one from usher, and plays on', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const addresses = new Set<string>();
  let areOver = false;
  await page.route('**/play/**', async (route) => {
    const address = new URL(route.request().url()).pathname.split('/')[2]!;
    if (!areOver) addresses.add(address);
    if (areOver && addresses.has(address)) await route.fulfill({ status: 403 });
    else await route.continue();
  });
  await page.goto(`${server.url}/watch/alice?mode=low-latency&token=${sign('play', 'alice')}`);
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 30);
  areOver = true;
  await untilStatus(page, 'without media', ({ state }) => state !== 'playing');
  await untilStatus(
    page,
    'playing again',
    ({ state, framesShown }) => state === 'playing' && framesShown > 30,
  );
  await context.close();
});

test.concurrent('a viewer to whom nothing is shown of a stream that goes on begins anew', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript(loseMediaOfFirstBuffer);
  await page.goto(`${server.url}/watch/alice?mode=low-latency&token=${sign('play', 'alice')}`);
  const { errors } = await untilStatus(page, 'playing', ({ framesShown }) => framesShown > 30);
  expect(errors.some((error) => error.startsWith('nothing plays'))).toBe(true);
  await context.close();
});

/** Runs in the page: what is appended to its first buffer is taken, and is not there. */
function loseMediaOfFirstBuffer(): void {
  const { appendBuffer } = SourceBuffer.prototype;
  let first: SourceBuffer | undefined;
  SourceBuffer.prototype.appendBuffer = function (bytes) {
    first ??= this;
    appendBuffer.call(this, this === first ? new Uint8Array() : bytes);
  };
}

/** The multivariant playlist with each variant at a server that is full, and then where it is; nobody steers. */
function withFullPathwayFirst(playlist: string): string {
  return playlist
    .replace(/#EXT-X-CONTENT-STEERING.*\n/, '')
    .replace(/(#EXT-X-STREAM-INF.*)PATHWAY-ID="[^"]*"(.*)/g, (variant, before: string, after: string) =>
      [`${before}PATHWAY-ID="full"${after}`, `${server.mediaUrl}/full/index.m3u8`, variant].join('\n'),
    );
}

function sign(purpose: 'play' | 'publish', stream: string): string {
  return signToken([SECRET], { purpose, stream, expiresAtMs: Date.now() + 60_000, session: '' });
}
