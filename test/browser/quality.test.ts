// The renditions of a stream in Chromium: the player's menu, and hls.js as it comes that is made to change again and again.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { until } from '../tools/cluster/test-cluster.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, untilStatus } from '../tools/viewers/chromium.ts';
import { watchSwitching } from '../tools/viewers/switching-page.ts';

const CONFIG = {
  roles: ['origin', 'edge', 'transcoder'],
  transcode: { ladder: ['180p30', '90p30'], preset: 'ultrafast' },
};

let server: ServerProcess;
let browser: Browser;
let broadcaster: Broadcaster;

beforeAll(async () => {
  const config = join(mkdtempSync(join(tmpdir(), 'headwater-config-')), 'config.yaml');
  writeFileSync(config, JSON.stringify(CONFIG));
  server = await ServerProcess.start(['--no-sample', '--config', config]);
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  browser = await launchChromium();
  await until(
    () => 'the ladder is listed',
    async () => (await (await fetch(`${server.url}/live/alice.m3u8`)).text()).includes('"90p30"'),
  );
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test.concurrent('a viewer chooses a rendition in the menu, sees it, and goes back to what the network allows', async () => {
  const { page, faults } = await openPage(browser, `${server.url}/watch/alice?mode=steady`);
  await untilStatus(
    page,
    'offering a choice',
    ({ state, levels }) => state === 'playing' && levels.names.length === 3,
  );
  const menu = page.getByLabel('Quality');
  for (const [name, lines] of [
    ['90p30', 90],
    ['180p30', 180],
  ] as const) {
    await menu.selectOption({ label: name });
    await untilStatus(page, `showing ${name}`, ({ height }) => height === lines);
  }
  await menu.selectOption('auto');
  await untilStatus(page, 'on auto', ({ levels }) => levels.wanted === undefined);
  expect(faults).toEqual([]);
});

test.concurrent('hls.js shows every rendition in turn, and its position never leaps', async () => {
  const figures = await watchSwitching(browser, `${server.url}/live/alice.m3u8`, {
    everyMs: 1_500,
    times: 4,
  });
  expect(figures.errors).toEqual([]);
  expect(new Set(figures.heights)).toEqual(new Set([90, 180, 360]));
  expect(figures.leaptMs).toBeLessThan(300);
});
