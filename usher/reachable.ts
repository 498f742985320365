// URLs of servers as somebody outside can use them.

import type { Exchange } from '../network/http.ts';

const EVERY_ADDRESS = ['0.0.0.0', '[::]'];

/** A server that listens on every address is reached at the name by which usher was asked. Without a slash at its end. */
export function reachableUrl(given: string, exchange: Exchange): string {
  const url = new URL(given);
  if (!EVERY_ADDRESS.includes(url.hostname)) return given.replace(/\/$/, '');
  const host = URL.parse(`http://${exchange.request.headers.host ?? ''}`)?.hostname || '127.0.0.1';
  // The setter of `hostname` leaves alone what it takes for no host of the URL's scheme; text does not.
  const port = url.port && `:${url.port}`;
  return `${url.protocol}//${host}${port}${url.pathname}`.replace(/\/$/, '');
}
