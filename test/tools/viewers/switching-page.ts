// hls.js as it comes, in Chromium, that is made to change its level again and again: what the video element tells of it.

import { createRequire } from 'node:module';
import type { Browser } from 'playwright-core';
import { openPage } from './chromium.ts';

const HLS_FILE = createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js');

export interface SwitchingFigures {
  /** Times that the video had nothing to play, once it had begun. */
  readonly stalls: number;
  /** The longest time in which the playing position stood still, ms, and its greatest leap beyond what time had passed. */
  readonly stoodMs: number;
  readonly leaptMs: number;
  /** Heights of the pictures that were shown, in order. */
  readonly heights: readonly number[];
  /** Heights of the levels that there were to choose from at the end. */
  readonly listed: readonly number[];
  readonly errors: readonly string[];
  /** Answers that hls.js did not wait for any longer, 0.8 s of a GOP of one second, and asked for again. */
  readonly lateAnswers: number;
  readonly framesShown: number;
  readonly framesDropped: number;
  /** The longest time from a frame to the next, by their own times, ms, none of which came too late to be shown; 0 without a picture. */
  readonly longestFrameMs: number;
  /** Holes in what was buffered, where the player was. */
  readonly holes: number;
  readonly switches: number;
}

export interface Switching {
  readonly everyMs: number;
  readonly times: number;
}

/** Plays, and goes to the next level so many times. */
export async function watchSwitching(
  browser: Browser,
  playlistUrl: string,
  switching: Switching,
): Promise<SwitchingFigures> {
  const { page } = await openPage(browser, new URL('/healthz', playlistUrl).href);
  await page.setContent('<video muted autoplay playsinline></video>');
  await page.addScriptTag({ path: HLS_FILE });
  const figures = await page.evaluate(play, { url: playlistUrl, ...switching });
  await page.context().close();
  return figures;
}

interface Level {
  readonly height: number;
}

interface HlsInPage {
  on(event: string, listener: (event: string, data: { fatal: boolean; details: string }) => void): void;
  attachMedia(video: HTMLVideoElement): void;
  loadSource(url: string): void;
  readonly levels: readonly Level[];
  nextLevel: number;
  destroy(): void;
}

/** Runs in the page. */
async function play({
  url,
  everyMs,
  times,
}: Switching & { readonly url: string }): Promise<SwitchingFigures> {
  const { Hls } = window as unknown as {
    Hls: {
      new (config: object): HlsInPage;
      readonly Events: { readonly ERROR: string; readonly LEVEL_SWITCHED: string };
    };
  };
  const video = document.querySelector('video')!;
  // Stalls are counted by themselves, and what is on its way is given up by each change of level. What stalls for a moment, as on a
  // machine that encodes or decodes late, is moved on by 0.1 s at once where a change has left a hole behind; in vain, it is fatal.
  // A segment may be fetched whole whose parts are there already: with B-frames it is never thought to be all there.
  const harmless = ['bufferStalledError', 'bufferNudgeOnStall', 'bufferAppendNoProgress', 'aborted'];
  const late = ['levelLoadTimeOut', 'fragLoadTimeOut'];
  const errors: string[] = [];
  const heights: number[] = [];
  let [stalls, stoodMs, leaptMs, longestFrameMs, holes, switches, lateAnswers] = [0, 0, 0, 0, 0, 0, 0];
  const hls = new Hls({ startLevel: 0 });
  hls.on(Hls.Events.LEVEL_SWITCHED, () => switches++);
  hls.on(Hls.Events.ERROR, (_, { fatal, details }) => {
    if (!fatal && late.includes(details)) lateAnswers++;
    else if (fatal || !harmless.includes(details)) errors.push(details);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  while (video.currentTime === 0 || video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) await sleep(50);
  await sleep(1_000);
  video.addEventListener('waiting', () => stalls++);
  let last = { atMs: performance.now(), position: video.currentTime };
  let movedAtMs = last.atMs;
  let shown: { mediaTime: number; presentedFrames: number; dropped: number } | undefined;
  const onFrame = (_: number, { mediaTime, presentedFrames }: VideoFrameCallbackMetadata): void => {
    const dropped = video.getVideoPlaybackQuality().droppedVideoFrames;
    // Frames between these two that were shown without a word, or decoded too late by a busy machine, are no gap.
    if (shown && presentedFrames === shown.presentedFrames + 1 && dropped === shown.dropped)
      longestFrameMs = Math.max(longestFrameMs, (mediaTime - shown.mediaTime) * 1000);
    shown = { mediaTime, presentedFrames, dropped };
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  const timer = setInterval(() => {
    const now = { atMs: performance.now(), position: video.currentTime };
    if (now.position > last.position) movedAtMs = now.atMs;
    stoodMs = Math.max(stoodMs, now.atMs - movedAtMs);
    leaptMs = Math.max(leaptMs, (now.position - last.position) * 1000 - (now.atMs - last.atMs));
    if (video.videoHeight !== heights.at(-1)) heights.push(video.videoHeight);
    const { buffered } = video;
    for (let range = 1; range < buffered.length; range++)
      if (last.position < buffered.start(range) && now.position >= buffered.start(range)) holes++;
    last = now;
  }, 20);
  for (let time = 0; time < times; time++) {
    await sleep(everyMs);
    const next = (time + 1) % hls.levels.length;
    hls.nextLevel = next;
    // A player changes behind what it has in hand, which takes as long as it takes; without a picture there is nothing to see.
    const { height } = hls.levels[next]!;
    const patientUntilMs = performance.now() + 20_000;
    while (height > 0 && video.videoHeight !== height && performance.now() < patientUntilMs) await sleep(20);
  }
  await sleep(everyMs);
  clearInterval(timer);
  const { totalVideoFrames: framesShown, droppedVideoFrames: framesDropped } =
    video.getVideoPlaybackQuality();
  const listed = hls.levels.map(({ height }) => height);
  hls.destroy();
  const shownFigures = { heights, listed, framesShown, framesDropped, longestFrameMs };
  return { stalls, stoodMs, leaptMs, ...shownFigures, errors, lateAnswers, holes, switches };
}
