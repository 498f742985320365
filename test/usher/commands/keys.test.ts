import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getText, sendOrder } from '../../../network/http/dial.ts';
import { type KeyRecord, keyIdOf } from '../../../network/keys/keybook.ts';
import { MemoryKeyBook } from '../../../network/keys/keybook-memory.ts';
import { signToken, verifyToken } from '../../../network/token.ts';
import { keysCommands } from '../../../usher/commands/keys.ts';
import { SECRETS, UsherListener } from '../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';
import { typed } from '../../tools/world/typed.ts';

const clock = new ManualClock();
const keyBook = new MemoryKeyBook(clock);
const commands = keysCommands({ getText, sendOrder, clock });
let usher: UsherListener;
beforeAll(async () => {
  process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
  usher = await UsherListener.start({
    state: { snapshot: () => Promise.reject(new Error()) },
    clock,
    keyBook,
  });
});
afterAll(async () => {
  delete process.env['HEADWATER_SECRETS'];
  await usher[Symbol.asyncDispose]();
});

const keys = (...args: string[]) => typed(commands, [...args, '--usher', usher.url]);

test('a key to publish is noted by its id, listed, and revoked', async () => {
  const made = await keys('make', 'publish', 'alice', '--expires', '1h');
  const key = made.out.trim();
  expect(verifyToken(SECRETS, key, { purpose: 'publish', stream: 'alice', nowMs: clock.now() }).kind).toBe(
    'valid',
  );
  expect((await keys('list')).out).toBe(
    `${'KEY'.padEnd(16)}  STREAM  MADE              EXPIRES\n${keyIdOf(key)}  alice   2027-01-15 08:00  2027-01-15 09:00\n`,
  );
  const { code, out } = await keys('revoke', keyIdOf(key));
  expect([code, out]).toEqual([0, `${keyIdOf(key)} is revoked\n`]);
  expect((await keys('list')).out).toMatch(/revoked 2027-01-15 08:00\n$/);
  expect(await keyBook.revoked([keyIdOf(key)])).toEqual(new Set([keyIdOf(key)]));
});

test('two keys that are made for one stream at once differ', async () => {
  const [one, other] = await Promise.all([keys('make', 'publish', 'bob'), keys('make', 'publish', 'bob')]);
  expect(one!.out).not.toBe(other!.out);
});

test('a key that the cluster was not told of is revoked by what it is', async () => {
  const expiresAtMs = clock.now() + 60_000;
  const key = signToken(SECRETS, { purpose: 'publish', stream: 'carol', expiresAtMs, session: '' });
  expect(await keys('revoke', key)).toMatchObject({ code: 3, err: expect.stringContaining('no key') });
  const { out } = await keys('revoke', key, '--stream', 'carol', '--json');
  const record: KeyRecord = {
    id: keyIdOf(key),
    stream: 'carol',
    madeAtMs: clock.now(),
    expiresAtMs,
    revokedAtMs: clock.now(),
  };
  expect(JSON.parse(out)).toEqual(record);
});

test('a key is made also when nobody can note it, and that is said', async () => {
  const { code, out, err } = await typed(commands, [
    'make',
    'publish',
    'alice',
    '--usher',
    'http://127.0.0.1:1',
  ]);
  expect([code, out]).toEqual([0, expect.stringMatching(/^\S+\n$/)]);
  expect(err).toMatch(/^not noted: no answer from/);
});

test.each([
  [['make', 'watch', 'alice'], /keys are for 'publish', 'play' or 'operate', not for 'watch'/],
  [['make', 'play', '../etc'], /got '..\/etc'/],
  [['make', 'play', 'alice', '--expires', 'soon'], /got 'soon'/],
  [['revoke', 'nonsense', '--stream', 'alice'], /that is no key of ours/],
])('says what is wrong with %j', async (args, words) => {
  expect(await keys(...args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(words) });
});

describe('keys over HTTP', () => {
  test.each([
    ['GET', '/api/keys'],
    ['POST', '/api/keys'],
    ['DELETE', '/api/keys/0123456789abcdef'],
  ])('%s %s takes a token to operate, and not that of a server', async (method, path) => {
    const grant = {
      purpose: 'operate',
      stream: 'keys',
      expiresAtMs: clock.now() + 1_000,
      session: '',
    } as const;
    const headers = { Authorization: `Bearer ${signToken(SECRETS, grant)}` };
    expect((await usher.get(path, { method })).status).toBe(401);
    expect((await usher.get(path, { method, headers })).status).toBe(401);
  });

  test.each(['{', '{}', '{"id":"x","stream":"alice","expiresAtMs":1}', '[]'])(
    'the body %j is refused',
    async (body) => {
      const grant = {
        purpose: 'operate',
        stream: 'keys/',
        expiresAtMs: clock.now() + 1_000,
        session: '',
      } as const;
      const headers = { Authorization: `Bearer ${signToken(SECRETS, grant)}` };
      expect((await usher.get('/api/keys', { method: 'POST', headers, body })).status).toBe(400);
    },
  );
});
