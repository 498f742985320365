// Whether a page of usher's own sent a request: a cookie comes along also with what other sites' pages send. Pure.

import type { Exchange } from '../../network/http/exchange.ts';

/**
 * Browsers say it themselves (`Sec-Fetch-Site`, Fetch Metadata 2.3), or at least where the page is from (`Origin`). A request without
 * either is no browser's, and has no business with a cookie.
 */
export function isOwnPages(headers: Exchange['request']['headers']): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  // HTTP/2 names the host elsewhere (RFC 9113 8.3.1).
  const host = headers.host ?? headers[':authority'];
  return headers.origin !== undefined && host !== undefined && URL.parse(headers.origin)?.host === host;
}

const LOCAL = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Whether somebody at this machine may have sent a request, for what is known to have come from it: neither a proxy on it nor a page
 * of another site that is open in a browser on it, also when that site's name leads here (DNS rebinding).
 */
export function isOfThisMachine(headers: Exchange['request']['headers']): boolean {
  if (headers.forwarded !== undefined || headers['x-forwarded-for'] !== undefined) return false;
  const host = URL.parse(`http://${headers.host ?? headers[':authority']}`)?.hostname ?? '';
  const isOfPage = headers.origin !== undefined || headers['sec-fetch-site'] !== undefined;
  return LOCAL.test(host) && (!isOfPage || isOwnPages(headers));
}

/** Where to go after signing in: a page of the console, and nothing that a link could make of it. */
export function safeNext(next: string | null | undefined): string {
  const url = next?.startsWith('/console') ? URL.parse(next, 'http://console.invalid') : null;
  const isOfConsole = url?.origin === 'http://console.invalid' && /^\/console(?:\/|$)/.test(url.pathname);
  return isOfConsole ? `${url.pathname}${url.search}` : '/console';
}
