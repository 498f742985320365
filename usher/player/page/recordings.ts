// The list of a stream's recordings below the player: when each began and how long it is.

import type { Clock } from '../../../network/clock.ts';
import { listRecordings, type RecordingInfo } from '../usher.ts';
import { element, part } from './dom.ts';

const REFRESH_MS = 15_000;
/** Longer than a broadcaster who was away may stay so. */
const RECENT_MS = 120_000;
/** Older ones are found by the API. */
const MAX_SHOWN = 50;
const WHEN: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };

/** Shows it, and keeps it as it is at usher. `current` is the recording that the page plays. */
export function keepRecordings(stream: string, clock: Clock, current = ''): void {
  const refresh = async (): Promise<void> => {
    try {
      show(await listRecordings(location.origin, stream), current, clock.now());
    } catch {
      // What was shown last stays until usher answers again.
    }
  };
  void refresh();
  clock.every(REFRESH_MS, () => void refresh());
}

/** `1:02:03`, `4:05`. */
export function lengthText(ms: number): string {
  const s = Math.round(ms / 1000);
  const pad = (count: number): string => String(count).padStart(2, '0');
  const hours = Math.floor(s / 3600);
  const minutes = Math.floor(s / 60) % 60;
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(s % 60)}` : `${minutes}:${pad(s % 60)}`;
}

export function whenText(startedAt: string): string {
  return new Date(startedAt).toLocaleString(undefined, WHEN);
}

function show(recordings: readonly RecordingInfo[], current: string, nowMs: number): void {
  part(document, 'recordings').hidden = recordings.length === 0;
  part(document, 'recordings-list').replaceChildren(
    ...recordings.slice(0, MAX_SHOWN).map((recording) => item(recording, recording.id === current, nowMs)),
  );
}

function item(recording: RecordingInfo, isCurrent: boolean, nowMs: number): HTMLLIElement {
  const { id, title, startedAt, durationMs, thumbnail } = recording;
  const link = element('a', '');
  // A token to play, if there is one, is good for the recordings of the stream too.
  const token = new URLSearchParams(location.search).get('token');
  const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
  link.href = `/replay/${id}${query}`;
  if (isCurrent) link.setAttribute('aria-current', 'true');
  if (thumbnail !== null) link.append(picture(thumbnail + query));
  link.append(
    element('span', 'name', title || whenText(startedAt)),
    element('span', 'length', lengthText(durationMs)),
    element('span', 'what', kindOf(recording, nowMs)),
  );
  const made = element('li', '');
  made.append(link);
  return made;
}

/** One that can't be had leaves its place empty. */
function picture(url: string): HTMLImageElement {
  const image = element('img', 'picture');
  image.alt = '';
  image.loading = 'lazy';
  image.src = url;
  return image;
}

function kindOf(recording: RecordingInfo, nowMs: number): string {
  const { clipOf, title, startedAt } = recording;
  if (clipOf !== null) return title === '' ? 'clip' : `clip · ${whenText(startedAt)}`;
  if (isGrowing(recording, nowMs)) return 'live, from the beginning';
  return title === '' ? 'broadcast' : whenText(startedAt);
}

/** One that nobody ended may also have been broken off. */
export function isGrowing({ clipOf, endedAt, startedAt, durationMs }: RecordingInfo, nowMs: number): boolean {
  return clipOf === null && endedAt === null && nowMs - Date.parse(startedAt) - durationMs < RECENT_MS;
}
