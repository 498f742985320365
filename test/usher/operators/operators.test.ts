import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { signToken } from '../../../network/token.ts';
import { keepAdminToken } from '../../../usher/operators/admin-token.ts';
import { Operators } from '../../../usher/operators/operators.ts';
import { isOfThisMachine, isOwnPages, safeNext } from '../../../usher/operators/request-origin.ts';
import { seal, unseal } from '../../../usher/operators/sealed.ts';
import { serverRecord } from '../../tools/cluster/cluster-records.ts';
import { SECRETS, UsherListener } from '../../tools/cluster/usher-listener.ts';
import { CookieBrowser } from '../../tools/viewers/cookie-browser.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';

const clock = new ManualClock();
const state = new MemoryState(clock);
let usher: UsherListener;
let browser: CookieBrowser;
beforeAll(async () => {
  await state.beat(serverRecord('ams-1'), []);
  usher = await UsherListener.start({ state, clock });
});
afterAll(() => usher[Symbol.asyncDispose]());
beforeEach(() => {
  browser = new CookieBrowser();
});

const HOUR_MS = 3_600_000;
const own = { 'Sec-Fetch-Site': 'same-origin' };
const go = (path: string, init?: RequestInit) => browser.go(`${usher.url}${path}`, init);
const token = (forMs = HOUR_MS): string => usher.operators.tokenUntil(clock.now() + forMs);

function signIn(fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = own) {
  return go('/console/sign-in', { method: 'POST', body: new URLSearchParams(fields), headers });
}

describe('signing in with a token', () => {
  test('gives a cookie that opens what operators ask, until they sign out', async () => {
    expect((await go('/api/console/me')).status).toBe(401);
    const answer = await signIn({ token: token(), next: '/console/servers' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console/servers']);
    expect(answer.headers.getSetCookie()[0]).toMatch(/; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    expect(await (await go('/api/console/me')).json()).toEqual({
      name: 'admin',
      expiresAtMs: clock.now() + HOUR_MS,
    });
    expect((await go('/console/sign-out', { method: 'POST', headers: own })).status).toBe(303);
    expect((await go('/api/console/me')).status).toBe(401);
  });

  test('lasts no longer than the token', async () => {
    const answer = await signIn({ token: token(60_000) });
    expect(answer.headers.getSetCookie()[0]).toContain('Max-Age=60;');
  });

  test.each([
    [
      'one of another secret',
      () => signToken(['another secret, as long'], grant('*', HOUR_MS)),
      'not for operating',
    ],
    ['one for a server alone', () => signToken(SECRETS, grant('ams-1', HOUR_MS)), 'not for operating'],
    ['an expired one', () => token(-1_000), 'expired'],
    ['none', () => '', 'malformed'],
  ])('with %s tells what is wrong', async (_, made, words) => {
    const answer = await signIn({ token: made() });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining(words)]);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('is not for the forms of other sites, nor is signing out', async () => {
    for (const path of ['/console/sign-in', '/console/sign-out']) {
      const init = { method: 'POST', headers: { 'Sec-Fetch-Site': 'cross-site' } };
      expect((await go(path, init)).status).toBe(403);
    }
  });

  test('has a page without scripts that nobody frames, and that repeats nothing as markup', async () => {
    const page = await go(`/console/sign-in?next=${encodeURIComponent('/console/"><script>')}`);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toMatch(/default-src 'none'.*form-action 'self'.*frame-ancestors 'none'/);
    expect(await page.text()).not.toContain('<script');
  });
});

const grant = (stream: string, forMs: number) =>
  ({ purpose: 'operate', stream, expiresAtMs: clock.now() + forMs, session: '' }) as const;

describe('an operator on a browser', () => {
  const drain = (method: string, headers: Readonly<Record<string, string>>) =>
    go('/api/servers/ams-1/drain', { method, headers });

  test('steers the cluster from the console’s own pages', async () => {
    await signIn({ token: token() });
    expect((await drain('POST', own)).status).toBe(200);
    expect((await state.snapshot()).drains).toHaveProperty('ams-1');
    expect((await drain('DELETE', { Origin: usher.url })).status).toBe(200);
  });

  test.each([
    ['from a page of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['from another origin of the same site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://a.example' }],
    ['from an origin with another port', { Origin: 'http://127.0.0.1:1' }],
    ['from nobody knows where', {}],
  ])('does nothing %s', async (_, headers) => {
    await signIn({ token: token() });
    const refused = await drain('POST', headers);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('another page')]);
    expect((await state.snapshot()).drains).toEqual({});
  });

  test('needs no page with a token, which no other site has', async () => {
    const Authorization = `Bearer ${token()}`;
    expect((await drain('POST', { Authorization })).status).toBe(200);
    expect((await drain('DELETE', { Authorization })).status).toBe(200);
  });
});

describe('the origin of a request', () => {
  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, false],
    [{ origin: 'https://usher.example', host: 'usher.example' }, true],
    [{ origin: 'https://usher.example', ':authority': 'usher.example' }, true],
    [{ origin: 'null', host: 'usher.example' }, false],
    [{ host: 'usher.example' }, false],
  ])('%o: is of usher’s own pages: %s', (headers, isOwn) => {
    expect(isOwnPages(headers)).toBe(isOwn);
  });

  test.each([
    [{ host: 'localhost:8080' }, true],
    [{ host: '127.0.0.1:8080' }, true],
    [{ ':authority': '[::1]:8080' }, true],
    [{ host: 'localhost:8080', origin: 'http://localhost:8080' }, true],
    [{ host: 'localhost:8080', 'sec-fetch-site': 'same-origin' }, true],
    [{ host: 'localhost:8080', origin: 'http://evil.example' }, false],
    [{ host: 'localhost:8080', 'sec-fetch-site': 'cross-site' }, false],
    [{ host: 'evil.example:8080', origin: 'http://evil.example:8080' }, false],
    [{ host: 'evil.example:8080', 'sec-fetch-site': 'same-origin' }, false],
    [{ host: 'localhost.evil.example' }, false],
    [{ host: 'localhost', 'x-forwarded-for': '203.0.113.7' }, false],
    [{ host: 'localhost', forwarded: 'for=203.0.113.7' }, false],
    [{}, false],
  ])('%o: is of this machine, if it came from it: %s', (headers, isOf) => {
    expect(isOfThisMachine(headers)).toBe(isOf);
  });

  test.each([
    ['/console/streams/alice?x=1', '/console/streams/alice?x=1'],
    ['/console', '/console'],
    [null, '/console'],
    ['https://evil.example/console', '/console'],
    ['//evil.example/console', '/console'],
    ['/console/../../evil', '/console'],
    ['/consoles', '/console'],
    ['/console\\@evil.example', '/console/@evil.example'],
    ['/console/\n//evil.example', '/console///evil.example'],
    ['/console@evil.example', '/console'],
  ])('%j leads to %j after signing in', (next, where) => {
    expect(safeNext(next)).toBe(where);
  });
});

describe('what a browser keeps for usher', () => {
  test('is good for its purpose and time, with the secret or the one before it', () => {
    const sealed = seal(['one'], 'operator', 'ann', 1_000);
    expect(unseal(['two', 'one'], 'operator', sealed, 999)?.value).toBe('ann');
    for (const wrong of [
      unseal(['two'], 'operator', sealed, 999),
      unseal(['one'], 'sign-in', sealed, 999),
      unseal(['one'], 'operator', sealed, 1_000),
      unseal(['one'], 'operator', `x${sealed}`, 999),
      unseal(['one'], 'operator', sealed.repeat(100), 999),
    ])
      expect(wrong).toBeUndefined();
  });
});

describe('the administrator’s token', () => {
  test('is made once, for its owner’s eyes, and anew when it is no good any more', async () => {
    await using folder = await ScratchFolder.make();
    const operators = new Operators({ secrets: SECRETS, clock, sessionMs: HOUR_MS });
    const first = await keepAdminToken(folder.path, operators, clock);
    const file = join(folder.path, 'admin-token');
    expect(first).toEqual({ file, isNew: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(operators.ofToken((await readFile(file, 'utf8')).trim()).kind).toBe('operator');
    expect((await keepAdminToken(folder.path, operators, clock)).isNew).toBe(false);
    await writeFile(file, 'something else\n');
    expect((await keepAdminToken(folder.path, operators, clock)).isNew).toBe(true);
  });
});
