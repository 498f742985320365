// The front page: the streams that are live, past broadcasts, and how to broadcast.

import { browserClock } from '../clock.ts';
import { listRecent, listStreams, type RecordingInfo, type StreamInfo } from '../usher.ts';
import { showCards } from './cards.ts';
import { part, setText } from './dom.ts';
import { showLines } from './line-view.ts';
import { pushLines, watchLines } from './lines.ts';
import { isGrowing, recordingCard } from './recordings.ts';
import { findStreams, streamCard } from './stream-cards.ts';

const REFRESH_MS = 3_000;
const REFRESH_PAST_MS = 30_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** More are shown to who asks for them. */
const PAGE = 48;
/** Fewer need not be searched. */
const MANY = 6;

let streams: readonly StreamInfo[] | undefined;
let past: readonly RecordingInfo[] = [];
let limit = PAGE;

const search = part<HTMLInputElement>(document, 'search');
const more = part(document, 'more');

function show(): void {
  const all = streams ?? [];
  const found = findStreams(all, search.value);
  const nowMs = browserClock.now();
  part(document, 'search-field').hidden = all.length + past.length < MANY && search.value === '';
  setText(part(document, 'count'), String(all.length));
  part(document, 'count').hidden = all.length === 0;
  showCards(
    part(document, 'streams'),
    found.slice(0, limit).map((stream) => streamCard(stream, nowMs)),
  );
  more.hidden = found.length <= limit;
  if (streams) showEmptiness(all.length, found.length);
  showPast(nowMs);
}

function showEmptiness(all: number, found: number): void {
  part(document, 'empty').hidden = found > 0;
  const isSearch = all > 0;
  setText(
    part(document, 'empty-title'),
    isSearch ? 'No live stream has this in its name' : 'Nobody is live right now',
  );
  const detail = part(document, 'empty-detail');
  detail.hidden = isSearch;
  setText(detail, 'As soon as somebody is, the stream appears here by itself.');
}

function showPast(nowMs: number): void {
  const wanted = search.value.toLowerCase();
  const isWanted = ({ stream, title }: RecordingInfo): boolean =>
    stream.toLowerCase().includes(wanted) || title.toLowerCase().includes(wanted);
  const found = past.filter((recording) => isWanted(recording) && !isGrowing(recording, nowMs));
  part(document, 'recordings').hidden = found.length === 0;
  showCards(
    part(document, 'recordings-list'),
    found.map((recording) => recordingCard(recording, { nowMs, isNamed: true })),
  );
}

async function refresh(): Promise<void> {
  if (document.hidden) return;
  try {
    streams = await listStreams(location.origin);
    part(document, 'trouble').hidden = true;
  } catch {
    part(document, 'trouble').hidden = false;
  }
  show();
}

async function refreshPast(): Promise<void> {
  if (document.hidden) return;
  past = await listRecent(location.origin).catch(() => past);
  show();
}

function showPush(): void {
  const input = part<HTMLInputElement>(document, 'push-name');
  const isName = NAME.test(input.value);
  input.setCustomValidity(isName ? '' : 'Letters, digits, "_", "." and "-"');
  if (!isName) return;
  showLines(pushLines(document.body.dataset['rtmpUrl']!, input.value));
  showLines(watchLines(location.origin, input.value));
}

search.addEventListener('input', show);
more.addEventListener('click', () => {
  limit += PAGE;
  show();
});
part(document, 'push-name').addEventListener('input', showPush);
document.addEventListener('visibilitychange', () => {
  void refresh();
  void refreshPast();
});
showPush();
void refresh();
void refreshPast();
browserClock.every(REFRESH_MS, () => void refresh());
browserClock.every(REFRESH_PAST_MS, () => void refreshPast());
