import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MODES, type Mode } from '../../usher/player/playback/modes.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import {
  launchChromium,
  OUTPUT,
  openPage,
  screenshot,
  statusOf,
  untilStatus,
} from '../tools/viewers/chromium.ts';

/** What the player is made for, on a machine of its own. Held here are three times that: test files share two cores. */
const TARGET_P95_MS: Readonly<Record<Mode, number>> = { instant: 150, 'low-latency': 450, steady: 1600 };
const ALLOWANCE = 3;
/** Time to settle at the wanted distance from the live edge; what is measured comes after it. */
const SETTLE_MS = 6_000;
/** `WATCH_S=30 npm test` for figures to quote. */
const WATCH_MS = Number(process.env['WATCH_S'] ?? 8) * 1000;
/** None is the aim, and `latency.json` says how many there were; a virtual machine that pauses for a moment may cost one. */
const MAX_STALLED_MS = 1_000;

const figures: Record<string, object> = {};
let server: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;

beforeAll(async () => {
  server = await ServerProcess.start();
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  browser = await launchChromium();
});
afterAll(async () => {
  mkdirSync(OUTPUT, { recursive: true });
  writeFileSync(join(OUTPUT, 'latency.json'), `${JSON.stringify(figures, undefined, 2)}\n`);
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

describe.each(MODES)('in the mode %s', (mode) => {
  test('a stream plays on, near the live edge', {
    retry: 1,
    timeout: 90_000,
  }, async () => {
    const { page, faults } = await openPage(browser, `${server.url}/watch/alice?mode=${mode}`);
    await untilStatus(page, 'playing', ({ state }) => state === 'playing', 20_000);
    await page.waitForTimeout(SETTLE_MS);
    const before = (await statusOf(page))!;
    await page.waitForTimeout(WATCH_MS);
    const after = (await statusOf(page))!;
    await screenshot(page, `watch-${mode}`);
    await page.context().close();
    figures[mode] = figuresOf(after);
    expect(after).toMatchObject({
      mode,
      state: 'playing',
      width: 640,
      height: 360,
      frameRate: 30,
    });
    expect(after.stalledMs - before.stalledMs).toBeLessThan(MAX_STALLED_MS);
    expect(after.errors).toEqual(before.errors);
    expect(after.framesShown - before.framesShown).toBeGreaterThan(25 * (WATCH_MS / 1000));
    expect(after.latencyMs).toBeGreaterThan(0);
    expect(after.latencyP95Ms).toBeLessThan(ALLOWANCE * TARGET_P95_MS[mode]);
    expect(faults).toEqual([]);
  });
});

function figuresOf(status: NonNullable<Awaited<ReturnType<typeof statusOf>>>): object {
  const { latencyMs, latencyP95Ms, bufferMs, stalls, stalledMs, framesShown } = status;
  return { latencyMs, latencyP95Ms, bufferMs, stalls, stalledMs, framesShown };
}
