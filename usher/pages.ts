// Serves the pages: the front page, one to watch each stream, one for each recording. What is in them is filled in by the player's modules.

import { readFileSync } from 'node:fs';
import { streamOf } from '../network/archive/catalogue.ts';
import { isRecordingId } from '../network/archive/index-file.ts';
import type { Exchange, Route } from '../network/http/http.ts';
import { reachableUrl } from '../network/http/reachable.ts';
import { isStreamName, STREAM_NAME_RULE } from '../network/names.ts';
import { PLAYER_PATHS } from './assets.ts';
import { type Page, sendPage } from './html.ts';

export interface PageOptions {
  /** What broadcasters push to, without the stream's name: `rtmp://127.0.0.1:1935/live`. */
  readonly rtmpUrl: string;
}

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

/**
 * Pages share the player and the list of modules to fetch ahead. Any site may frame them: what acts for somebody when it is
 * clicked, the form for clips, is not shown in a frame.
 */
function readPage(name: string): Page {
  const read = (file: string): string => readFileSync(new URL(`pages/${file}.html`, import.meta.url), 'utf8');
  const preloads = PLAYER_PATHS.map((path) => `<link rel="modulepreload" href="/assets/${path}">`);
  const template = read(name)
    .replace('<!-- player -->', () => read('player'))
    .replace('<!-- clip -->', () => read('clip'))
    .replace('<!-- recordings -->', () => read('recordings'))
    .replace('<!-- modules -->', preloads.join('\n  '));
  return { template, mayBeFramed: true };
}
