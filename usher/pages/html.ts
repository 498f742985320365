// Sends pages: filled in with values, and with the policy that nothing but our own files runs in them.

import { send } from '../../network/http/answers.ts';
import type { Exchange } from '../../network/http/exchange.ts';

/** Media and pictures come from servers at other origins; media reaches the <video> as `blob:`. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' http: https:",
  'connect-src http: https:',
  'media-src blob: http: https:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
/** A click in a page that acts for somebody, with a key or signed in, must not come out of another site's frame. */
const FRAMED_BY_NOBODY = "; frame-ancestors 'none'";
const FRAMED_BY_ALL = '; frame-ancestors *';

export interface Page {
  readonly template: string;
  /** Any site may frame what does nothing in anybody's name. */
  readonly mayBeFramed: boolean;
}

export function sendPage(
  exchange: Exchange,
  status: number,
  { template, mayBeFramed }: Page,
  values: Readonly<Record<string, string>>,
): void {
  const { response } = exchange;
  const policy = CONTENT_SECURITY_POLICY + (mayBeFramed ? FRAMED_BY_ALL : FRAMED_BY_NOBODY);
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A playback token in the page's address is nobody else's business.
  response.setHeader('Referrer-Policy', 'no-referrer');
  send(exchange, status, 'text/html; charset=utf-8', fill(template, values), 'no-cache');
}

/** Puts values, escaped, where `{{name}}` stands. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escapeHtml(values[name] ?? ''));
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
