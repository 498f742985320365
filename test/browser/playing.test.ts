import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MODES, type Mode } from '../../usher/player/playback/modes.ts';
import type { PlayerStatus } from '../../usher/player/status.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, screenshot, untilStatus } from '../tools/viewers/chromium.ts';

/** What the player is made for, on a machine of its own. To be reached here is three times that: test files share two cores. */
const TARGET_MS: Readonly<Record<Mode, number>> = { instant: 150, 'low-latency': 450, steady: 1600 };
const ALLOWANCE = 3;
const SOME_FRAMES = 150;

let server: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;

beforeAll(async () => {
  server = await ServerProcess.start();
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test.concurrent.each(MODES)(
  'a stream plays on, near the live edge, in the mode %s',
  { timeout: 120_000 },
  async (mode) => {
    const { page, faults } = await openPage(browser, `${server.url}/watch/alice?mode=${mode}`);
    const near = await untilStatus(
      page,
      'near the live edge',
      ({ state, latencyMs = Number.POSITIVE_INFINITY }) =>
        state === 'playing' && latencyMs > 0 && latencyMs < ALLOWANCE * TARGET_MS[mode],
    );
    const later = await untilStatus(page, 'playing on', hasShown(near.framesShown + SOME_FRAMES));
    // A page that is there with the first frame hears of the rate when it next asks usher.
    expect(later).toMatchObject({ mode, width: 640, height: 360, frameRate: 30 });
    await screenshot(page, `watch-${mode}`);
    await page.context().close();
    expect(faults).toEqual([]);
  },
);

function hasShown(frames: number): (status: PlayerStatus) => boolean {
  return ({ state, framesShown }) => state === 'playing' && framesShown > frames;
}
