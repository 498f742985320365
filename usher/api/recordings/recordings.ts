// Which recordings there are, and what is known of each.

import { type Catalogue, type CatalogueEntry, streamOf } from '../../../network/archive/catalogue.ts';
import { isRecordingId } from '../../../network/archive/index-file.ts';
import type { Clock } from '../../../network/clock.ts';
import { sendJson, sendProblem } from '../../../network/http/answers.ts';
import type { Exchange } from '../../../network/http/exchange.ts';
import type { Route } from '../../../network/http/http.ts';
import { isStreamName, quoted } from '../../../network/names.ts';
import { recordedAs } from '../../recorded.ts';

export interface RecordingOptions {
  readonly catalogue: Pick<Catalogue, 'list' | 'recent'>;
  readonly clock: Clock;
}

/** As many as a page shows. */
const RECENT = 24;
/** All who look at the front page share what was found so long ago at most. */
const RECENT_MS = 5_000;

export function recordingRoutes(options: RecordingOptions): Route[] {
  const findRecent = recentOf(options);
  return [
    {
      kind: 'recordings',
      method: 'GET',
      pattern: /^\/api\/recordings$/,
      handle: async (exchange) => sendJson(exchange, { recordings: summaries(await findRecent()) }),
    },
    {
      kind: 'recordings',
      method: 'GET',
      pattern: /^\/api\/streams\/(?<stream>[^/]+)\/recordings$/,
      handle: (exchange) => sendList(options, exchange),
    },
    {
      kind: 'recording',
      method: 'GET',
      pattern: /^\/api\/recordings\/(?<recording>[^/]+)$/,
      handle: (exchange) => sendOne(options, exchange),
    },
  ];
}

async function sendList({ catalogue }: RecordingOptions, exchange: Exchange): Promise<void> {
  const stream = exchange.params['stream']!;
  const entries = isStreamName(stream) ? await catalogue.list(stream) : [];
  sendJson(exchange, { recordings: summaries(entries) });
}

function summaries(entries: readonly CatalogueEntry[]) {
  return [...Map.groupBy(entries, ({ id }) => id).values()].map(describe);
}

function recentOf({ catalogue, clock }: RecordingOptions): () => Promise<CatalogueEntry[]> {
  let found: Promise<CatalogueEntry[]> | undefined;
  let foundAtMs = 0;
  return () => {
    const nowMs = clock.monotonic();
    if (found && nowMs - foundAtMs < RECENT_MS) return found;
    foundAtMs = nowMs;
    found = catalogue.recent(RECENT);
    // What has failed is tried again by the next who asks.
    found.catch(() => {
      found = undefined;
    });
    return found;
  };
}

async function sendOne(options: RecordingOptions, exchange: Exchange): Promise<void> {
  const entries = await entriesOf(options, exchange);
  if (entries.length > 0) sendJson(exchange, describe(entries));
}

/** What is said of the recording in the path; answers itself, and gives nothing, when nobody knows it. */
export async function entriesOf(
  { catalogue }: RecordingOptions,
  exchange: Exchange,
): Promise<CatalogueEntry[]> {
  const id = exchange.params['recording']!;
  const all = isRecordingId(id) ? await catalogue.list(streamOf(id)) : [];
  const entries = all.filter((entry) => entry.id === id);
  if (entries.length === 0) sendProblem(exchange, 404, 'Not Found', `there is no recording ${quoted(id)}`);
  return entries;
}

export type RecordingAnswer = ReturnType<typeof describe>;

/** Addresses of pictures are null where nobody has made any: of one of it, and of the WebVTT file of those for a seek bar. */
export function describe(entries: readonly CatalogueEntry[]) {
  const { id, startedAtMs, endedAtMs, thumbnail, ...recorded } = recordedAs(entries);
  const { stream, title, isKept, clipOf, durationMs, bytes, renditions, gaps } = recorded;
  return {
    id,
    ...{ stream, title, isKept, clipOf },
    startedAt: new Date(startedAtMs).toISOString(),
    endedAt: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
    ...{ durationMs, bytes, renditions, gaps },
    keepers: entries.map(({ keeper }) => keeper),
    url: `/vod/${id}.m3u8`,
    thumbnail: thumbnail === null ? null : `/vod/${id}.jpg`,
    thumbnails: thumbnail === null ? null : `/vod/${id}.vtt`,
  };
}
