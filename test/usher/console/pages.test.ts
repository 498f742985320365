import { afterAll, beforeAll, expect, test } from 'vitest';
import { redirect } from '../../../network/http/answers.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { consolePageRoutes } from '../../../usher/console/pages.ts';
import { assetRoutes } from '../../../usher/pages/assets.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';

const PATHS = [
  '/console',
  '/console/streams',
  '/console/streams/alice',
  '/console/servers',
  '/console/servers/ams-1',
  '/console/sites/ams',
  '/console/explain',
  '/console/events',
];
const OPERATOR = { name: 'admin', expiresAtMs: 0 };

let server: HttpServer;
let base: string;
let isSignedIn = true;

beforeAll(async () => {
  const pages = consolePageRoutes({
    operators: {
      admitToPage(exchange) {
        if (isSignedIn) return OPERATOR;
        redirect(exchange, 302, '/console/sign-in');
        return undefined;
      },
    },
  });
  server = await serveRoutes([...pages, ...assetRoutes()]);
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(() => server.close());

test.each(PATHS)(
  '%s runs nothing but our own files, is framed by nobody, and loads only what is there',
  async (path) => {
    const response = await fetch(base + path);
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    const html = await response.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    expect(html, 'everything is filled in').not.toMatch(/\{\{|<!-- /);
    expect(html).toMatch(/<a href="[^"]+" aria-current="page">/);
    const loaded = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((match) => match[1]!);
    for (const asset of new Set(loaded)) expect((await fetch(base + asset)).status, asset).toBe(200);
  },
);

test.each(['/console/streams/%3Cscript%3E', '/console/servers/no%20name', '/console/sites/"x'])(
  '%s is the page of nothing',
  async (path) => {
    const response = await fetch(base + path);
    expect(response.status).toBe(404);
    expect(await response.text()).not.toMatch(/script%3E|no%20name/);
  },
);

test.each(PATHS)('%s is for operators alone', async (path) => {
  isSignedIn = false;
  const response = await fetch(base + path, { redirect: 'manual' });
  isSignedIn = true;
  expect([response.status, response.headers.get('location')]).toEqual([302, '/console/sign-in']);
  expect(await response.text()).not.toContain('modulepreload');
});
