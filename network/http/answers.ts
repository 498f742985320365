// Short answers: problems, JSON, redirects.

import type { Exchange } from './exchange.ts';

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

export function head(exchange: Exchange, status: number, headers: Record<string, string | number>): void {
  exchange.response.writeHead(status, { ...CORS, ...headers });
}

export function endWith(exchange: Exchange, views: readonly Uint8Array[]): void {
  const { request, response } = exchange;
  if (request.method === 'HEAD') return void response.end();
  if (views.length > 1) response.cork();
  const last = views.length - 1;
  for (let index = 0; index < last; index++) response.write(views[index]!);
  response.end(views[last]);
  for (const { length } of views) exchange.bodyBytes += length;
  if (response.writableLength > 0) exchange.untaken.watch(exchange);
}

/** Any site's page may play. What depends on a cookie is kept from other sites' pages all the same: credentials are not allowed. */
export const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Content-Range, ETag, Date, Headwater-Sequence',
  'Timing-Allow-Origin': '*',
};
