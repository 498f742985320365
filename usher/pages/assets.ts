// Serves what pages load: the player's and the console's modules (TypeScript, types stripped as Node does it), styles, libraries, land.

import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../../network/hash.ts';
import { sendProblem } from '../../network/http/answers.ts';
import { acceptsGzip, type Entity, sendEntity } from '../../network/http/entity.ts';
import type { Exchange } from '../../network/http/exchange.ts';
import type { Route } from '../../network/http/http.ts';

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
/** What the console's pages import besides: pure too. */
const CONSOLE_SHARED = ['console/patch', 'explained/words'].map((name) => `usher/${name}.ts`);
const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';
const ETAG_DIGITS = 24;
/** Libraries that have no modules for browsers define a global name; each is loaded by the pages that use it. */
const LIBRARIES = [
  ['d3-array.min.js', 'd3-array'],
  ['d3-geo.min.js', 'd3-geo'],
  ['topojson-client.min.js', 'topojson-client/dist/topojson-client.js'],
  ['uPlot.iife.min.js', 'uplot/dist/uPlot.iife.min.js'],
  ['hls.min.mjs', 'hls.js/dist/hls.min.mjs'],
] as const;

/** Paths of all modules of the player below `/assets/`, for pages to preload; and of all modules that there are. */
export const PLAYER_PATHS: readonly string[] = [...modulesIn('player'), ...SHARED_MODULES];
export const MODULE_PATHS: readonly string[] = [
  ...PLAYER_PATHS,
  ...modulesIn('console/page'),
  ...CONSOLE_SHARED,
];

/** All that can be had is read here, once; a path from outside only looks up what is there. */
export function assetRoutes(): Route[] {
  const assets = new Map<string, Asset>([
    ...MODULE_PATHS.map((path) => [path, readModule(path)] as const),
    ...LIBRARIES.map(([name, given]) => [name, asset(readLibrary(given, name), JAVASCRIPT)] as const),
    ['uPlot.min.css', asset(readLibrary('uplot/dist/uPlot.min.css', 'uPlot.min.css'), CSS)],
    [
      'land-110m.json',
      asset(readLibrary('world-atlas/land-110m.json', 'land-110m.json'), 'application/json'),
    ],
    ['style.css', asset(readText('usher/pages/style.css'), CSS)],
    ['console.css', asset(readText('usher/console/pages/console.css'), CSS)],
    ['api.css', asset(readText('usher/openapi/api.css'), CSS)],
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

/** What a page needs before it can begin: a module, and all that it imports. */
export function importsOf(path: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  const code = stripTypeScriptTypes(readText(path));
  for (const [, imported] of code.matchAll(/^import .*? from '(\.[^']+)';$/gms))
    importsOf(posix.join(posix.dirname(path), imported!), found);
  return found;
}

/** Stripping puts spaces where types were, so that lines and columns in the browser's tools are those of the source. */
function readModule(path: string): Asset {
  return asset(stripTypeScriptTypes(readText(path)), JAVASCRIPT);
}

/** The file beside what a package gives by this name. */
function readLibrary(given: string, file: string): string {
  const path = new URL(file, import.meta.resolve(given));
  return readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/m, '');
}

function modulesIn(folder: string): string[] {
  return readdirSync(new URL(`../${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `usher/${folder}/${name}`);
}

function readText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
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
