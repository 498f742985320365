// Serves the pages: the front page, one to watch each stream, one for each recording. What is in them is filled in by the player's modules.

import { readFileSync } from 'node:fs';
import { streamOf } from '../network/archive/catalogue.ts';
import { isRecordingId } from '../network/archive/index-file.ts';
import { type Exchange, type Route, send } from '../network/http/http.ts';
import { reachableUrl } from '../network/http/reachable.ts';
import { isStreamName, STREAM_NAME_RULE } from '../network/names.ts';
import { MODULE_PATHS } from './assets.ts';

export interface PageOptions {
  /** What broadcasters push to, without the stream's name: `rtmp://127.0.0.1:1935/live`. */
  readonly rtmpUrl: string;
}

/**
 * Nothing but our own files runs. Media and pictures come from servers at other origins; media reaches the <video> as `blob:`.
 * Any site may frame the player: what acts for somebody when it is clicked, the form for clips, is not shown in a frame.
 */
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

const FRONT = readPage('front');
const WATCH = readPage('watch');
const REPLAY = readPage('replay');
const NO_SUCH_PAGE = readPage('no-such-page');

export function pageRoutes(options: PageOptions): Route[] {
  return [
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/$/,
      handle: (exchange) =>
        sendPage(exchange, 200, FRONT, { rtmpUrl: reachableUrl(options.rtmpUrl, exchange) }),
    },
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/watch\/(?<stream>[^/]+)$/,
      handle: (exchange) => sendWatch(exchange, exchange.params.stream!),
    },
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/replay\/(?<recording>[^/]+)$/,
      handle: (exchange) => sendReplay(exchange, exchange.params.recording!),
    },
  ];
}

function sendWatch(exchange: Exchange, stream: string): void {
  if (isStreamName(stream)) sendPage(exchange, 200, WATCH, { stream });
  else sendPage(exchange, 404, NO_SUCH_PAGE, { rule: STREAM_NAME_RULE });
}

function sendReplay(exchange: Exchange, recording: string): void {
  const stream = streamOf(recording);
  if (isRecordingId(recording) && isStreamName(stream))
    sendPage(exchange, 200, REPLAY, { recording, stream });
  else sendPage(exchange, 404, NO_SUCH_PAGE, { rule: STREAM_NAME_RULE });
}

function sendPage(
  exchange: Exchange,
  status: number,
  template: string,
  values: Readonly<Record<string, string>>,
): void {
  const { response } = exchange;
  response.setHeader('Content-Security-Policy', CONTENT_SECURITY_POLICY);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A playback token in the page's address is nobody else's business.
  response.setHeader('Referrer-Policy', 'no-referrer');
  send(exchange, status, 'text/html; charset=utf-8', fill(template, values), 'no-cache');
}

/** Puts values, escaped, where `{{name}}` stands. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{(\w+)\}\}/g, (_, name: string) => escapeHtml(values[name] ?? ''));
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

/** Pages share the player and the list of modules to fetch ahead. */
function readPage(name: string): string {
  const read = (file: string): string => readFileSync(new URL(`pages/${file}.html`, import.meta.url), 'utf8');
  const preloads = MODULE_PATHS.map((path) => `<link rel="modulepreload" href="/assets/${path}">`);
  return read(name)
    .replace('<!-- player -->', () => read('player'))
    .replace('<!-- clip -->', () => read('clip'))
    .replace('<!-- recordings -->', () => read('recordings'))
    .replace('<!-- modules -->', preloads.join('\n  '));
}
