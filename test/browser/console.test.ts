import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Snapshot } from '../../network/state/state.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { graveFindings } from '../tools/viewers/axe.ts';
import {
  launchChromium,
  openPage,
  screenshot,
  untilStatus,
  type WatchedPage,
} from '../tools/viewers/chromium.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';
import { TcpProxy } from '../tools/world/tcp-proxy.ts';

const DESKTOP = { width: 1360, height: 900 };
const PHONE = { width: 390, height: 844 };
const PATIENCE_MS = 30_000;
const CONFIG = {
  id: 'ams-1',
  site: 'ams',
  egressMbps: 1_000,
  map: { topology: join(import.meta.dirname, '../../network/map/example.yaml') },
};

/** What each page shows of the one server and its one stream. */
const PAGES: Readonly<Record<string, readonly [path: string, shows: (page: Page) => Promise<unknown>]>> = {
  network: [
    '/console',
    async (page) => {
      await page.getByRole('link', { name: /^ams .*bps \d+ viewers, \d+ % full$/ }).waitFor();
      await page.getByRole('row', { name: /^ams 0 .* of 1.00 Gbps/ }).waitFor();
      await page.getByText('ams-1 takes viewers again').waitFor();
    },
  ],
  streams: [
    '/console/streams',
    (page) => page.getByRole('row', { name: /^alice .*Mbps.* ams-1 / }).waitFor(),
  ],
  stream: [
    '/console/streams/alice',
    async (page) => {
      await page.getByRole('link', { name: /ams-1 \d+ viewers · ams/ }).waitFor();
      await page.getByRole('row', { name: /^source 640 × 360, 30 fps/ }).waitFor();
      await page.getByText(/peak .* Mbps at \d\d:\d\d/).waitFor();
    },
  ],
  servers: [
    '/console/servers',
    (page) => page.getByRole('row', { name: /^ams-1 .* of 1.00 Gbps/ }).waitFor(),
  ],
  server: [
    '/console/servers/ams-1',
    async (page) => {
      await page.getByRole('row', { name: /^alice .* its broadcaster/ }).waitFor();
      await page.getByText('ams-1 takes viewers again').waitFor();
    },
  ],
  site: [
    '/console/sites/ams',
    async (page) => {
      await page.getByRole('row', { name: /^amsix peering/ }).waitFor();
      await page.getByRole('row', { name: /^iad .* 80 ms/ }).waitFor();
    },
  ],
  explain: [
    '/console/explain?stream=alice&from=52.5,13.4',
    (page) => page.getByRole('row', { name: /^ams-1 ams yes.* chosen$/ }).waitFor(),
  ],
  events: ['/console/events', (page) => page.getByText('ams-1 is being drained').waitFor()],
};

let server: ServerProcess;
let broadcaster: Broadcaster;
let browser: Browser;
let folder: string;
let signedIn: BrowserContextOptions;

beforeAll(async () => {
  folder = lastingFolder();
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(CONFIG));
  const flags = ['--no-sample', '--config', join(folder, 'config.yaml'), '--data', folder];
  [server, browser] = await Promise.all([ServerProcess.start(flags), launchChromium()]);
  broadcaster = new Broadcaster(`${server.rtmpUrl}/alice`);
  await server.logged(({ msg }) => msg === 'on air');
});
afterAll(async () => {
  await browser?.close();
  await broadcaster?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

test('nobody sees the console who is not signed in; the token in the data folder signs in', async () => {
  const { page } = await openPage(browser, `${server.url}/console/servers`);
  await page.getByLabel('Token').fill(readFileSync(join(folder, 'admin-token'), 'utf8').trim());
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: /^Servers/ }).waitFor();
  signedIn = { storageState: await page.context().storageState() };
  expect(new URL(page.url()).pathname).toBe('/console/servers');
});

test('a server is drained and undrained by buttons that ask once more, by keyboard alone', async () => {
  const { page } = await open('/console/servers/ams-1');
  await page.getByRole('button', { name: 'Drain ams-1', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Drain ams-1?' }).waitFor();
  await screenshot(page, 'console-drain');
  await page.keyboard.press('Escape');
  expect((await snapshot()).drains).toEqual({});
  await page.keyboard.press('Enter');
  await page.getByLabel(/^End broadcasts after/).fill('30');
  await page.keyboard.press('Enter');
  await page.getByText(/draining \d+ s.*1 broadcast left, until/).waitFor();
  expect((await snapshot()).drains['ams-1']?.deadlineMs).toBeGreaterThan(Date.now() + 29 * 60_000);
  await page.getByRole('button', { name: 'Undrain ams-1' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undrain' }).click();
  await page.getByRole('button', { name: 'Drain ams-1', exact: true }).waitFor();
  expect((await snapshot()).drains).toEqual({});
  await page.getByText('ams-1 takes viewers again').waitFor();
});

test.each(Object.entries(PAGES))(
  'the page %s shows what there is, in dark and light, on desktops and phones, to everybody',
  async (name, [path, shows]) => {
    const { page, faults } = await open(path, { viewport: DESKTOP, colorScheme: 'dark' });
    await page.getByText('Live', { exact: true }).waitFor();
    await shows(page);
    await screenshot(page, `console-${name}`);
    expect(await graveFindings(page), 'dark, desktop').toEqual([]);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(PHONE);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), 'as wide as a phone').toBe(390);
    expect(await graveFindings(page), 'light, phone').toEqual([]);
    await screenshot(page, `console-${name}-phone`);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);

test('a stream is watched on its page, and nobody is a viewer before that', async () => {
  const { page } = await open('/console/streams/alice');
  await page.getByRole('button', { name: 'Watch it here' }).click();
  await untilStatus(page, 'playing', ({ state }) => state === 'playing');
  await page.getByRole('link', { name: 'ams-1 1 viewer · ams' }).waitFor();
  await screenshot(page, 'console-watching');
  await page.context().close();
});

test('the first key leads past the head, and tables are sorted and filtered without a pointer', async () => {
  await using _bob = new Broadcaster(`${server.rtmpUrl}/bob`, { size: '320x180' });
  const { page } = await open('/console/streams');
  await page.getByRole('row', { name: /^bob / }).waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
  await page.getByRole('button', { name: 'Stream', exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Stream', exact: true }).press('Enter');
  const names = page.locator('tbody th');
  await expect.poll(() => names.allTextContents()).toEqual(['bob', 'alice']);
  await page.getByLabel('Filter by name or origin').fill('ALI');
  await expect.poll(() => names.allTextContents()).toEqual(['alice']);
  await page.getByText('1 of 2').waitFor();
});

test('a place that is clicked on the map is explained', async () => {
  const { page } = await open('/console/explain?stream=alice');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.locator('[data-land]').click({ position: { x: 60, y: 200 } });
  await page.getByRole('row', { name: /^ams-1 ams yes.* chosen$/ }).waitFor();
  expect(new URL(page.url()).searchParams.get('from')).toMatch(/^-?\d+\.\d+, -?\d+\.\d+$/);
  await page.getByLabel(/^Address/).fill('nowhere');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByText("address='nowhere' is no IP address").waitFor();
});

test('a page that loses usher says so, and goes on by itself when it is back', async () => {
  await using proxy = await TcpProxy.before(Number(new URL(server.url).port));
  const { page } = await openPage(browser, `${proxy.url}/console/events`, signedIn);
  await page.getByText('Live', { exact: true }).waitFor();
  proxy.freeze();
  proxy.break();
  await page.getByText('Connection lost, trying again').waitFor();
  proxy.thaw();
  await page.getByText('Live', { exact: true }).waitFor();
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const watched = await openPage(browser, `${server.url}${path}`, { ...signedIn, ...options });
  watched.page.setDefaultTimeout(PATIENCE_MS);
  return watched;
}

async function snapshot(): Promise<Snapshot> {
  const { cookies } = signedIn.storageState as {
    readonly cookies: readonly { name: string; value: string }[];
  };
  const Cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  return (await fetch(`${server.url}/api/cluster`, { headers: { Cookie } })).json() as Promise<Snapshot>;
}
