import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Allowed } from '../../../usher/operators/allowed.ts';
import { Oidc } from '../../../usher/operators/oidc.ts';
import { Operators } from '../../../usher/operators/operators.ts';
import { seal } from '../../../usher/operators/sealed.ts';
import { signInRoutes } from '../../../usher/operators/sign-in.ts';
import { serveRoutes } from '../../tools/cluster/serve-routes.ts';
import { SECRETS } from '../../tools/cluster/usher-listener.ts';
import { CookieBrowser } from '../../tools/viewers/cookie-browser.ts';
import { freePort } from '../../tools/world/free-port.ts';
import { keepingLogger } from '../../tools/world/keeping-logger.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { CLIENT, OidcServer } from '../../tools/world/oidc-server.ts';

const ANN = { email: 'Ann@Example.org', email_verified: true, groups: ['video', 'ops'] };
const clock = new ManualClock(Date.now());
const allowed: { -readonly [Key in keyof Allowed]: Allowed[Key] } = { emails: [], domains: [] };
let provider: OidcServer;
let usher: string;
let browser: CookieBrowser;
const closing = new AsyncDisposableStack();

beforeAll(async () => {
  const port = await freePort();
  usher = `http://127.0.0.1:${port}`;
  const redirectUrl = `${usher}/console/sign-in/callback`;
  provider = closing.use(await OidcServer.start(redirectUrl));
  const operators = new Operators({ secrets: SECRETS, clock, sessionMs: 3_600_000, url: usher });
  const oidc = new Oidc({ ...CLIENT, issuer: provider.issuer, scope: 'openid email profile', redirectUrl });
  const signIn = { operators, secrets: SECRETS, clock, logger: keepingLogger() };
  const server = await serveRoutes(
    [
      ...signInRoutes({ ...signIn, provider: { oidc, name: 'the test', allowed } }),
      {
        kind: 'me',
        method: 'GET',
        pattern: /^\/me$/,
        handle: (exchange) => {
          const operator = operators.admit(exchange);
          if (operator) exchange.response.end(operator.name);
        },
      },
    ],
    port,
  );
  closing.defer(() => server.close());
});
afterAll(() => closing.disposeAsync());
beforeEach(() => {
  browser = new CookieBrowser();
  provider.claims = ANN;
  provider.instead = undefined;
  Object.assign(allowed, { emails: ['ann@example.org'], domains: [], claim: undefined });
});

const isCallback = (url: string): boolean => url.startsWith(`${usher}/console/sign-in/callback`);
/** The way to the provider and back, up to what usher is to be asked at last. */
const toCallback = (next = '/console/streams?by=viewers'): Promise<string> =>
  browser.follow(`${usher}/console/sign-in/provider?next=${encodeURIComponent(next)}`, isCallback);
const name = async (): Promise<string> => (await browser.go(`${usher}/me`)).text();

describe('signing in with OpenID Connect', () => {
  test('ends on the page that was asked for, signed in until the session is over', async () => {
    const back = await browser.go(await toCallback());
    expect([back.status, back.headers.get('location')]).toEqual([302, '/console/streams?by=viewers']);
    const [cookie] = back.headers.getSetCookie().filter((line) => line.startsWith('headwater_operator='));
    expect(cookie).toMatch(/; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(await name()).toBe('ann@example.org');
    clock.advance(3_600_000);
    expect(await name()).toContain('nobody is signed in');
  });

  test('never leads away from the console', async () => {
    const back = await browser.go(await toCallback('https://elsewhere.example/console'));
    expect(back.headers.get('location')).toBe('/console');
  });

  test.each([
    ['by its domain', { domains: ['EXAMPLE.org'] }],
    ['by a value in a list that is a claim', { claim: { name: 'groups', value: 'ops' } }],
  ])('lets somebody in %s', async (_, by) => {
    Object.assign(allowed, { emails: [], domains: [] }, by);
    expect((await browser.go(await toCallback())).status).toBe(302);
  });

  test.each([
    ['who is not listed', {}, { emails: ['bob@example.org'] }, 'ann@example.org is not among those'],
    ['whose address nobody verified', { email_verified: false }, {}, 'does not say that the address'],
    [
      'of a domain that only ends alike',
      { email: 'ann@notexample.org' },
      { domains: ['example.org'] },
      'is not among',
    ],
    [
      'without the claim',
      { groups: ['video'] },
      { emails: [], claim: { name: 'groups', value: 'ops' } },
      'is not among',
    ],
  ])('refuses somebody %s', async (_, claims, by, words) => {
    provider.claims = { ...ANN, ...claims };
    Object.assign(allowed, by);
    const refused = await browser.go(await toCallback());
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining(words)]);
    expect(await name()).toContain('nobody is signed in');
  });

  test('refuses an answer with another state', async () => {
    const callback = new URL(await toCallback());
    callback.searchParams.set('state', 'forged');
    const refused = await browser.go(callback.href);
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringMatching(/unexpected &quot;state&quot;/),
    ]);
  });

  test('refuses an answer of another issuer', async () => {
    const callback = new URL(await toCallback());
    callback.searchParams.set('iss', 'https://elsewhere.example');
    const refused = await browser.go(callback.href);
    expect([refused.status, await refused.text()]).toEqual([
      403,
      expect.stringMatching(/unexpected &quot;iss&quot;/),
    ]);
  });

  test('refuses an answer that this browser did not ask for, or has used', async () => {
    const callback = await toCallback();
    const stranger = await fetch(callback, { redirect: 'manual' });
    expect([stranger.status, await stranger.text()]).toEqual([
      403,
      expect.stringContaining('not begun on this browser'),
    ]);
    expect((await browser.go(callback)).status).toBe(302);
    expect((await browser.go(callback)).status).toBe(403);
  });

  test('refuses an answer that comes too late', async () => {
    const callback = await toCallback();
    clock.advance(600_000);
    expect(await (await browser.go(callback)).text()).toContain('within ten minutes');
  });

  test('refuses a token with the nonce of another sign-in', async () => {
    const first = await toCallback();
    const attempt = browser.cookie(usher, 'headwater_sign_in')!;
    const tampered = tamper(attempt, (value) => ({
      ...value,
      challenge: { ...value.challenge, nonce: 'of another' },
    }));
    browser.set(usher, 'headwater_sign_in', tampered);
    expect(await (await browser.go(first)).text()).toContain('nonce');
  });

  test('does not believe a cookie that was changed', async () => {
    const callback = await toCallback();
    const attempt = browser.cookie(usher, 'headwater_sign_in')!;
    browser.set(
      usher,
      'headwater_sign_in',
      attempt.replace(/^./, (letter) => (letter === 'e' ? 'f' : 'e')),
    );
    expect((await browser.go(callback)).status).toBe(403);
  });

  test('tells what the provider says is wrong', async () => {
    const callback = new URL(await toCallback());
    callback.searchParams.delete('code');
    callback.searchParams.set('error', 'access_denied');
    callback.searchParams.set('error_description', 'not today');
    expect(await (await browser.go(callback.href)).text()).toContain('access_denied: not today');
  });

  test('says so when the provider does not answer, and asks it again the next time', async () => {
    const oidc = new Oidc({ ...CLIENT, issuer: provider.issuer, scope: 'openid', redirectUrl: usher });
    provider.instead = (_, response) => {
      response.writeHead(500).end();
      return true;
    };
    await expect(oidc.begin()).rejects.toMatchObject({ code: 'no_provider' });
    provider.instead = undefined;
    expect((await oidc.begin()).url.href).toContain('code_challenge_method=S256');
  });
});

type Attempt = { readonly challenge: Readonly<Record<string, string>> };

/** As usher itself would seal it. */
function tamper(sealed: string, change: (value: Attempt) => Attempt): string {
  const { value, expiresAtMs } = JSON.parse(Buffer.from(sealed.split('.')[0]!, 'base64url').toString());
  return seal(SECRETS, 'sign-in', change(value), expiresAtMs);
}
