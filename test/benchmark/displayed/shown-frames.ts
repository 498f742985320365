// What a page puts on the screen: the number that is drawn in each frame, when the frame is displayed, and when there is none to show.

import type { Page } from 'playwright-core';
import { systemClock as clock } from '../../../network/clock.ts';
import { ServerClock } from '../../../usher/player/meter/server-clock.ts';
import { type Frame, Stalls } from '../../../usher/player/meter/stalls.ts';
import { NUMBER } from '../recording.ts';

/** When each of the recording's frames was sent, by its number: once in each turn, the earliest first. */
export type SendTimes = ReadonlyMap<number, readonly number[]>;

export interface ShownFigures {
  /** From a frame's being sent to its being displayed, each frame. */
  readonly delaysMs: readonly number[];
  /** What was buffered ahead of the playhead whenever a frame was shown. */
  readonly aheadMs: readonly number[];
  readonly stalls: number;
  readonly stalledMs: number;
  readonly framesPerS: number;
}

/** Watches the page's only video for so long. */
export async function watchShown(page: Page, sent: SendTimes, forMs: number): Promise<ShownFigures> {
  const pageClock = await compareClocks(page);
  await page.evaluate(record, NUMBER);
  await page.waitForTimeout(forMs);
  const sightings = await page.evaluate(() => window.sightings);
  const endMs = pageClock.at(clock.monotonic())!;
  const frames = sightings.filter((sighting) => sighting.kind === 'frame');
  const delaysMs = frames.map(({ number, displayedAtMs }) => {
    const sentMs = sent.get(number)?.findLast((atMs) => pageClock.at(atMs)! < displayedAtMs);
    if (sentMs === undefined) throw new Error(`frame ${number} is shown and was not sent`);
    return displayedAtMs - pageClock.at(sentMs)!;
  });
  const shown = (frames.at(-1)?.presentedFrames ?? 0) - (frames[0]?.presentedFrames ?? 0);
  return {
    delaysMs,
    aheadMs: frames.map(({ aheadMs }) => aheadMs),
    ...stallsOf(sightings, endMs),
    framesPerS: (shown * 1000) / forMs,
  };
}

type Sighting =
  | ({ readonly kind: 'frame'; readonly number: number; readonly aheadMs: number } & Frame)
  | { readonly kind: 'waiting' | 'playing'; readonly atMs: number };

declare global {
  interface Window {
    sightings: Sighting[];
  }
}

const COMPARISONS = 8;

/** The page's clock by this process's. */
async function compareClocks(page: Page): Promise<ServerClock> {
  const pageClock = new ServerClock();
  for (let count = 0; count < COMPARISONS; count++) {
    const askedAtMs = clock.monotonic();
    const pageMs = await page.evaluate(() => performance.now());
    pageClock.add(askedAtMs, clock.monotonic(), pageMs);
  }
  return pageClock;
}

function stallsOf(sightings: readonly Sighting[], endMs: number) {
  const stalls = new Stalls();
  for (const sighting of sightings) {
    if (sighting.kind === 'frame') stalls.frame(sighting);
    else stalls[sighting.kind](sighting.atMs);
  }
  return { stalls: stalls.count, stalledMs: stalls.totalMs(endMs) };
}

/** Runs in the page. */
function record({ bits, squarePx }: typeof NUMBER): void {
  const video = document.querySelector('video')!;
  const [width, middle] = [bits * squarePx, squarePx / 2];
  const canvas = new OffscreenCanvas(width, squarePx).getContext('2d', { willReadFrequently: true })!;
  const readNumber = (): number => {
    canvas.drawImage(video, 0, 0, width, squarePx, 0, 0, width, squarePx);
    const { data } = canvas.getImageData(0, middle, width, 1);
    const bitAt = (bit: number): number => (data[4 * (bit * squarePx + middle)]! > 127 ? 2 ** bit : 0);
    return Array.from({ length: bits }, (_, bit) => bitAt(bit)).reduce((sum, value) => sum + value, 0);
  };
  const ahead = (): number => {
    const { buffered, currentTime } = video;
    return buffered.length ? (buffered.end(buffered.length - 1) - currentTime) * 1000 : 0;
  };
  const onFrame = (_: number, metadata: VideoFrameCallbackMetadata): void => {
    const { mediaTime: mediaTimeS, expectedDisplayTime: displayedAtMs, presentedFrames } = metadata;
    const frame = { mediaTimeS, displayedAtMs, presentedFrames };
    window.sightings.push({ kind: 'frame', number: readNumber(), aheadMs: ahead(), ...frame });
    video.requestVideoFrameCallback(onFrame);
  };
  window.sightings = [];
  for (const kind of ['waiting', 'playing'] as const)
    video.addEventListener(kind, () => window.sightings.push({ kind, atMs: performance.now() }));
  video.requestVideoFrameCallback(onFrame);
}
