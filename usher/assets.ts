// Serves what pages load: the player's modules (TypeScript, types stripped as Node does it), styles, hls.js.

import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../network/hash.ts';
import {
  acceptsGzip,
  type Entity,
  type Exchange,
  type Route,
  sendEntity,
  sendProblem,
} from '../network/http/http.ts';

interface Asset {
  readonly plain: Entity;
  readonly gzipped: Entity;
}

/** Modules of `network` that the player imports. They are pure: nothing else of `network` would run in a browser. */
const SHARED_MODULES = [
  'errors',
  'media/boxes',
  'media/chunk',
  'media/codec-string',
  'media/init',
  'media/splitter',
  'relay/signal',
].map((name) => `network/${name}.ts`);
const PLAYER_MODULES = readdirSync(new URL('player/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `usher/player/${name}`);
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const ETAG_DIGITS = 24;

/** Paths of all modules of the player below `/assets/`, for pages to preload. */
export const MODULE_PATHS: readonly string[] = [...PLAYER_MODULES, ...SHARED_MODULES];

/** All that can be had is read here, once; a path from outside only looks up what is there. */
export function assetRoutes(): Route[] {
  const assets = new Map<string, Asset>([
    ...MODULE_PATHS.map((path) => [path, readModule(path)] as const),
    ['hls.min.mjs', readHls()],
    ['style.css', asset(readText('usher/pages/style.css'), 'text/css; charset=utf-8')],
    ['icon.svg', asset(readText('usher/pages/icon.svg'), 'image/svg+xml')],
  ]);
  return [
    {
      kind: 'asset',
      method: 'GET',
      pattern: /^\/assets\/(?<path>.+)$/,
      handle: (exchange) => sendAsset(exchange, assets.get(exchange.params.path!)),
    },
  ];
}

function sendAsset(exchange: Exchange, found: Asset | undefined): void {
  if (!found) {
    sendProblem(exchange, 404, 'Not Found', 'there is no such asset');
    return;
  }
  exchange.response.setHeader('Vary', 'Accept-Encoding');
  exchange.response.setHeader('X-Content-Type-Options', 'nosniff');
  sendEntity(exchange, acceptsGzip(exchange.request) ? found.gzipped : found.plain);
}

/** Stripping puts spaces where types were, so that lines and columns in the browser's tools are those of the source. */
function readModule(path: string): Asset {
  return asset(stripTypeScriptTypes(readText(path)), JAVASCRIPT);
}

function readHls(): Asset {
  const path = fileURLToPath(import.meta.resolve('hls.js/dist/hls.min.mjs'));
  const withoutMap = readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
  return asset(withoutMap, JAVASCRIPT);
}

function readText(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
}

function asset(text: string, type: string): Asset {
  const bytes = Buffer.from(text);
  const hash = sha256(bytes, ETAG_DIGITS);
  const common = { type, cacheControl: 'no-cache' };
  return {
    plain: { ...common, views: [bytes], etag: `"${hash}"` },
    gzipped: { ...common, views: [gzipSync(bytes)], etag: `"${hash}-gzip"`, encoding: 'gzip' },
  };
}
