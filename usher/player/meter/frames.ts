// Reports each frame that a <video> puts on the screen.

import type { Clock, Timer } from '../../../network/clock.ts';
import type { Frame } from './stalls.ts';

/** Where the browser does not report frames, or there is only sound, the playhead is looked at so often. */
const PERIOD_MS = 100;

/** Calls back for every frame until the returned function is called. */
export function watchFrames(
  video: HTMLVideoElement,
  clock: Clock,
  onFrame: (frame: Frame) => void,
): () => void {
  if (!('requestVideoFrameCallback' in video)) return watchPlayhead(video, clock, () => true, onFrame);
  const stopSound = watchPlayhead(video, clock, () => video.videoWidth === 0, onFrame);
  let handle = 0;
  const next = (_: number, metadata: VideoFrameCallbackMetadata): void => {
    const { mediaTime, expectedDisplayTime, presentedFrames } = metadata;
    handle = video.requestVideoFrameCallback(next);
    onFrame({ mediaTimeS: mediaTime, displayedAtMs: expectedDisplayTime, presentedFrames });
  };
  handle = video.requestVideoFrameCallback(next);
  return () => {
    stopSound();
    video.cancelVideoFrameCallback(handle);
  };
}

function watchPlayhead(
  video: HTMLVideoElement,
  clock: Clock,
  isWanted: () => boolean,
  onFrame: (frame: Frame) => void,
): () => void {
  let presentedFrames = 0;
  let lastTimeS = 0;
  const timer: Timer = clock.every(PERIOD_MS, () => {
    if (!isWanted() || video.paused || video.currentTime === lastTimeS) return;
    lastTimeS = video.currentTime;
    onFrame({ mediaTimeS: lastTimeS, displayedAtMs: clock.monotonic(), presentedFrames: ++presentedFrames });
  });
  return () => timer.cancel();
}
