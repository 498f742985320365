import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CodedError } from '../../../network/errors.ts';
import { sendOrder } from '../../../network/http/dial.ts';
import { MemoryState } from '../../../network/state/state-memory.ts';
import { signToken } from '../../../network/token.ts';
import { orderDrain } from '../../../usher/commands/drain.ts';
import { makeKey } from '../../../usher/commands/keys.ts';
import { serverRecord } from '../../tools/cluster/cluster-records.ts';
import { SECRETS, UsherListener } from '../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const clock = new ManualClock();
let state: MemoryState;
let usher: UsherListener;

beforeAll(async () => {
  process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
  state = new MemoryState(clock);
  usher = await UsherListener.start({ state, clock });
});
afterAll(async () => {
  delete process.env['HEADWATER_SECRETS'];
  await usher[Symbol.asyncDispose]();
});
beforeEach(() => state.beat(serverRecord('ams-1'), []));

const order = (command: 'drain' | 'undrain', ...args: string[]) =>
  orderDrain(command, [...args, '--usher', usher.url], { sendOrder, clock });
const drains = async () => (await state.snapshot()).drains;

describe('headwater drain', () => {
  test('has a server emptied from now on, and undrain has it used again', async () => {
    expect(await order('drain', 'ams-1')).toMatch(
      /^ams-1 is being emptied; its broadcasts stay until they end/,
    );
    expect(await drains()).toEqual({ 'ams-1': { sinceMs: clock.now(), deadlineMs: null } });
    expect(await order('undrain', 'ams-1')).toBe('ams-1 takes viewers again\n');
    expect(await drains()).toEqual({});
  });

  test('ends broadcasts at a deadline', async () => {
    expect(await order('drain', 'ams-1', '--deadline', '90m')).toContain('stay for 1 h 30 min at most');
    expect(await drains()).toMatchObject({ 'ams-1': { deadlineMs: clock.now() + 5_400_000 } });
  });

  const failure = async (asked: Promise<string>): Promise<[string, string]> => {
    const error = (await asked.catch((thrown: unknown) => thrown)) as CodedError;
    return [error.code, error.message];
  };

  test.each([
    [() => order('drain'), 'bad_usage', /drain takes the id of a server/],
    [() => order('drain', 'ams-1', '--deadline', 'soon'), 'bad_usage', /got 'soon'/],
    [() => order('undrain', 'ams-1', '--deadline', '1h'), 'bad_usage', /undrain has no deadline/],
    [() => order('drain', 'ams-9'), 'no_answer', /status 404: no server 'ams-9' is known/],
    [() => order('drain', '../x'), 'bad_usage', /takes the id of a server; got '..\/x'/],
    [() => order('drain', 'ams-1', '--deadline', '99d'), 'no_answer', /status 400: the body is nothing or/],
    [() => order('drain', 'ams-1', '--what', 'x'), 'bad_config', /--what/],
  ])('says what is wrong (%#)', async (ask, code, words) => {
    const [failed, message] = await failure(ask());
    expect(failed).toBe(code);
    expect(message).toMatch(words);
  });

  test('with another secret than the usher’s is refused', async () => {
    process.env['HEADWATER_SECRETS'] = 'another secret of this length';
    const [, message] = await failure(order('drain', 'ams-1')).finally(() => {
      process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
    });
    expect(message).toMatch(/status 401: the token is not for operating 'ams-1'/);
    expect(await drains()).not.toHaveProperty('ams-2');
  });
});

describe('the drain of a server over HTTP', () => {
  const drain = (headers: Record<string, string>, init: RequestInit = {}) =>
    usher.get('/api/servers/ams-1/drain', { method: 'POST', headers, ...init });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const expiresAtMs = clock.now() + 60_000;

  test('takes a token of `headwater keys operate` for this server, and answers with what is wished', async () => {
    const token = await makeKey({ purpose: 'operate', name: 'ams-1', rest: ['--expires', '1h'], clock });
    const answer = await drain(bearer(token), { body: '{"deadlineS": 60}' });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { server: 'ams-1', drain: { sinceMs: clock.now(), deadlineMs: clock.now() + 60_000 } },
    ]);
    const gone = await drain(bearer(token), { method: 'DELETE' });
    expect(await gone.json()).toEqual({ server: 'ams-1', drain: null });
  });

  test.each([
    ['without a token', {}],
    [
      'with a token to play',
      bearer(signToken(SECRETS, { purpose: 'play', stream: 'ams-1', expiresAtMs, session: '' })),
    ],
    [
      'with that of another server',
      bearer(signToken(SECRETS, { purpose: 'operate', stream: 'ams-2', expiresAtMs, session: '' })),
    ],
    [
      'with an old one',
      bearer(signToken(SECRETS, { purpose: 'operate', stream: 'ams-1', expiresAtMs: 1, session: '' })),
    ],
  ])('%s is refused', async (_, headers) => {
    const answer = await drain(headers as Record<string, string>);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test.each([
    '{',
    '{"deadlineS":"soon"}',
    '{"deadlineS":-1}',
    '{"deadlineS":1e99}',
    '{"until":1}',
    '[]',
    '7',
    'null',
  ])('with the body %j is refused', async (body) => {
    const token = await makeKey({ purpose: 'operate', name: 'ams-1', rest: [], clock });
    const answer = await drain(bearer(token), { body });
    expect(answer.status).toBe(400);
  });

  test('with a body of megabytes is refused', async () => {
    const token = await makeKey({ purpose: 'operate', name: 'ams-1', rest: [], clock });
    expect((await drain(bearer(token), { body: 'x'.repeat(2_000_000) })).status).toBe(413);
  });
});
