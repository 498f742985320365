// The renditions of a stream in Chromium: the player's menu, and hls.js as it comes that is made to change again and again.

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { writeFlvFile } from '../tools/media/flv-file.ts';
import { sourceOf } from '../tools/media/source-kinds.ts';
import { FileBroadcast } from '../tools/rtmp/file-broadcast.ts';
import { launchChromium, openPage, untilStatus } from '../tools/viewers/chromium.ts';
import { watchSwitching } from '../tools/viewers/switching-page.ts';

/**
 * A worker of its own, for one that serves viewers too gives up rungs when its process waits for the CPU; encoders that stand back
 * are given next to nothing by a machine that all test files share.
 */
const SERVERS = {
  o: { site: 'fra1', roles: ['origin', 'edge'] },
  w: { site: 'fra1', roles: ['transcoder'], transcode: { preset: 'ultrafast', slots: 4, nice: 0 } },
} as const;
const LADDER = ['90p30', '46p30'];

const KINDS = {
  alice: 'B-frames, sound at 48 kHz',
  open: 'open GOPs, mono sound at 44.1 kHz',
  variable: 'a variable frame rate',
} as const;
/** Longer than it is watched. */
const SECONDS = 40;

const opened = new AsyncDisposableStack();
let url = '';
let browser: Browser;

beforeAll(async () => {
  const streams = Object.keys(KINDS);
  const usherConfig = { transcode: { ladder: LADDER } };
  const cluster = opened.use(
    await TestCluster.start({ servers: SERVERS, ushers: ['u'], usherConfig, streams }),
  );
  url = cluster.usher('u').url;
  for (const [stream, kind] of Object.entries(KINDS))
    opened.use(new FileBroadcast(cluster.publishUrl('o', stream), writeFlvFile(sourceOf(kind, SECONDS))));
  browser = await launchChromium();
  opened.defer(() => browser.close());
  for (const stream of streams)
    await until(
      () => `the ladder of ${stream} is listed`,
      async () => /"46p\d+"/.test(await (await fetch(`${url}/live/${stream}.m3u8`)).text()),
    );
});
afterAll(() => opened.disposeAsync());

test.concurrent('a viewer chooses a rendition in the menu, sees it, and goes back to what the network allows', async () => {
  const { page, faults } = await openPage(browser, `${url}/watch/alice?mode=steady`);
  await untilStatus(
    page,
    'offering a choice',
    ({ state, levels }) => state === 'playing' && levels.names.length === 3,
  );
  await page.getByRole('button', { name: 'Settings' }).click();
  const menu = page.getByRole('combobox', { name: 'Quality' });
  for (const [name, lines] of [
    ['46p30', 46],
    ['90p30', 90],
  ] as const) {
    await menu.selectOption({ label: name });
    await untilStatus(page, `showing ${name}`, ({ height }) => height === lines);
  }
  await menu.selectOption('auto');
  await untilStatus(page, 'on auto', ({ levels }) => levels.wanted === undefined);
  expect(faults).toEqual([]);
});

test.concurrent.each(Object.entries(KINDS))(
  'hls.js shows every rendition of %s in turn, without a hole or a leap: %s',
  async (stream) => {
    const figures = await watchSwitching(browser, `${url}/live/${stream}.m3u8`, {
      everyMs: 1_500,
      times: 3,
    });
    expect(figures.errors).toEqual([]);
    expect(figures.holes).toBe(0);
    expect(figures.listed.length).toBeGreaterThan(1);
    expect(figures.heights).toEqual(expect.arrayContaining([...figures.listed]));
    expect(figures.leaptMs).toBeLessThan(300);
  },
);
