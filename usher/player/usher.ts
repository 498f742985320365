// What the player asks usher for, besides media: which streams there are, and what time it is.

import type { Clock } from '../../network/clock.ts';
import type { ServerClock } from './meter/server-clock.ts';

export interface StreamInfo {
  readonly name: string;
  /** False while the broadcaster is away and may come back to the same stream. */
  readonly live: boolean;
  readonly startedAt: string;
  readonly viewers: number;
  /** Address of a picture of it, of the last ten seconds or so; null: there is none. */
  readonly thumbnail: string | null;
  readonly renditions: readonly {
    readonly name: string;
    readonly codecs: string;
    readonly width: number;
    readonly height: number;
    readonly frameRate: number;
    readonly bitrateKbps: number;
  }[];
}

export interface RecordingInfo {
  readonly id: string;
  readonly stream: string;
  readonly title: string;
  /** Of a clip: the recording that it was cut out of. */
  readonly clipOf: string | null;
  readonly startedAt: string;
  /** Null while it may go on. */
  readonly endedAt: string | null;
  readonly durationMs: number;
  /** Addresses of a picture of it, and of the WebVTT file of small ones; null: there are none. */
  readonly thumbnail: string | null;
  readonly thumbnails: string | null;
}

/** Of a recording, in seconds from its beginning; or of its end. */
export type ClipOrder = { readonly title: string } & (
  | { readonly last: number }
  | { readonly from: number; readonly to: number }
);

const TIMEOUT_MS = 5000;
/** An hour of video may be read and written. */
const CLIP_TIMEOUT_MS = 60_000;

export async function listStreams(origin: string): Promise<readonly StreamInfo[]> {
  const response = await ask(new URL('/api/streams', origin).href);
  return ((await response.json()) as { streams: StreamInfo[] }).streams;
}

/** Undefined when there is no such stream now. Throws when usher can't be asked. */
export async function describeStream(url: string): Promise<StreamInfo | undefined> {
  const notFound = 404;
  const response = await ask(url, notFound);
  return response.status === notFound ? undefined : ((await response.json()) as StreamInfo);
}

/** The newest first. */
export async function listRecordings(origin: string, stream: string): Promise<readonly RecordingInfo[]> {
  const response = await ask(new URL(`/api/streams/${stream}/recordings`, origin).href);
  return ((await response.json()) as { recordings: RecordingInfo[] }).recordings;
}

/** Of all streams, the newest first. */
export async function listRecent(origin: string): Promise<readonly RecordingInfo[]> {
  const response = await ask(new URL('/api/recordings', origin).href);
  return ((await response.json()) as { recordings: RecordingInfo[] }).recordings;
}

/** Cuts a clip; throws with what usher says when it does not. The key is that to publish the stream; '' where none is needed. */
export async function cutClip(
  origin: string,
  recording: string,
  key: string,
  order: ClipOrder,
): Promise<RecordingInfo> {
  const response = await fetch(new URL(`/api/recordings/${recording}/clips`, origin).href, {
    method: 'POST',
    body: JSON.stringify(order),
    headers: key === '' ? {} : { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(CLIP_TIMEOUT_MS),
  });
  const answer = (await response.json()) as RecordingInfo & { readonly detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `${response.status}`);
  return answer;
}

/** Asks a few times in a row: the quickest answer is the truest. */
export async function readClock(origin: string, clock: Clock, server: ServerClock): Promise<void> {
  const questions = 4;
  for (let question = 0; question < questions; question++) {
    const askedAtMs = clock.monotonic();
    const response = await ask(new URL('/api/time', origin).href);
    const answeredAtMs = clock.monotonic();
    const { nowMs } = (await response.json()) as { nowMs: number };
    server.add(askedAtMs, answeredAtMs, nowMs);
  }
}

async function ask(url: string, expected?: number): Promise<Response> {
  const response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok && response.status !== expected) throw new Error(`${response.status} for ${url}`);
  return response;
}
