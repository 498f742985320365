// One progressive response, read to its end: what it was made of, and how it ended.

import type { Clock, Timer } from '../../../network/clock.ts';
import { CodedError } from '../../../network/errors.ts';
import { type Piece, Splitter } from '../../../network/media/splitter.ts';

export interface ConnectionOptions {
  readonly url: string;
  readonly clock: Clock;
  /** How long nothing new may come. */
  readonly silenceMs: number;
  /** Returns whether the piece was news. May throw to end the connection. */
  readonly onPiece: (piece: Piece) => boolean;
  /** Called once, and not after `close`. */
  readonly onEnd: (ending: ConnectionEnding) => void;
}

export type ConnectionEnding =
  | { readonly kind: 'offline' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'broken' | 'silent' | 'finished'; readonly error: Error };

/** The code of the error when there is no room at the moment. */
export const FULL = 'full';

export interface Connection {
  /** Where the response comes from, after redirects; undefined before it does. */
  readonly url: string | undefined;
  close(): void;
}

export function connect(options: ConnectionOptions): Connection {
  const stop = new AbortController();
  let isClosed = false;
  let url: string | undefined;
  const onAnswer = (address: string): void => {
    url = address;
  };
  read(options, stop, onAnswer).then((ending) => {
    if (!isClosed) options.onEnd(ending);
  });
  return {
    get url() {
      return url;
    },
    close() {
      isClosed = true;
      stop.abort();
    },
  };
}

async function read(
  options: ConnectionOptions,
  stop: AbortController,
  onAnswer: (url: string) => void,
): Promise<ConnectionEnding> {
  const { clock, silenceMs } = options;
  let isSilent = false;
  const hush = (): void => {
    isSilent = true;
    stop.abort();
  };
  let watch: Timer = clock.after(silenceMs, hush);
  const onNews = (): void => {
    watch.cancel();
    watch = clock.after(silenceMs, hush);
  };
  try {
    return await follow(options, stop.signal, { onAnswer, onNews });
  } catch (error) {
    if (!isSilent) return { kind: 'broken', error: error as Error };
    return { kind: 'silent', error: new CodedError('silent', `nothing new for ${Math.round(silenceMs)} ms`) };
  } finally {
    watch.cancel();
    stop.abort();
  }
}

async function follow(
  options: ConnectionOptions,
  signal: AbortSignal,
  { onAnswer, onNews }: { readonly onAnswer: (url: string) => void; readonly onNews: () => void },
): Promise<ConnectionEnding> {
  const response = await fetch(options.url, { signal, cache: 'no-store', credentials: 'omit' });
  if (!response.ok || !response.body) return refusal(response);
  onAnswer(response.url);
  const reader = response.body.getReader();
  const splitter = new Splitter();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { kind: 'finished', error: new CodedError('finished', 'the response has ended') };
    let hasNews = false;
    for (const piece of splitter.push(value)) {
      signal.throwIfAborted();
      hasNews = options.onPiece(piece) || hasNews;
    }
    if (hasNews) onNews();
  }
}

async function refusal(response: Response): Promise<ConnectionEnding> {
  const problem = (await response.json().catch(() => ({}))) as { detail?: string };
  const reason = `${response.status} ${problem.detail ?? response.statusText}`;
  if (response.status === 404) return { kind: 'offline' };
  if (response.status === 401 || response.status === 403) return { kind: 'refused', reason };
  // What it was asked for is not in this feed, as after a restart of the server: no use in asking again.
  if (response.status === 400) return { kind: 'broken', error: new CodedError('bad_place', reason) };
  if (response.status === 503) return { kind: 'broken', error: new CodedError(FULL, reason) };
  return { kind: 'broken', error: new Error(reason) };
}
