// A stream's recordings as cards: when each began and how long it is.

import type { Clock } from '../../../network/clock.ts';
import { listRecordings, type RecordingInfo } from '../usher.ts';
import { type Card, showCards } from './cards.ts';
import { part } from './dom.ts';
import { agoText, lengthText } from './words.ts';

const REFRESH_MS = 15_000;
/** Longer than a broadcaster who was away may stay so. */
const RECENT_MS = 120_000;
/** Older ones are found by the API. */
const MAX_SHOWN = 50;
const WHEN: Intl.DateTimeFormatOptions = {
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
};

export interface RecordingsOptions {
  /** The recording that the page plays. */
  readonly current?: string;
  readonly onList?: (recordings: readonly RecordingInfo[]) => void;
}

/** Shows them, and keeps them as they are at usher. */
export function keepRecordings(stream: string, clock: Clock, options: RecordingsOptions = {}): void {
  const refresh = async (): Promise<void> => {
    try {
      const recordings = await listRecordings(location.origin, stream);
      options.onList?.(recordings);
      show(recordings, options.current, clock.now());
    } catch {
      // What was shown last stays until usher answers again.
    }
  };
  void refresh();
  clock.every(REFRESH_MS, () => void refresh());
}

export function whenText(startedAt: string): string {
  return new Date(startedAt).toLocaleString(undefined, WHEN);
}

function show(recordings: readonly RecordingInfo[], current: string | undefined, nowMs: number): void {
  const shown = recordings.slice(0, MAX_SHOWN);
  part(document, 'recordings').hidden = shown.length === 0;
  showCards(
    part(document, 'recordings-list'),
    shown.map((recording) => recordingCard(recording, { nowMs, isCurrent: recording.id === current })),
  );
}

/** `isNamed`: among recordings of other streams, so that it says of which it is. */
export function recordingCard(
  recording: RecordingInfo,
  { nowMs, isCurrent = false, isNamed = false }: { nowMs: number; isCurrent?: boolean; isNamed?: boolean },
): Card {
  const { id, stream, title, startedAt, durationMs, thumbnail, clipOf } = recording;
  // A token to play, if there is one, is good for the recordings of the stream too.
  const token = new URLSearchParams(location.search).get('token');
  const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
  const isLive = isGrowing(recording, nowMs);
  const when = isLive ? 'from the beginning' : agoText(nowMs - endOf(recording));
  const name = isNamed ? stream : whenText(startedAt);
  return {
    key: id,
    href: `/replay/${id}${query}`,
    title: title || name,
    about: title ? `${name} · ${when}` : when,
    label: isLive ? 'Live' : clipOf === null ? '' : 'Clip',
    kind: isLive ? 'live' : 'past',
    length: lengthText(durationMs),
    picture: thumbnail === null ? undefined : thumbnail + query,
    isCurrent,
  };
}

/** When what is recorded ends, or ends so far: ms since the Unix epoch. */
export function endOf({ startedAt, endedAt, durationMs }: RecordingInfo): number {
  return endedAt === null ? Date.parse(startedAt) + durationMs : Date.parse(endedAt);
}

/** One that nobody ended may also have been broken off. */
export function isGrowing({ clipOf, endedAt, startedAt, durationMs }: RecordingInfo, nowMs: number): boolean {
  return clipOf === null && endedAt === null && nowMs - Date.parse(startedAt) - durationMs < RECENT_MS;
}
