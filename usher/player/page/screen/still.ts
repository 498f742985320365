// The last picture that there was, in the place of one that is not there.

import { part } from '../dom.ts';

/** To be called before the video loses its picture. */
export function keepStill(root: HTMLElement): void {
  const still = part<HTMLCanvasElement>(root, 'still');
  const video = part<HTMLVideoElement>(root, 'video');
  const { videoWidth, videoHeight, readyState } = video;
  if (videoWidth === 0 || readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  still.width = videoWidth;
  still.height = videoHeight;
  still.getContext('2d')?.drawImage(video, 0, 0);
  still.hidden = false;
}
