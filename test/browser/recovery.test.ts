import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Mode } from '../../usher/player/playback/modes.ts';
import type { PlayerStatus } from '../../usher/player/status.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { type Broadcast, Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, screenshot, statusOf, untilStatus } from '../tools/viewers/chromium.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

const GRACE_S = 4;
const MODES: readonly Mode[] = ['instant', 'low-latency'];

let server: ServerProcess;
let browser: Browser;
let broadcaster: Broadcaster;

beforeAll(async () => {
  const config = lastingFile('config.yaml', `publish: { graceS: ${GRACE_S} }\n`);
  server = await ServerProcess.start(['--no-sample', '--config', config]);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
});

beforeEach(({ task }) => {
  stream = `stream-${task.id.replaceAll(/\W/g, '')}`;
  broadcast();
});
afterEach(() => broadcaster[Symbol.asyncDispose]());

let stream: string;

describe.each(MODES)('in the mode %s', (mode) => {
  test('a viewer sees a broadcaster come back in time without reloading', async () => {
    const page = await playing(mode);
    await broadcaster[Symbol.asyncDispose]();
    const gone = await untilStatus(page, 'without picture', ({ state }) => state !== 'playing');
    broadcast();
    const back = await untilStatus(page, 'playing again', isPlayingSince(gone));
    expect(back.epochChanges).toBe(1);
    expect(await isSamePage(page)).toBe(true);
    await settled(page, mode);
  });

  test('a viewer sees a broadcaster come back with another picture and sound', async () => {
    const page = await playing(mode);
    await broadcaster[Symbol.asyncDispose]();
    broadcast({ size: '480x270', sampleRate: 44_100, profile: 'high' });
    const back = await untilStatus(
      page,
      'in the new size',
      ({ width, state, epochChanges }) => width === 480 && state === 'playing' && epochChanges > 0,
    );
    expect(back.height).toBe(270);
    expect(back.epochChanges).toBe(1);
    expect(await isSamePage(page)).toBe(true);
    await settled(page, mode);
  });

  test('a viewer of a stream that has ended waits and sees it start again', async () => {
    const page = await playing(mode);
    await broadcaster[Symbol.asyncDispose]();
    await untilStatus(page, 'away', ({ state }) => state === 'away');
    await screenshot(page, `away-${mode}`);
    const gone = await untilStatus(page, 'offline', ({ state }) => state === 'offline');
    await screenshot(page, `offline-${mode}`);
    broadcast();
    await untilStatus(page, 'playing again', isPlayingSince(gone));
    expect(await isSamePage(page)).toBe(true);
    await settled(page, mode);
  });
});

test('a page that is opened before its stream plays it as soon as it is there', async () => {
  const { page } = await openPage(browser, `${server.url}/watch/later`);
  await untilStatus(page, 'offline', ({ state }) => state === 'offline');
  await using _later = new Broadcaster(`${server.rtmpUrl}/later`);
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.context().close();
});

function broadcast(options?: Broadcast): void {
  broadcaster = new Broadcaster(`${server.rtmpUrl}/${stream}`, options);
}

/** A page that plays the stream; it is marked, so that a reload would be seen. */
async function playing(mode: Mode): Promise<Page> {
  const { page } = await openPage(browser, `${server.url}/watch/${stream}?mode=${mode}`);
  await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 30);
  await page.evaluate(() => document.body.setAttribute('data-marked', ''));
  return page;
}

function isSamePage(page: Page): Promise<boolean> {
  return page.evaluate(() => document.body.hasAttribute('data-marked'));
}

function isPlayingSince(before: PlayerStatus): (status: PlayerStatus) => boolean {
  return ({ state, framesShown, epochChanges }) =>
    state === 'playing' &&
    (epochChanges > before.epochChanges || before.framesShown === 0) &&
    framesShown > 30;
}

/** Back near the live edge, and moving. */
async function settled(page: Page, mode: Mode): Promise<void> {
  const limitMs = mode === 'instant' ? 500 : 1500;
  const near = await untilStatus(
    page,
    'near the live edge',
    ({ latencyMs }) => latencyMs !== undefined && latencyMs < limitMs,
  );
  await untilStatus(page, 'moving', ({ framesShown }) => framesShown > near.framesShown + 30);
  expect((await statusOf(page))?.state).toBe('playing');
  await page.context().close();
}
