// Recordings over HTTP: a playlist of byte ranges, the files they are ranges of, and one MP4 to keep.

import { isFileName, isRecordingId } from '../../network/archive/index-file.ts';
import type { Found, FoundFile, Library } from '../../network/archive/library.ts';
import { mainOf, type PlacedSegment, type RecordedRendition } from '../../network/archive/recording.ts';
import type { Clock } from '../../network/clock.ts';
import { CodedError } from '../../network/errors.ts';
import { sha256 } from '../../network/hash.ts';
import { redirect, send, sendProblem } from '../../network/http/answers.ts';
import { sendStored } from '../../network/http/entity.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { type Init, readInit } from '../../network/media/init.ts';
import { quoted } from '../../network/names.ts';
import { type Authorise, sendRefusal, type Viewer } from '../access.ts';
import type { HlsSessions } from '../sessions/hls-sessions.ts';
import { alignedTo } from './aligned.ts';
import { type Download, layOut, rebase, runsOf } from './download.ts';
import { sendSprite, sendThumbnail, sendThumbnails } from './pictures.ts';
import type { RecordedRates } from './recorded-rates.ts';
import { vodPlaylist } from './vod-playlist.ts';

/** Whether viewers read from the store itself: those whom no server has room for, or all for whom no server has the bytes. */
export type SignedUrls = 'never' | 'overflow' | 'always';

export interface VodOptions {
  readonly library: Pick<Library, 'find'>;
  readonly authorise: Authorise;
  readonly sessions: Pick<HlsSessions, 'see'>;
  readonly rates: RecordedRates;
  readonly signedUrls: SignedUrls;
  /** Whether a stream is fed now: its newest recording may grow. */
  readonly isLive: (stream: string) => boolean;
  readonly clock: Clock;
}

const RECORDING = '^/vod/(?<token>[^/]+)/(?<stream>[^/]+)/(?<started>[^/]+)';
/** A recording that was not ended in order, and got nothing for so long, is one of an earlier broadcast. */
const QUIET_MS = 600_000;
/** An address is for what is asked for now. */
const SIGNED_S = 3_600;
/** What is under a name never changes. */
const FOREVER = 'public, max-age=31536000, immutable';

export function vodRoutes(options: VodOptions): Route[] {
  const route = (
    kind: string,
    path: string,
    handle: (exchange: Exchange, found: Found) => unknown,
  ): Route => ({
    kind,
    method: 'GET',
    pattern: new RegExp(`${RECORDING}/${path}$`),
    handle: async (exchange) => {
      const viewer = options.authorise(exchange);
      const found = viewer && (await findFor(options, exchange));
      if (!found || (await sendElsewhere(options, exchange, found))) return;
      if (await admit(options, exchange, viewer, found)) await handle(exchange, found);
    },
  });
  return [
    route('vod-playlist', '(?<rendition>[^/]+)/index\\.m3u8', (exchange, found) =>
      sendPlaylist(exchange, found, options),
    ),
    route('vod-download', '(?<rendition>[^/]+)/(?<run>[1-9]\\d{0,3})\\.mp4', sendDownload),
    route('vod-file', '(?<file>[^/]+)\\.mp4', sendFile),
    route('vod-thumbnail', 'thumbnail\\.jpg', sendThumbnail),
    route('vod-sprite', '(?<picture>[^/]+)\\.sprite\\.jpg', sendSprite),
    route('vod-thumbnails', 'thumbnails\\.vtt', sendThumbnails),
  ];
}

/** Answers the refusal itself. Storage that is away is the server's trouble, and passes. */
async function findFor({ library }: VodOptions, exchange: Exchange): Promise<Found | undefined> {
  const id = `${exchange.params['stream']}.${exchange.params['started']}`;
  try {
    const found = isRecordingId(id) ? await library.find(id) : undefined;
    if (!found) sendProblem(exchange, 404, 'Not Found', `there is no recording ${quoted(id)}`);
    return found;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const status = error.code === 'bad_index' ? 500 : 503;
    const title = status === 503 ? 'Service Unavailable' : 'Internal Server Error';
    sendProblem(exchange, status, title, `the recording ${quoted(id)} can't be read: ${error.message}`);
    return undefined;
  }
}

/** Where that is wanted, what lies on no disk of this server is read from the store itself. True: the answer is given. */
async function sendElsewhere(
  { signedUrls }: VodOptions,
  exchange: Exchange,
  { files }: Found,
): Promise<boolean> {
  const file = files.get(exchange.params['file'] ?? '');
  return signedUrls === 'always' && file?.isHere === false && (await sendSigned(exchange, file));
}

/**
 * As a live viewer, by the bitrate of what is watched. One too many may read from the store, and gets playlists of what lies there.
 * What there is no such rendition of is refused where it is looked for.
 */
async function admit(
  { sessions, rates, signedUrls }: VodOptions,
  exchange: Exchange,
  { session }: Viewer,
  { recording, files }: Found,
): Promise<boolean> {
  const { rendition: name, file = '' } = exchange.params;
  const wanted = name ?? file.slice(0, file.lastIndexOf('.'));
  const rendition = recording.renditions.find((each) => each.name === wanted);
  if (!rendition) return true;
  const watcher = { session, stream: rates.note(recording.id, rendition), rendition: wanted };
  const admission = sessions.see(watcher, exchange.connection);
  if (admission.kind === 'admitted') return true;
  if (signedUrls !== 'never') {
    const isStored = rendition.segments.every((segment) => files.get(segment.file)?.signedUrl);
    if (isPlaylist(exchange) && isStored) return true;
    if (await sendSigned(exchange, files.get(file))) return false;
  }
  sendRefusal(exchange, admission);
  return false;
}

function isPlaylist({ path }: Exchange): boolean {
  return path.endsWith('.m3u8');
}

/** A player follows the redirect with each range that it asks for. */
async function sendSigned(exchange: Exchange, file: FoundFile | undefined): Promise<boolean> {
  const url = await file?.signedUrl?.(SIGNED_S);
  if (url !== undefined) redirect(exchange, 302, url);
  return url !== undefined;
}

function sendPlaylist(exchange: Exchange, { recording }: Found, { isLive, clock }: VodOptions): void {
  const rendition = renditionOf(exchange, recording.renditions);
  if (!rendition) return;
  const quietMs = clock.now() - mainOf(recording).segments.at(-1)!.arrivedAtMs;
  const hasEnded = recording.endedAtMs !== undefined || !isLive(recording.stream) || quietMs > QUIET_MS;
  const playlist = vodPlaylist(alignedTo(recording, rendition, hasEnded), hasEnded);
  send(exchange, 200, 'application/vnd.apple.mpegurl', playlist, hasEnded ? 'max-age=60' : 'max-age=1');
}

async function sendFile(exchange: Exchange, { files }: Found): Promise<void> {
  const name = exchange.params['file']!;
  const file = isFileName(name) ? files.get(name) : undefined;
  if (!file) return sendProblem(exchange, 404, 'Not Found', `the recording has no file ${quoted(name)}`);
  await sendStored(exchange, {
    bytes: file.bytes,
    isWhole: file.isClosed,
    type: 'video/mp4',
    etag: `"${sha256(exchange.path.split('/').slice(3).join('/'), 16)}"`,
    cacheControl: FOREVER,
    read: (from, to) => file.read(from, to),
  });
}

/** A recording whose picture or sound changed in the middle is several files: run 1, 2, ... */
async function sendDownload(exchange: Exchange, { recording, files }: Found): Promise<void> {
  const rendition = renditionOf(exchange, recording.renditions);
  if (!rendition) return;
  const run = await runAt(rendition, files, Number(exchange.params['run']));
  if (!run)
    return sendProblem(exchange, 404, 'Not Found', `the recording has no part ${exchange.params['run']}`);
  const download = layOut(run.segments, run.init);
  const name = `${recording.id}.${rendition.name}.${exchange.params['run']}.mp4`;
  const last = run.segments.at(-1)!;
  await sendStored(exchange, {
    bytes: download.bytes,
    isWhole: true,
    type: 'video/mp4',
    etag: `"${sha256(`${name} ${last.msn}`, 16)}"`,
    cacheControl: 'max-age=60',
    headers: { 'Content-Disposition': `attachment; filename="${name}"` },
    read: (from, to) => readAt(download, from, to, files),
  });
}

interface Run {
  readonly segments: readonly PlacedSegment[];
  readonly init: Init;
}

/** Inits are few, and compared by their bytes: each file begins with one of its own. */
async function runAt(
  { segments }: RecordedRendition,
  files: Found['files'],
  number: number,
): Promise<Run | undefined> {
  const inits = new Map<PlacedSegment['init'], Uint8Array>();
  for (const { init, file } of segments)
    if (!inits.has(init)) inits.set(init, await files.get(file)!.read(init.at, init.at + init.bytes));
  const isSame = (one: PlacedSegment, other: PlacedSegment): boolean =>
    Buffer.compare(inits.get(one.init)!, inits.get(other.init)!) === 0;
  const run = runsOf(segments, isSame)[number - 1];
  return run && { segments: run, init: readInit(inits.get(run[0]!.init)!) };
}

/** As much of [from, to) as is in one piece: the head, or a segment. */
async function readAt(
  download: Download,
  from: number,
  to: number,
  files: Found['files'],
): Promise<Uint8Array> {
  if (from < download.head.length) return download.head.subarray(from, to);
  const { segment, at } = download.segments[indexAt(download, from)]!;
  const bytes = await files.get(segment.file)!.read(segment.at, segment.at + segment.bytes);
  return rebase(bytes, download.baseTicks).subarray(from - at, to - at);
}

/** Of the segment that a byte of the file is in. */
function indexAt({ segments }: Download, byte: number): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (segments[middle]!.at <= byte) low = middle;
    else high = middle - 1;
  }
  return low;
}

function renditionOf(
  exchange: Exchange,
  renditions: readonly RecordedRendition[],
): RecordedRendition | undefined {
  const name = exchange.params['rendition']!;
  const rendition = renditions.find((candidate) => candidate.name === name);
  if (!rendition) sendProblem(exchange, 404, 'Not Found', `the recording has no rendition ${quoted(name)}`);
  return rendition;
}
