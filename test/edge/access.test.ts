import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createAccess, type Viewer } from '../../edge/access.ts';
import { sendJson } from '../../network/http/answers.ts';
import { type HttpServer, listenHttp, type Route } from '../../network/http/http.ts';
import { httpMetrics } from '../../network/http/http-metrics.ts';
import { createLogger } from '../../network/logger.ts';
import { Metrics } from '../../network/metrics.ts';
import { type Grant, signToken } from '../../network/token.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const SECRETS = ['the newer secret', 'the older secret'];
const clock = new ManualClock();
const metrics = new Metrics();
const authorise = createAccess({ secrets: SECRETS, clock });
const routes: Route[] = [
  {
    kind: 'watch',
    method: 'GET',
    pattern: /^\/play\/(?<token>[^/]+)\/(?<stream>[^/]+)\/(?<rendition>[^/]+)$/,
    handle(exchange) {
      const viewer = authorise(exchange);
      if (viewer) sendJson(exchange, viewer);
    },
  },
];
let server: HttpServer;

beforeAll(async () => {
  const logger = createLogger('silent');
  const counters = httpMetrics(metrics)('media');
  server = await listenHttp({ host: '127.0.0.1', port: 0, routes, clock, logger, metrics: counters });
});
afterAll(() => server.close());
beforeEach(() => clock.advance(20_000));

function tokenFor(grant: Partial<Grant> = {}, secrets = SECRETS): string {
  const expiresAtMs = clock.now() + 60_000;
  return signToken(secrets, { purpose: 'play', stream: 'alice', session: 'ann', expiresAtMs, ...grant });
}

function ask(token: string, stream = 'alice', headers = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.port}/play/${token}/${stream}/source`, { headers });
}

async function viewerOf(response: Response): Promise<Viewer> {
  expect(response.status).toBe(200);
  return (await response.json()) as Viewer;
}

async function refusalOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const { detail } = (await response.json()) as { detail: string };
  return `${response.status} ${detail}`;
}

describe('a token', () => {
  test('names the session, and says until when', async () => {
    const viewer = await viewerOf(await ask(tokenFor()));
    const expiresAtMs = clock.now() + 60_000;
    expect(viewer).toEqual({ session: 'ann', stream: 'alice', rendition: 'source', expiresAtMs });
  });

  test.each([['the newer secret'], ['the older secret']])('signed with %s is good', async (secret) => {
    await viewerOf(await ask(tokenFor({}, [secret])));
  });

  test.each([
    ['for another stream', () => tokenFor({ stream: 'bob' }), "403 the token is not for playing 'alice'"],
    ['to publish', () => tokenFor({ purpose: 'publish' }), "403 the token is not for playing 'alice'"],
    ['of another cluster', () => tokenFor({}, ['a stranger']), "403 the token is not for playing 'alice'"],
    ['that is none', () => 'letmein', '403 the token is malformed'],
    [
      'with a letter changed',
      () => tokenFor().replace(/.$/, '_'),
      "403 the token is not for playing 'alice'",
    ],
  ])('%s is refused', async (_, make, refusal) => {
    expect(await refusalOf(await ask(make()))).toBe(refusal);
  });

  test('that has been good is refused once it has expired', async () => {
    const token = tokenFor({ expiresAtMs: clock.now() + 60_000 });
    await viewerOf(await ask(token));
    clock.advance(60_000);
    expect(await refusalOf(await ask(token))).toMatch(/^403 the token expired at 2027-/);
  });

  test('has its signature computed once, however often it is used', async () => {
    const token = tokenFor({ session: 'often' });
    // It is computed with each secret until one fits.
    using tried = vi.spyOn(SECRETS, 'some');
    for (let request = 0; request < 10; request++) await viewerOf(await ask(token));
    expect(tried).toHaveBeenCalledTimes(1);
  });
});

test.each(['.hidden', '-', 'a%20b', 'x'.repeat(65)])('%s is no name of a stream: 404', async (name) => {
  expect(await refusalOf(await ask(tokenFor(), name))).toMatch(/^404 .* is no name of a stream/);
});

test('a token for anybody is told apart by address and browser', async () => {
  const token = tokenFor({ session: '' });
  const [one, same, other] = await Promise.all(
    ['Firefox', 'Firefox', 'Chrome'].map(async (browser) =>
      viewerOf(await ask(token, 'alice', { 'User-Agent': browser })),
    ),
  );
  expect(one!.session).toMatch(/^~[0-9a-f]{17}$/);
  expect(same!.session).toBe(one!.session);
  expect(other!.session).not.toBe(one!.session);
});

test('somebody at one address is no more than 16 viewers, whatever it says its browser is', async () => {
  const token = tokenFor({ session: '' });
  const browsers = Array.from({ length: 100 }, (_, at) => `browser ${at}`);
  const sessions = new Set<string>();
  for (const browser of browsers) {
    const { session } = await viewerOf(await ask(token, 'alice', { 'User-Agent': browser }));
    sessions.add(session);
  }
  expect(sessions.size).toBe(16);
});
