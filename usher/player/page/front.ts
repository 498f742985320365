// The front page: the streams that are live, one of them playing, and what to copy.

import { browserClock } from '../clock.ts';
import { listStreams, type StreamInfo } from '../usher.ts';
import { part } from './dom.ts';
import { showLines } from './line-view.ts';
import { pushLines, watchLines } from './lines.ts';
import { openPlayer } from './open-player.ts';
import { runPanel } from './panel.ts';
import { showStreams } from './stream-list.ts';

const REFRESH_MS = 3000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

let shown: { readonly stream: string; close(): void } | undefined;

function play(stream: string): void {
  shown?.close();
  part(document, 'theatre').hidden = false;
  part(document, 'empty').hidden = true;
  part(document, 'title').textContent = stream;
  part(document, 'watch-name').textContent = stream;
  showLines(watchLines(location.origin, stream));
  const root = part(document, 'player');
  const player = openPlayer(root, stream);
  const stopPanel = runPanel({ root, player, clock: browserClock });
  shown = {
    stream,
    close() {
      stopPanel();
      player.close();
    },
  };
}

/** A click on a stream plays it here; the address follows, and Back returns to the one before. */
function choose(stream: string): void {
  const url = new URL(location.href);
  url.searchParams.set('stream', stream);
  history.pushState({ stream }, '', url);
  play(stream);
}

/** Nobody has chosen: the address stays as it is, but Back has to return to this stream. */
function playFirst(stream: string): void {
  history.replaceState({ stream }, '');
  play(stream);
}

function chosen(): string | undefined {
  const stream = new URLSearchParams(location.search).get('stream');
  return stream !== null && NAME.test(stream) ? stream : undefined;
}

async function refresh(): Promise<void> {
  let streams: readonly StreamInfo[];
  try {
    streams = await listStreams(location.origin);
  } catch {
    part(document, 'empty-title').textContent = 'The server does not answer';
    return;
  }
  part(document, 'empty-title').textContent = 'No stream is live';
  part(document, 'empty-detail').hidden = false;
  const first = streams[0]?.name;
  if (!shown && first !== undefined) playFirst(first);
  showStreams(streams, shown?.stream, choose);
}

function showPush(): void {
  const input = part<HTMLInputElement>(document, 'push-name');
  const isName = NAME.test(input.value);
  input.setCustomValidity(isName ? '' : 'Letters, digits, "_", "." and "-"');
  if (isName) showLines(pushLines(document.body.dataset.rtmpUrl!, input.value));
}

part(document, 'push-name').addEventListener('input', showPush);
window.addEventListener('popstate', ({ state }) => {
  const stream = (state as { stream: string } | null)?.stream ?? chosen();
  if (stream !== undefined) play(stream);
});
showPush();
showLines(watchLines(location.origin, 'my-stream'));
const wanted = chosen();
if (wanted !== undefined) play(wanted);
refresh();
browserClock.every(REFRESH_MS, refresh);
