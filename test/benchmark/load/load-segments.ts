// HLS as it always was: asks for the playlist every second, and gets each segment that is new in it.

import { systemClock as clock, sleep } from '../../../network/clock.ts';
import type { HlsViewer } from './load-hls.ts';

/** Half the target duration of segments of 2 s: what players do whose playlist has not changed (RFC 8216 6.3.4). */
const RELOAD_MS = 1_000;

/** Each begins when it can; the reloads of many are spread over a second from then on. */
export async function watchSegments(viewer: HlsViewer): Promise<void> {
  let last = await getNew(viewer, '');
  for (let dueMs = clock.monotonic() + Math.random() * RELOAD_MS; !viewer.isGone; dueMs += RELOAD_MS) {
    await sleep(clock, Math.max(0, dueMs - clock.monotonic()));
    if (!viewer.isGone) last = await getNew(viewer, last);
  }
}

/** Gets all behind the last that it has, or the last of all; gives the one that is the last now. */
async function getNew(viewer: HlsViewer, last: string): Promise<string> {
  const { seen: segments = [] } = await viewer.playlist('', segmentsIn);
  const known = segments.indexOf(last);
  let got = last;
  for (const uri of known < 0 ? segments.slice(-1) : segments.slice(known + 1)) {
    const status = await viewer.media(uri);
    // It is not there any more: a player goes on with the next playlist.
    if (status === 404) break;
    if (status !== 200) throw new Error(`${status} for a segment`);
    got = uri;
  }
  return got;
}

function segmentsIn(playlist: Buffer): string[] {
  return playlist
    .toString('latin1')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line));
}
