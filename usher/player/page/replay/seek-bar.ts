// The seek bar of a recording: where it is, and a picture of where the pointer is.

import type { Clock } from '../../../../network/clock.ts';
import { element } from '../dom.ts';
import { lengthText } from '../words.ts';
import { type Preview, previewAt, readPreviews } from './previews.ts';

export interface SeekBarOptions {
  readonly video: HTMLVideoElement;
  /** Of the WebVTT file of its pictures. */
  readonly previewsUrl: string;
  readonly clock: Clock;
}

/** There are more pictures of what is live. */
const REFRESH_MS = 60_000;

export function runSeekBar(root: HTMLElement, { video, previewsUrl, clock }: SeekBarOptions): void {
  const range = element('input', 'seek-range');
  Object.assign(range, { type: 'range', min: '0', max: '0', step: 'any', value: '0' });
  range.setAttribute('aria-label', 'Seek');
  const place = element('output', 'seek-place');
  const preview = element('div', 'seek-preview');
  const picture = element('div', 'seek-picture');
  const time = element('span', 'seek-time');
  preview.append(picture, time);
  preview.hidden = true;
  root.append(preview, range, place);
  let previews: readonly Preview[] = [];
  const refresh = async (): Promise<void> => {
    previews = await fetchPreviews(previewsUrl).catch(() => previews);
  };
  void refresh();
  clock.every(REFRESH_MS, () => void refresh());

  const show = (): void => {
    const lengthS = lengthOf(video);
    range.max = String(lengthS);
    range.value = String(video.currentTime);
    place.textContent = `${lengthText(video.currentTime * 1000)} / ${lengthText(lengthS * 1000)}`;
    range.setAttribute('aria-valuetext', place.textContent);
  };
  for (const event of ['timeupdate', 'durationchange', 'seeking'] as const)
    video.addEventListener(event, show);
  const preShow = (atS: number): void => {
    const { width } = range.getBoundingClientRect();
    const at = previewAt(previews, atS);
    preview.hidden = false;
    time.textContent = lengthText(atS * 1000);
    preview.style.left = `${range.offsetLeft + (width * atS) / Math.max(lengthOf(video), 0.001)}px`;
    picture.hidden = at === undefined;
    if (at) cutOut(picture, at);
  };
  range.addEventListener('input', () => {
    video.currentTime = Number(range.value);
    preShow(Number(range.value));
  });
  range.addEventListener('pointermove', ({ clientX }) => {
    const { left, width } = range.getBoundingClientRect();
    preShow(Math.min(1, Math.max(0, (clientX - left) / width)) * lengthOf(video));
  });
  for (const event of ['pointerleave', 'blur'] as const)
    range.addEventListener(event, () => {
      preview.hidden = true;
    });
}

/** Of what is live, up to its edge. */
function lengthOf({ duration, seekable }: HTMLVideoElement): number {
  if (Number.isFinite(duration)) return duration;
  return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
}

function cutOut({ style }: HTMLElement, { url, x, y, width, height }: Preview): void {
  style.backgroundImage = `url("${url}")`;
  style.backgroundPosition = `-${x}px -${y}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}

/** Addresses in it are meant from where it really is. */
async function fetchPreviews(url: string): Promise<Preview[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return readPreviews(await response.text(), response.url);
}
