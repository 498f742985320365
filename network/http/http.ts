// HTTP serving: routes, and the few kinds of answer that Headwater gives.

import parseRange from 'range-parser';
import { CodedError, reasonOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { Turns } from '../process/turns.ts';
import { Seldom } from '../seldom.ts';
import { type Answering, Exchange, pathOf, type Shared } from './exchange.ts';
import type { HttpMetrics } from './http-metrics.ts';
import {
  cutOff,
  DEFAULT_HTTP_LIMITS,
  type HttpServer,
  http2StreamOf,
  type IncomingMessage,
  ignoreSilence,
  type ListenerOptions,
  type Outlet,
  openListener,
} from './listener.ts';
import { alone, ReadAhead } from './read-ahead.ts';
import { Untaken } from './untaken.ts';

export type { Exchange, HttpServer };

export interface Route extends Answering {
  /** GET stands for HEAD as well. */
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Matched against the whole path, percent-encoding left as it is. */
  readonly pattern: RegExp;
}

export interface HttpOptions extends Omit<ListenerOptions, 'onRequest'> {
  readonly routes: readonly Route[];
  readonly logger: Logger;
  readonly metrics: HttpMetrics;
}

export async function listenHttp(options: HttpOptions): Promise<HttpServer> {
  const { logger, metrics } = options;
  const refusals = new Seldom(options.clock);
  const failures = new Seldom(options.clock);
  const turns = new Turns(options.clock);
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
  const untaken = new Untaken<Exchange>({
    clock: options.clock,
    limits,
    onLate: ({ request, response }) => cutOff(request, response),
  });
  const shared: Shared = {
    untaken,
    readAhead: new ReadAhead(limits.readAheadBytes),
    onFault: (exchange, error) => fail(logger, exchange, error),
    onOver: (exchange) => {
      untaken.forget(exchange);
      const { kind, request, response, bodyBytes } = exchange;
      metrics.count(kind, request.method, response.statusCode, bodyBytes);
    },
  };
  const listener = await openListener({
    ...options,
    onRequest(request, response) {
      const route = findRoute(options.routes, request);
      const exchange = new Exchange(shared, route, request, response);
      turns.take(() => exchange.go(() => route.handle(exchange)));
      return exchange;
    },
    onClosed: () => untaken[Symbol.dispose](),
    onRefused: ({ why, reason }) => {
      metrics.refused.inc({ listener: metrics.listener, why });
      refusals.say((times) => logger.warn({ why, reason, times }, 'HTTP connection not admitted'));
    },
    onError: (err) =>
      failures.say((times) => logger.error({ err, times }, 'HTTP connection could not be accepted')),
  });
  options.metrics.watch(() => listener.connections);
  return listener;
}

/** RFC 9457. `type` is `about:blank`, so the title is the status's own and the detail says what was wrong. */
export function sendProblem(exchange: Exchange, status: number, title: string, detail: string): void {
  send(exchange, status, 'application/problem+json', JSON.stringify({ title, status, detail }), 'no-store');
}

export function sendJson(exchange: Exchange, value: unknown, cacheControl = 'no-store'): void {
  send(exchange, 200, 'application/json', JSON.stringify(value), cacheControl);
}

export function send(
  exchange: Exchange,
  status: number,
  type: string,
  text: string,
  cacheControl: string,
): void {
  const body = Buffer.from(text);
  head(exchange, status, {
    'Content-Type': type,
    'Content-Length': body.length,
    'Cache-Control': cacheControl,
  });
  endWith(exchange, [body]);
  if (exchange.response.writableLength > 0) exchange.untaken.hold(exchange, exchange.bodyBytes);
}

/** 303: what was posted is done, and this is to be looked at now. */
export function redirect(exchange: Exchange, status: 302 | 303 | 307, location: string): void {
  head(exchange, status, { Location: location, 'Cache-Control': 'no-store', 'Content-Length': 0 });
  exchange.response.end();
}

/** Done, and there is nothing to say. */
export function sendNothing(exchange: Exchange): void {
  head(exchange, 204, { 'Cache-Control': 'no-store' });
  exchange.response.end();
}

/** The body of a request as text; undefined when it is longer than `maxBytes` or broke off, which has been answered. */
export async function readText(exchange: Exchange, maxBytes: number): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of exchange.request.iterator({ destroyOnReturn: false })) {
      bytes += piece.length;
      if (bytes > maxBytes) return refuseBody(exchange, maxBytes);
      pieces.push(piece);
    }
  } catch (error) {
    sendProblem(exchange, 400, 'Bad Request', `the body broke off: ${reasonOf(error)}`);
    return undefined;
  }
  return Buffer.concat(pieces).toString('utf8');
}

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

/**
 * Answers with an endless body and hands out what it is written to. Over HTTP/1.1 it ends with the connection and is not
 * framed: chunked framing would cost each viewer a header of its own for bytes that all viewers share. Returns undefined when
 * the answer is complete as it is: to HEAD, to a request that another answer on its connection stands before, and to nobody.
 */
export function sendEndless(
  exchange: Exchange,
  type: string,
  headers: Readonly<Record<string, string | number>> = {},
): Outlet | undefined {
  const { request, response } = exchange;
  const stream = http2StreamOf(request);
  const outlet = stream ?? response.socket;
  if (!outlet || outlet.destroyed) {
    sendProblem(exchange, 409, 'Conflict', 'an endless answer needs a connection of its own');
    return undefined;
  }
  const ofConnection: Record<string, string> = stream ? {} : { Connection: 'close' };
  response.removeHeader('Transfer-Encoding');
  head(exchange, 200, { ...headers, 'Content-Type': type, 'Cache-Control': 'no-store', ...ofConnection });
  response.flushHeaders();
  if (request.method === 'HEAD') {
    response.end();
    return undefined;
  }
  if (!stream) ignoreInput(outlet);
  return outlet;
}

export function acceptsGzip(request: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(
    String(request.headers['accept-encoding'] ?? ''),
  );
}

/** What is still to come of it is not read, so the connection is of no further use. */
function refuseBody(exchange: Exchange, maxBytes: number): undefined {
  if (!http2StreamOf(exchange.request)) exchange.response.setHeader('Connection', 'close');
  sendProblem(exchange, 413, 'Content Too Large', `a body has at most ${maxBytes} bytes here`);
}

function findRoute(routes: readonly Route[], request: IncomingMessage): Answering {
  const { method } = request;
  if (hasTwoHosts(request)) return TWO_HOSTS;
  if (method === 'OPTIONS') return PREFLIGHT;
  const path = pathOf(request);
  const wanted = method === 'HEAD' ? 'GET' : method;
  let nothing = NO_SUCH_PATH;
  for (const route of routes) {
    const isThere = route.pattern.test(path);
    if (isThere && route.method === wanted) return route;
    if (isThere) nothing = NO_SUCH_METHOD;
  }
  return nothing;
}

/** RFC 9112 3.2: Node takes the first of several, and a cache before us may have gone by another. */
function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

const TWO_HOSTS: Answering = {
  kind: 'unknown',
  handle: (exchange) => sendProblem(exchange, 400, 'Bad Request', 'a request has one Host'),
};
const PREFLIGHT: Answering = { kind: 'preflight', handle: preflight };
const NO_SUCH_PATH: Answering = {
  kind: 'unknown',
  handle: (exchange) => sendProblem(exchange, 404, 'Not Found', 'there is nothing at this path'),
};
const NO_SUCH_METHOD: Answering = {
  kind: 'unknown',
  handle: (exchange) =>
    sendProblem(
      exchange,
      405,
      'Method Not Allowed',
      `${exchange.request.method} is not for ${exchange.path}`,
    ),
};

function fail(logger: Logger, exchange: Exchange, error: unknown): void {
  const isAway = error instanceof CodedError && error.code === 'state_unavailable';
  const about = { kind: exchange.kind, path: withoutToken(exchange), ...exchange.subject };
  if (isAway) logger.warn({ ...about, reason: error.message }, 'request can not be answered');
  else logger.error({ ...about, err: error }, 'request failed');
  if (exchange.response.headersSent) exchange.response.destroy();
  else if (isAway) sendProblem(exchange, 503, 'Service Unavailable', 'the cluster state is away');
  else sendProblem(exchange, 500, 'Internal Server Error', 'the fault is in the log of the server');
}

/** What stands in a path in place of a token lets nobody in. */
function withoutToken({ path, params: { token } }: Exchange): string {
  return token === undefined ? path : path.replace(token, '-');
}

function head(exchange: Exchange, status: number, headers: Record<string, string | number>): void {
  exchange.response.writeHead(status, { ...CORS, ...headers });
}

/**
 * No answer to a further request could ever be sent, so none is parsed: requests behind an endless answer would pile up. Whoever
 * closes its half reads no further either, and bytes for it would lie here until TCP gives up.
 */
function ignoreInput(socket: Outlet): void {
  ignoreSilence(socket);
  socket.once('end', () => socket.destroy());
  const parsing = socket.listeners('data');
  socket.on('data', () => {});
  for (const listener of parsing) socket.off('data', listener as () => void);
}

/** Any site's page may play. What depends on a cookie is kept from other sites' pages all the same: credentials are not allowed. */
const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Content-Range, ETag, Date, Headwater-Sequence',
  'Timing-Allow-Origin': '*',
};
const CORS_LINES: readonly string[] = Object.entries(CORS).flat();

function preflight(exchange: Exchange): void {
  head(exchange, 204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, PATCH, DELETE, OPTIONS',
    'Access-Control-Allow-Headers': String(
      exchange.request.headers['access-control-request-headers'] ?? 'Range',
    ),
    'Access-Control-Max-Age': 86_400,
  });
  exchange.response.end();
}

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

function endWith(exchange: Exchange, views: readonly Uint8Array[]): void {
  const { request, response } = exchange;
  if (request.method === 'HEAD') return void response.end();
  if (views.length > 1) response.cork();
  const last = views.length - 1;
  for (let index = 0; index < last; index++) response.write(views[index]!);
  response.end(views[last]);
  for (const { length } of views) exchange.bodyBytes += length;
  if (response.writableLength > 0) exchange.untaken.watch(exchange);
}
