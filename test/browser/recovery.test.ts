import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
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

test('viewers see a broadcaster come back in time without reloading', async () => {
  const viewers = await playing();
  await broadcaster[Symbol.asyncDispose]();
  const gone = await untilAll(viewers, 'without picture', ({ state }) => state !== 'playing');
  broadcast();
  const back = await untilAll(viewers, 'playing again', isPlayingSince(gone));
  expect(back.map(({ epochChanges }) => epochChanges)).toEqual([1, 1]);
  await settled(viewers);
});

test('viewers see a broadcaster come back with another picture and sound', async () => {
  const viewers = await playing();
  await broadcaster[Symbol.asyncDispose]();
  broadcast({ size: '480x270', sampleRate: 44_100, profile: 'high' });
  const back = await untilAll(
    viewers,
    'in the new size',
    ({ width, state, epochChanges }) => width === 480 && state === 'playing' && epochChanges > 0,
  );
  for (const { height, epochChanges } of back) expect([height, epochChanges]).toEqual([270, 1]);
  await settled(viewers);
});

test('viewers of a stream that has ended wait and see it start again', async () => {
  const viewers = await playing();
  await broadcaster[Symbol.asyncDispose]();
  await untilAll(viewers, 'away', ({ state }) => state === 'away');
  await Promise.all(viewers.map(({ page, mode }) => screenshot(page, `away-${mode}`)));
  const gone = await untilAll(viewers, 'offline', ({ state }) => state === 'offline');
  await Promise.all(viewers.map(({ page, mode }) => screenshot(page, `offline-${mode}`)));
  broadcast();
  await untilAll(viewers, 'playing again', isPlayingSince(gone));
  await settled(viewers);
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

interface Viewer {
  readonly mode: Mode;
  readonly page: Page;
}

/** Pages that play the stream, one in each mode; they are marked, so that a reload would be seen. */
function playing(): Promise<Viewer[]> {
  return Promise.all(
    MODES.map(async (mode) => {
      const { page } = await openPage(browser, `${server.url}/watch/${stream}?mode=${mode}`);
      await untilStatus(page, 'playing', ({ state, framesShown }) => state === 'playing' && framesShown > 30);
      await page.evaluate(() => document.body.setAttribute('data-marked', ''));
      return { mode, page };
    }),
  );
}

/** The first status of each for which `is` holds, in their order. */
function untilAll(
  viewers: readonly Viewer[],
  what: string,
  is: (status: PlayerStatus, viewer: number) => boolean,
): Promise<PlayerStatus[]> {
  return Promise.all(
    viewers.map(({ page, mode }, at) =>
      untilStatus(page, `${what} in the mode ${mode}`, (status) => is(status, at)),
    ),
  );
}

function isPlayingSince(before: readonly PlayerStatus[]): (status: PlayerStatus, viewer: number) => boolean {
  return ({ state, framesShown, epochChanges }, viewer) =>
    state === 'playing' &&
    (epochChanges > before[viewer]!.epochChanges || before[viewer]!.framesShown === 0) &&
    framesShown > 30;
}

/** Back near the live edge, moving, and without a reload. */
async function settled(viewers: readonly Viewer[]): Promise<void> {
  const near = await untilAll(
    viewers,
    'near the live edge',
    ({ latencyMs }, at) =>
      latencyMs !== undefined && latencyMs < (viewers[at]!.mode === 'instant' ? 500 : 1500),
  );
  await untilAll(viewers, 'moving', ({ framesShown }, at) => framesShown > near[at]!.framesShown + 30);
  for (const { page } of viewers) {
    expect((await statusOf(page))?.state).toBe('playing');
    expect(await page.evaluate(() => document.body.hasAttribute('data-marked'))).toBe(true);
    await page.context().close();
  }
}
