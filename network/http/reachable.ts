// URLs of servers as somebody outside can use them.

import type { Exchange } from './http.ts';

const EVERY_ADDRESS = ['0.0.0.0', '[::]'];

/** A server that listens on every address is reached at the name by which usher was asked. Without a slash at its end. */
export function reachableUrl(given: string, exchange: Exchange): string {
  const url = new URL(given);
  if (!EVERY_ADDRESS.includes(url.hostname)) return given.replace(/\/$/, '');
  url.hostname = hostOf(exchange);
  return url.href.replace(/\/$/, '');
}

function hostOf(exchange: Exchange): string {
  const host = URL.parse(`http://${exchange.request.headers.host ?? ''}`)?.hostname;
  return host || '127.0.0.1';
}
