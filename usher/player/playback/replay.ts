// Plays a recording with hls.js, or with the browser's own HLS where there are no Media Source Extensions.

import type { default as Hls } from 'hls.js';

const HLS_MODULE = '/assets/hls.min.mjs';
/** Ahead of the playhead; a second of video more is fetched with each that was played. */
const BUFFER_S = 20;

declare global {
  interface Window {
    /** The player of a recording, for whoever looks from outside. */
    replay: HTMLVideoElement | undefined;
  }
}

/** `tell` is called with why it does not play. */
export async function playRecording(
  video: HTMLVideoElement,
  url: string,
  tell: (reason: string) => void,
): Promise<void> {
  window.replay = video;
  const { default: HlsClass } = (await import(HLS_MODULE)) as { default: typeof Hls };
  if (!HlsClass.isSupported()) {
    video.src = url;
    video.addEventListener('error', () => tell(video.error?.message ?? 'It does not play here.'));
    return;
  }
  const hls = new HlsClass({
    lowLatencyMode: false,
    startPosition: 0,
    maxBufferLength: BUFFER_S,
    enableWorker: false,
  });
  hls.on(HlsClass.Events.ERROR, (_, { fatal, details, response }) => {
    if (fatal)
      tell(response?.code === 404 ? 'There is no such recording.' : `It can't be played now (${details}).`);
  });
  hls.attachMedia(video);
  hls.loadSource(url);
}
