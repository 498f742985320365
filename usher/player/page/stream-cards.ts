// Live streams as cards, and which of them are shown.

import type { StreamInfo } from '../usher.ts';
import type { Card } from './cards.ts';
import { lengthText, viewersText } from './words.ts';

/** How often pictures are made. */
const PICTURE_MS = 10_000;

/** Those whose names have the words in them, those whom most watch first. */
export function findStreams(streams: readonly StreamInfo[], words: string): StreamInfo[] {
  const wanted = words.toLowerCase().trim().split(/\s+/);
  return streams
    .filter(({ name }) => wanted.every((word) => name.toLowerCase().includes(word)))
    .sort((one, other) => other.viewers - one.viewers || (one.name < other.name ? -1 : 1));
}

export function streamCard(stream: StreamInfo, nowMs: number): Card {
  const { name, live, viewers, startedAt, thumbnail } = stream;
  return {
    key: name,
    href: `/watch/${encodeURIComponent(name)}`,
    title: name,
    about: [
      live ? (viewers > 0 ? viewersText(viewers) : 'no viewers yet') : 'expected back',
      ...pictureText(stream),
    ].join(' · '),
    label: live ? 'Live' : 'Away',
    kind: live ? 'live' : 'away',
    length: lengthText(nowMs - Date.parse(startedAt)),
    // The address stays the same: it is fetched once for each picture.
    picture: thumbnail === null ? undefined : `${thumbnail}?${Math.floor(nowMs / PICTURE_MS)}`,
  };
}

function pictureText({ renditions: [source] }: StreamInfo): string[] {
  if (!source) return [];
  return [source.height ? `${source.height}p${Math.round(source.frameRate)}` : 'sound only'];
}
