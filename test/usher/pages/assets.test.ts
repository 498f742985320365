import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../network/http/http.ts';
import { assetRoutes, MODULE_PATHS } from '../../../usher/pages/assets.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';

let server: HttpServer;
let base: string;

beforeAll(async () => {
  server = await serveRoutes(assetRoutes());
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

describe('modules', () => {
  test('are JavaScript without types, under the paths that they import each other by', async () => {
    const response = await fetch(`${base}/assets/usher/player/playback/progressive.ts`);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const code = await response.text();
    expect(code).not.toMatch(/import type|readonly #|: void/);
    expect(code).toContain("from './connection.ts'");
  });

  test('import nothing that is not served', async () => {
    for (const path of MODULE_PATHS) {
      const code = await (await fetch(`${base}/assets/${path}`)).text();
      for (const [, imported] of code.matchAll(/^import .*? from '([^']+)';$/gms)) {
        const target = new URL(imported!, `${base}/assets/${path}`);
        expect((await fetch(target)).status, `${path} imports ${imported}`).toBe(200);
      }
    }
  });

  test('keep the lines of their source', async () => {
    const code = await (await fetch(`${base}/assets/network/media/chunk.ts`)).text();
    const line = code.split('\n').findIndex((text) => text.includes('export function readChunk'));
    const { readFileSync } = await import('node:fs');
    const source = readFileSync(new URL('../../../network/media/chunk.ts', import.meta.url), 'utf8').split(
      '\n',
    );
    expect(source[line]).toContain('export function readChunk');
  });
});

describe('assets', () => {
  test('are hls.js, the style and the icon with their types', async () => {
    const types = await Promise.all(
      ['hls.min.mjs', 'style.css', 'icon.svg'].map(async (path) => {
        const response = await fetch(`${base}/assets/${path}`);
        return [response.status, response.headers.get('content-type')];
      }),
    );
    expect(types).toEqual([
      [200, 'text/javascript; charset=utf-8'],
      [200, 'text/css; charset=utf-8'],
      [200, 'image/svg+xml'],
    ]);
  });

  test('are compressed for who accepts it, each form under its own ETag, and not sent again', async () => {
    const url = `${base}/assets/hls.min.mjs`;
    const packed = await fetch(url, { headers: { 'Accept-Encoding': 'gzip' } });
    const plain = await fetch(url, { headers: { 'Accept-Encoding': 'identity' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(Number(packed.headers.get('content-length'))).toBeLessThan(220_000);
    expect(await packed.text()).toBe(await plain.text());
    expect(packed.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect(plain.headers.get('vary')).toBe('Accept-Encoding');
    const again = await statusOf('/assets/hls.min.mjs', { 'If-None-Match': plain.headers.get('etag')! });
    expect(again).toBe(304);
  });

  test.each([
    '/assets/network/http/http.ts',
    '/assets/network/hash.ts',
    '/assets/usher/api.ts',
    '/assets/usher/player/',
    '/assets/usher/player/../api.ts',
    '/assets/../package.json',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/package.json',
    '/assets//etc/passwd',
    '/assets/usher/player/..%5c..%5cserver.ts',
    '/assets/__proto__',
    '/assets/constructor',
  ])('are nothing else of the disk: %s is not there', async (path) => {
    expect(await statusOf(path)).toBe(404);
  });
});

/** As `fetch`, with the path as it is: `fetch` would resolve its dots. */
function statusOf(path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port: server.port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });
}
