// The door to HTTP requests of our own (undici).

import { Agent, request } from 'undici';
import { systemClock } from '../clock.ts';
import { traceHeaders } from '../trace/current-trace.ts';
import { authoritiesOf, type Credentials } from './identity.ts';
import { rememberingLookup } from './resolve.ts';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export type GetText = (
  url: string,
  timeoutMs: number,
  maxBytes: number,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Rejects when there is no whole answer within `timeoutMs`, or one longer than `maxBytes`. */
export const getText: GetText = async (url, timeoutMs, maxBytes, headers = {}) => {
  const { statusCode, body } = await request(url, {
    dispatcher: brief,
    signal: AbortSignal.timeout(timeoutMs),
    headers: { ...traceHeaders(), ...headers },
  });
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    pieces.push(piece);
  }
  return { status: statusCode, text: Buffer.concat(pieces).toString('utf8') };
};

/** What another server has under a URL: all of it, or a range. */
export type GetBytes = (
  url: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs: number,
) => Promise<{ readonly status: number; readonly bytes: Uint8Array }>;

/** Rejects when there is no whole answer within `timeoutMs`. Only for servers that are trusted not to send without end. */
export const getBytes: GetBytes = async (url, headers, timeoutMs) => {
  const { statusCode, body } = await request(url, {
    dispatcher: brief,
    headers,
    signal: AbortSignal.timeout(timeoutMs),
  });
  return { status: statusCode, bytes: new Uint8Array(await body.arrayBuffer()) };
};

/** Whether a server answers at a URL, and not what stands before it; `refused`: nobody listens there. */
export type Probe = (url: string, timeoutMs: number) => Promise<'answers' | 'refused' | 'silent'>;

export const probe: Probe = async (url, timeoutMs) => {
  try {
    const { statusCode, body } = await request(url, {
      dispatcher: brief,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await body.dump();
    return statusCode < 500 ? 'answers' : 'silent';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'refused' : 'silent';
  }
};

/** A request that changes something; `value` goes as JSON, `text` is JSON already. */
export interface Order {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value?: unknown;
  readonly text?: string;
}

/** Returns the answer, its body cut at 64 KiB. Rejects when there is none within `timeoutMs`. */
export type SendOrder = (order: Order, timeoutMs: number) => Promise<Answer>;

/** Posts JSON, else as `SendOrder`. */
export type PostJson = (url: string, value: unknown, timeoutMs: number) => Promise<Answer>;

const MAX_BODY_BYTES = 64 * 1024;

export const sendOrder: SendOrder = async (
  { method, url, headers: own = {}, value, text: given },
  timeoutMs,
) => {
  const headers = { ...traceHeaders(), ...own };
  const sent = given ?? JSON.stringify(value);
  const { statusCode, body } = await request(url, {
    dispatcher: brief,
    method,
    headers: sent === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
    ...(sent === undefined ? {} : { body: sent }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  let text = '';
  for await (const piece of body.setEncoding('utf8')) {
    text += piece;
    if (text.length > MAX_BODY_BYTES) break;
  }
  return { status: statusCode, text: text.slice(0, MAX_BODY_BYTES) };
};

export const postJson: PostJson = (url, value, timeoutMs) =>
  sendOrder({ method: 'POST', url, value }, timeoutMs);

/** What becomes of a request for a long answer. Nothing is called after it was aborted, and nothing called may throw. */
export interface AnswerEvents {
  /** The next bytes of an answer of status 200, the moment they come. */
  onBytes(bytes: Uint8Array): void;
  /** Called once. */
  onClose(closing: Closing): void;
}

export type Closing =
  | { readonly kind: 'ended' }
  /** Another status than 200; the text is cut at 64 KiB. */
  | { readonly kind: 'refused'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly error: Error };

export interface Call {
  abort(): void;
}

/** GETs an answer that may go on for ever. How long nothing may come is for the caller to judge. */
export type Dial = (url: string, headers: Readonly<Record<string, string>>, events: AnswerEvents) => Call;

const CONNECT_TIMEOUT_MS = 1_000;
const lookup = rememberingLookup(systemClock);
/** Each answer has a connection of its own. */
let endless = endlessAgent({});
let brief = new Agent({ connect: { lookup } });

/** From now on whoever asks for it over TLS is shown this certificate, and its authorities are believed beside the system's. */
export function showIdentity(credentials: Credentials): void {
  const { cert, key } = credentials;
  const tls = { cert, key, ca: authoritiesOf(credentials) };
  endless = endlessAgent(tls);
  brief = new Agent({ connect: { lookup, ...tls } });
}

function endlessAgent(tls: { readonly cert?: string; readonly key?: string; readonly ca?: string[] }): Agent {
  return new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, noDelay: true, lookup, ...tls },
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });
}

export const dial: Dial = (url, headers, events) => {
  const { origin, pathname, search } = new URL(url);
  let isOver = false;
  let abort: (() => void) | undefined;
  let status = 0;
  let text = '';
  const close = (closing: Closing): void => {
    if (isOver) return;
    isOver = true;
    events.onClose(closing);
  };
  endless.dispatch(
    { origin, path: pathname + search, method: 'GET', headers: { ...traceHeaders(), ...headers } },
    {
      onRequestStart(controller) {
        abort = () => controller.abort(new Error('aborted'));
        if (isOver) abort();
      },
      onResponseStart(_, statusCode) {
        status = statusCode;
      },
      onResponseData(_, bytes) {
        if (isOver) return;
        if (status === 200) events.onBytes(bytes);
        else if (text.length < MAX_BODY_BYTES) text += bytes.toString('utf8');
      },
      onResponseEnd() {
        const answer = { status, text: text.slice(0, MAX_BODY_BYTES) };
        close(status === 200 ? { kind: 'ended' } : { kind: 'refused', answer });
      },
      onResponseError(_, error) {
        close({ kind: 'failed', error });
      },
    },
  );
  return {
    abort() {
      isOver = true;
      abort?.();
    },
  };
};
