// A page as players are that know nothing of Headwater: hls.js in Chromium, and what the video element tells of stalls.

import { createRequire } from 'node:module';
import type { Browser, Page, Response } from 'playwright-core';
import { openPage } from './chromium.ts';

const HLS_FILE = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');
const STARTED_MS = 20_000;

export interface HlsFigures {
  /** Times that the video had nothing to play (`waiting`), and for how long in all. */
  readonly stalls: number;
  readonly stalledMs: number;
  readonly framesShown: number;
  /** What hls.js called fatal. */
  readonly errors: readonly string[];
}

export class HlsPage implements AsyncDisposable {
  readonly page: Page;
  #host = '';
  #pathways: readonly string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('response', (response) => {
      const url = new URL(response.url());
      if (response.ok() && url.pathname.endsWith('.m4s')) this.#host = url.host;
      if (response.ok() && url.pathname.startsWith('/steer/')) void this.#hear(response);
    });
  }

  /** Resolves once pictures are shown. Without a configuration hls.js is as it comes. */
  static async open(browser: Browser, playlistUrl: string, config: object = {}): Promise<HlsPage> {
    // Chromium lets only pages of the loopback reach the loopback.
    const { page } = await openPage(browser, new URL('/healthz', playlistUrl).href);
    const opened = new HlsPage(page);
    await page.setContent('<video muted autoplay playsinline></video>');
    await page.addScriptTag({ path: HLS_FILE });
    await page.evaluate(play, { url: playlistUrl, config });
    await page.waitForFunction(() => window.watched.framesShown() > 30, undefined, { timeout: STARTED_MS });
    return opened;
  }

  /** Counts stalls anew from here. */
  async begin(): Promise<void> {
    await this.page.evaluate(() => window.watched.begin());
  }

  /** Where the newest media came from: host and port. */
  get host(): string {
    return this.#host;
  }

  /** Where usher told it last that it may go, the best first. */
  get pathways(): readonly string[] {
    return this.#pathways;
  }

  figures(): Promise<HlsFigures> {
    return this.page.evaluate(() => window.watched.figures());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.page.context().close();
  }

  /** Of a page that closes meanwhile nothing is heard any more. */
  async #hear(response: Response): Promise<void> {
    const list = (await response.json().catch(() => undefined)) as SteeringList | undefined;
    if (list) this.#pathways = list['PATHWAY-PRIORITY'];
  }
}

interface SteeringList {
  readonly 'PATHWAY-PRIORITY': readonly string[];
}

declare global {
  interface Window {
    watched: { begin(): void; framesShown(): number; figures(): HlsFigures };
  }
}

interface HlsClass {
  new (
    config: object,
  ): { on(event: string, listener: (event: string, data: HlsError) => void): void } & HlsSource;
  readonly Events: { readonly ERROR: string };
}

interface HlsSource {
  attachMedia(video: HTMLVideoElement): void;
  loadSource(url: string): void;
}

interface HlsError {
  readonly fatal: boolean;
  readonly details: string;
}

/** Runs in the page. */
function play({ url, config }: { readonly url: string; readonly config: object }): void {
  const { Hls } = window as unknown as { Hls: HlsClass };
  const video = document.querySelector('video')!;
  const errors: string[] = [];
  let stalls = 0;
  let stalledMs = 0;
  let waitingSinceMs: number | undefined;
  const settle = (): void => {
    if (waitingSinceMs !== undefined) stalledMs += performance.now() - waitingSinceMs;
    waitingSinceMs = undefined;
  };
  video.addEventListener('waiting', () => {
    if (waitingSinceMs === undefined) stalls++;
    waitingSinceMs ??= performance.now();
  });
  video.addEventListener('playing', settle);
  const framesShown = (): number => video.getVideoPlaybackQuality().totalVideoFrames;
  window.watched = {
    framesShown,
    begin() {
      [stalls, stalledMs, waitingSinceMs] = [0, 0, waitingSinceMs && performance.now()];
      errors.length = 0;
    },
    figures() {
      const goingOnMs = waitingSinceMs === undefined ? 0 : performance.now() - waitingSinceMs;
      return { stalls, stalledMs: stalledMs + goingOnMs, framesShown: framesShown(), errors: [...errors] };
    },
  };
  const hls = new Hls(config);
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
    if (fatal) errors.push(details);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
}
