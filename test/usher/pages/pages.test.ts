import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HttpServer } from '../../../network/http/http.ts';
import { assetRoutes } from '../../../usher/pages/assets.ts';
import { pageRoutes } from '../../../usher/pages/pages.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';

let server: HttpServer;
let base: string;

beforeAll(async () => {
  server = await serveRoutes([...pageRoutes({ rtmpUrl: 'rtmp://0.0.0.0:1936/live' }), ...assetRoutes()]);
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

describe('every page', () => {
  test.each(['/', '/watch/alice', '/embed/alice', '/replay/alice.mwpjqbk0', '/watch/no%20name'])(
    '%s runs nothing but our own files',
    async (path) => {
      const response = await fetch(base + path);
      const policy = response.headers.get('content-security-policy')!;
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toContain('unsafe');
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('referrer-policy')).toBe('no-referrer');
      const html = await response.text();
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    },
  );

  test.each(['/', '/watch/alice', '/embed/alice', '/replay/alice.mwpjqbk0'])(
    '%s loads only what is there',
    async (path) => {
      const html = await (await fetch(base + path)).text();
      const loaded = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
      expect(loaded.length).toBeGreaterThan(10);
      for (const asset of new Set(loaded)) expect((await fetch(base + asset)).status, asset).toBe(200);
      expect(html, 'nothing comes from elsewhere').not.toMatch(/<(?!a )[^>]*(?:src|href)="(?:https?:)?\/\//);
      expect(html, 'everything is filled in').not.toMatch(/\{\{|<!-- /);
    },
  );
});

describe('frames of other sites', () => {
  test.each([
    ['/embed/alice', '*'],
    ['/', "'none'"],
    ['/watch/alice', "'none'"],
    ['/replay/alice.mwpjqbk0', "'none'"],
  ])('%s may be framed by %s', async (path, ancestors) => {
    const policy = (await fetch(base + path)).headers.get('content-security-policy')!;
    expect(policy).toMatch(new RegExp(`; frame-ancestors ${ancestors.replace('*', '\\*')}$`));
  });
});

describe('the front page', () => {
  test('says where to push, at the name by which it was reached when the server listens everywhere', async () => {
    const html = await (await fetch(`${base}/`)).text();
    expect(html).toContain('data-rtmp-url="rtmp://127.0.0.1:1936/live"');
  });

  test('says where to push as it was told otherwise, with nothing unescaped', async () => {
    const other = await serveRoutes(pageRoutes({ rtmpUrl: 'rtmp://relay.example/live"><b>&' }));
    const html = await (await fetch(`http://127.0.0.1:${other.port}/`)).text();
    expect(html).toContain('data-rtmp-url="rtmp://relay.example/live&quot;&gt;&lt;b&gt;&amp;"');
    await other.close();
  });
});

describe('the page of a stream', () => {
  test('is there for every name that a stream may have, also while it is not live', async () => {
    const response = await fetch(`${base}/watch/Alice_2.x-y`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('data-stream="Alice_2.x-y"');
  });

  test.each(['%3Cscript%3E', '<script>alert(1)</script>', '"onload="x', '.hidden', 'a'.repeat(65), '%00'])(
    'is a plain 404 for %s',
    async (name) => {
      const response = await fetch(`${base}/watch/${name}`);
      expect(response.status).toBe(404);
      expect(await response.text()).not.toMatch(/alert|onload=|%3C|aaaa/);
    },
  );
});
