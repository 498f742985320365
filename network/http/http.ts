// HTTP serving: a listener with routes.

import { CodedError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { Turns } from '../process/turns.ts';
import { Seldom } from '../seldom.ts';
import { head, sendProblem } from './answers.ts';
import { type Answering, Exchange, pathOf, type Shared } from './exchange.ts';
import type { HttpMetrics } from './http-metrics.ts';
import {
  cutOff,
  DEFAULT_HTTP_LIMITS,
  type HttpServer,
  type IncomingMessage,
  type ListenerOptions,
  openListener,
} from './listener.ts';
import { ReadAhead } from './read-ahead.ts';
import { Untaken } from './untaken.ts';

export type { HttpServer };

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
    onRequest(request, response, isOneOfSeveral) {
      const route = findRoute(options.routes, request);
      const exchange = new Exchange(shared, route, request, response);
      const whose = isOneOfSeveral ? exchange.connection : undefined;
      turns.take(() => exchange.go(() => route.handle(exchange)), whose);
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
