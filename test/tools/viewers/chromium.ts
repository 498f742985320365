// A real browser for tests: Chromium, which has the page's own numbers and a picture of what it shows.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { PlayerStatus } from '../../../usher/player/status.ts';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];
const VIEWPORT = { width: 1280, height: 900 };

/** Chromium without a window and all that is around one, which takes half of the time that a page does. */
const SHELL = '/usr/bin/chromium-headless-shell';

/** What test runs leave behind for people to look at. */
export const OUTPUT = join(import.meta.dirname, '../../output');

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: SHELL, args: ARGS });
}

/** A page with everything that went wrong in it: uncaught errors, broken policies, failed requests for our own files. */
export interface WatchedPage {
  readonly page: Page;
  readonly faults: readonly string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: VIEWPORT, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    const isPolicy = /Content Security Policy|Refused to/.test(message.text());
    if (isPolicy) faults.push(message.text());
  });
  page.on('response', (response) => {
    if (response.url().includes('/assets/') && response.status() >= 400) faults.push(response.url());
  });
  await page.goto(url);
  return { page, faults };
}

/** What the page says of its player; undefined before it has one. */
export function statusOf(page: Page): Promise<PlayerStatus | undefined> {
  return page.evaluate(() => window.headwater);
}

/** Resolves with the first status for which `is` holds; rejects with the last one when that takes too long. */
export async function untilStatus(
  page: Page,
  what: string,
  is: (status: PlayerStatus) => boolean,
  timeoutMs = 40_000,
): Promise<PlayerStatus> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const status = await statusOf(page);
    if (status && is(status)) return status;
    if (performance.now() > deadline)
      throw new Error(`not ${what} within ${timeoutMs} ms: ${JSON.stringify(status)}`);
    await page.waitForTimeout(50);
  }
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(OUTPUT, { recursive: true });
  await page.screenshot({ path: join(OUTPUT, `${name}.png`), animations: 'disabled' });
}
