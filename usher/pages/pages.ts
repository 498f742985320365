// Serves the pages: the front page, one to watch each stream, the player alone for other sites, one for each recording.

import { readFileSync } from 'node:fs';
import { streamOf } from '../../network/archive/catalogue.ts';
import { isRecordingId } from '../../network/archive/index-file.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';
import { reachableUrl } from '../../network/http/reachable.ts';
import { isStreamName, STREAM_NAME_RULE } from '../../network/names.ts';
import { importsOf } from './assets.ts';
import { type Page, sendPage } from './html.ts';

export interface PageOptions {
  /** What broadcasters push to, without the stream's name: `rtmp://127.0.0.1:1935/live`. */
  readonly rtmpUrl: string;
}

const HLS = 'hls.min.mjs';
const FRONT = readPage('front');
const WATCH = readPage('watch', { libraries: [HLS] });
/** The player alone does nothing in anybody's name: any site may frame it. */
const EMBED = readPage('embed', { libraries: [HLS], mayBeFramed: true });
const REPLAY = readPage('replay', { libraries: [HLS] });
const NO_SUCH_PAGE: Page = { template: readHtml('no-such-page'), mayBeFramed: true };

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
      handle: (exchange) => sendStreamPage(exchange, WATCH),
    },
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/embed\/(?<stream>[^/]+)$/,
      handle: (exchange) => sendStreamPage(exchange, EMBED),
    },
    {
      kind: 'page',
      method: 'GET',
      pattern: /^\/replay\/(?<recording>[^/]+)$/,
      handle: (exchange) => sendReplay(exchange, exchange.params['recording']!),
    },
  ];
}

function sendStreamPage(exchange: Exchange, page: Page): void {
  const stream = exchange.params['stream']!;
  if (isStreamName(stream)) sendPage(exchange, 200, page, { stream });
  else sendPage(exchange, 404, NO_SUCH_PAGE, { rule: STREAM_NAME_RULE });
}

function sendReplay(exchange: Exchange, recording: string): void {
  const stream = streamOf(recording);
  if (isRecordingId(recording) && isStreamName(stream))
    sendPage(exchange, 200, REPLAY, { recording, stream });
  else sendPage(exchange, 404, NO_SUCH_PAGE, { rule: STREAM_NAME_RULE });
}

interface PageParts {
  /** Of what its module fetches once it runs: fetched with the module instead. */
  readonly libraries?: readonly string[];
  readonly mayBeFramed?: boolean;
}

/** A page's module has its name; the browser is told at once of all that it imports. */
function readPage(name: string, { libraries = [], mayBeFramed = false }: PageParts = {}): Page {
  const module = `usher/player/page/${name}.ts`;
  const modules = [
    ...[...importsOf(module), ...libraries].map(
      (path) => `<link rel="modulepreload" href="/assets/${path}">`,
    ),
    `<script type="module" src="/assets/${module}"></script>`,
  ];
  const template = readHtml(name)
    .replace(/<!-- (head|player|share|clip|recordings) -->/g, (_, part: string) => readHtml(part).trimEnd())
    .replace('<!-- modules -->', modules.join('\n  '));
  return { template, mayBeFramed };
}

function readHtml(file: string): string {
  return readFileSync(new URL(`${file}.html`, import.meta.url), 'utf8');
}
