import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Condition, Health, healthRoutes } from '../../../network/http/health.ts';
import type { HttpServer } from '../../../network/http/http.ts';
import { Metrics } from '../../../network/metrics.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';

const now: Condition[] = [];
const metrics = new Metrics();
let server: HttpServer;
beforeAll(async () => {
  const health = new Health(metrics);
  health.check(() => now[0]);
  health.check(() => now[1]);
  server = await serveRoutes(healthRoutes(health, metrics));
});
afterAll(() => server.close());

async function ask(path: string): Promise<[status: number, body: string]> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`);
  return [answer.status, await answer.text()];
}

test('a process of which nothing is to be said is ready', async () => {
  now.splice(0);
  expect(await ask('/readyz')).toEqual([200, '{"ready":true,"conditions":[]}\n']);
  expect(await ask('/healthz')).toEqual([200, 'ok\n']);
});

test('one that is to get no new work says why with 503, and is alive', async () => {
  now.splice(0, 2, { code: 'draining', detail: 'this server is being emptied', blocks: true });
  const [status, body] = await ask('/readyz');
  expect(status).toBe(503);
  expect(JSON.parse(body)).toEqual({ ready: false, conditions: now });
  expect(await ask('/healthz')).toEqual([200, 'ok\n']);
  expect((await ask('/metrics'))[1]).toContain('headwater_ready 0');
});

test('one that gets on without something says so, and is ready', async () => {
  now.splice(0, 2, { code: 'state_away', detail: 'beats are not heard', blocks: false });
  const [status, body] = await ask('/readyz');
  expect(status).toBe(200);
  expect(JSON.parse(body)).toEqual({ ready: true, conditions: now });
  expect((await ask('/metrics'))[1]).toContain('headwater_condition{code="state_away"} 1');
});
