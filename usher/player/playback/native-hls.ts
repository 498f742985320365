// Plays the same playlist with the browser's own HLS, where there are no Media Source Extensions.

import { CodedError } from '../../../network/errors.ts';
import { NO_LEVELS } from './levels.ts';
import type { Playback, PlaybackOptions } from './playback.ts';

const HLS_TYPE = 'application/vnd.apple.mpegurl';

/** WebKit's own: the EXT-X-PROGRAM-DATE-TIME of media time 0. */
type DatedVideo = HTMLVideoElement & { getStartDate?: () => Date };

export function hasNativeHls(video: HTMLVideoElement): boolean {
  return video.canPlayType(HLS_TYPE) !== '';
}

export class NativeHlsPlayback implements Playback {
  readonly bitrateKbps = undefined;
  readonly mediaUrl = undefined;
  readonly roundTripMs = undefined;
  readonly epochChanges = 0;
  readonly levels = NO_LEVELS;
  readonly #video: DatedVideo;
  readonly #stop = new AbortController();

  constructor({ video, urls, onEnd }: PlaybackOptions) {
    const { signal } = this.#stop;
    this.#video = video;
    video.addEventListener('ended', () => onEnd({ kind: 'offline' }), { signal });
    video.addEventListener(
      'error',
      () =>
        onEnd({ kind: 'failed', error: new CodedError('media_error', video.error?.message ?? 'unknown') }),
      { signal },
    );
    video.src = urls.playlist;
  }

  arrivedAtMs(mediaTimeS: number): number | undefined {
    const startMs = this.#video.getStartDate?.().getTime() ?? Number.NaN;
    return Number.isNaN(startMs) ? undefined : startMs + mediaTimeS * 1000;
  }

  /** There is one rendition. */
  choose(): void {}

  /** Nothing chases it. */
  hold(): void {}

  catchUp(): void {
    const { seekable } = this.#video;
    if (seekable.length) this.#video.currentTime = seekable.end(seekable.length - 1);
  }

  close(): void {
    this.#stop.abort();
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}
