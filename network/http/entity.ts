// Answers that are bytes with a name: whole or a range of them, on conditions, from memory or from where they are stored.

import parseRange from 'range-parser';
import { CORS, endWith } from './answers.ts';
import type { Exchange } from './exchange.ts';
import type { IncomingMessage } from './listener.ts';
import { alone } from './read-ahead.ts';

/** Bytes that lie in memory in one or more views, and never change under their name. */
export interface Entity {
  readonly views: readonly Uint8Array[];
  readonly type: string;
  /** A strong validator, with its quotation marks. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly encoding?: 'gzip';
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers GET and HEAD with conditions (RFC 9110 13) and a byte range (RFC 9110 14; several ranges get the whole). */
export function sendEntity(exchange: Exchange, entity: Entity): void {
  const bytes = lengthOf(entity.views);
  const wanted = begin(exchange, { ...entity, bytes, isWhole: true });
  if (wanted) endWith(exchange, cut(entity.views, wanted.from, wanted.to));
}

/** So much is sent in one turn. */
const TURN_BYTES = 64 * 1024;

/** As `sendEntity`: the head at once, and of the body each piece in its turn and as fast as the client takes it. */
export async function sendInTurn(
  exchange: Exchange,
  entity: Entity,
  turn: (bytes: number) => Promise<void> | undefined,
): Promise<void> {
  const { response, request } = exchange;
  const bytes = lengthOf(entity.views);
  const wanted = begin(exchange, { ...entity, bytes, isWhole: true });
  if (!wanted) return;
  response.flushHeaders();
  for (let at = wanted.from; at < wanted.to && request.method !== 'HEAD' && !response.destroyed; ) {
    const to = Math.min(at + TURN_BYTES, wanted.to);
    const wait = turn(to - at);
    if (wait) await wait;
    const takesMore = cut(entity.views, at, to)
      .map((view) => response.write(view))
      .at(-1);
    exchange.bodyBytes += to - at;
    at = to;
    if (!takesMore) await drained(exchange);
  }
  response.end();
}

/** Bytes that lie elsewhere, and never change under their name; more of them may be to come. */
export interface Stored {
  readonly bytes: number;
  /** False while it grows. */
  readonly isWhole: boolean;
  readonly type: string;
  /** A strong validator, with its quotation marks. */
  readonly etag: string;
  readonly cacheControl: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The bytes in [from, to). */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** As `sendEntity`, of bytes that are read as fast as the client takes them. */
export async function sendStored(exchange: Exchange, stored: Stored): Promise<void> {
  const { response, request } = exchange;
  const wanted = begin(exchange, stored);
  if (!wanted) return;
  for (let at = wanted.from; at < wanted.to && request.method !== 'HEAD' && !response.destroyed; ) {
    using share = exchange.readAhead.take(wanted.to - at);
    const piece = alone(await stored.read(at, Math.min(at + share.bytes, wanted.to)));
    if (piece.length === 0) throw new Error(`byte ${at} of ${wanted.to} is not there`);
    at += piece.length;
    exchange.bodyBytes += piece.length;
    if (!response.write(piece)) await drained(exchange);
  }
  response.end();
}

type Head = Pick<Entity, 'type' | 'etag' | 'cacheControl' | 'encoding' | 'headers'> &
  Pick<Stored, 'bytes' | 'isWhole'>;

/** Sends the head of an answer; gives what its body is to be, or undefined when it has none. */
function begin(exchange: Exchange, entity: Head): { readonly from: number; readonly to: number } | undefined {
  const { bytes, etag } = entity;
  const lines = linesOf(entity);
  const range = wantedRange(exchange.request, bytes, etag);
  const isKnownThere = isKnown(exchange.request, etag);
  if (isKnownThere || range === 'unsatisfiable') {
    if (!isKnownThere) lines.push('Content-Range', `bytes */${bytes}`, 'Content-Length', '0');
    exchange.response.writeHead(isKnownThere ? 304 : 416, lines);
    exchange.response.end();
    return undefined;
  }
  const { start: from, end: last } = range ?? { start: 0, end: bytes - 1 };
  // Of what grows nobody knows how long it will be (RFC 9110 14.4).
  if (range) lines.push('Content-Range', `bytes ${from}-${last}/${entity.isWhole ? bytes : '*'}`);
  lines.push('Content-Length', String(last - from + 1));
  exchange.response.writeHead(range ? 206 : 200, lines);
  return { from, to: last + 1 };
}

/** Names and values in turn: what each part and playlist is answered with is written as it is. */
function linesOf({ type, cacheControl, etag, encoding, headers }: Head): string[] {
  const own = ['Content-Type', type, 'Cache-Control', cacheControl, 'ETag', etag, 'Accept-Ranges', 'bytes'];
  const lines = [...CORS_LINES, ...own];
  if (encoding) lines.push('Content-Encoding', encoding);
  for (const name in headers) lines.push(name, headers[name]!);
  return lines;
}

function drained(exchange: Exchange): Promise<void> {
  const { response } = exchange;
  if (response.destroyed) return Promise.resolve();
  exchange.untaken.watch(exchange);
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

export function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(
    String(request.headers['accept-encoding'] ?? ''),
  );
}

const CORS_LINES: readonly string[] = Object.entries(CORS).flat();

/** RFC 9110 13.1.2: weak comparison with each validator in the list. */
function isKnown(request: IncomingMessage, etag: string): boolean {
  const known = request.headers['if-none-match']?.split(',') ?? [];
  return known.some((one) => ['*', etag].includes(one.trim().replace(/^W\//, '')));
}

function wantedRange(
  request: IncomingMessage,
  size: number,
  etag: string,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const { range } = request.headers;
  const condition = request.headers['if-range'];
  if (!range || (condition !== undefined && condition !== etag)) return undefined;
  const ranges = parseRange(size, range);
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return undefined;
  return ranges[0];
}

function cut(views: readonly Uint8Array[], start: number, end: number): readonly Uint8Array[] {
  if (start === 0 && end === lengthOf(views)) return views;
  const kept: Uint8Array[] = [];
  let offset = 0;
  for (const view of views) {
    const from = Math.max(0, start - offset);
    const to = Math.min(view.length, end - offset);
    if (from < to) kept.push(view.subarray(from, to));
    offset += view.length;
  }
  return kept;
}

function lengthOf(views: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const view of views) bytes += view.length;
  return bytes;
}
