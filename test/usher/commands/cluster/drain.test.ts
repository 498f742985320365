import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getText, sendOrder } from '../../../../network/http/dial.ts';
import { MemoryState } from '../../../../network/state/state-memory.ts';
import { signToken } from '../../../../network/token.ts';
import { drainCommand, undrainCommand } from '../../../../usher/commands/cluster/drain.ts';
import { keysCommands } from '../../../../usher/commands/keys.ts';
import { serverRecord } from '../../../tools/cluster/cluster-records.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';
import { typed } from '../../../tools/world/typed.ts';

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

const tools = { getText, sendOrder, clock };
const COMMANDS = { drain: drainCommand(tools), undrain: undrainCommand(tools) };
const order = (command: 'drain' | 'undrain', ...args: string[]) =>
  typed(COMMANDS[command], [...args, '--usher', usher.url]);
const operateKey = async (): Promise<string> =>
  (await typed(keysCommands(tools), ['make', 'operate', 'ams-1', '--expires', '1h'])).out.trim();
const drains = async () => (await state.snapshot()).drains;

describe('headwater drain', () => {
  test('has a server emptied from now on, and undrain has it used again', async () => {
    expect((await order('drain', 'ams-1')).out).toMatch(
      /^ams-1 is being emptied; its broadcasts stay until they end/,
    );
    expect(await drains()).toEqual({ 'ams-1': { sinceMs: clock.now(), deadlineMs: null } });
    expect((await order('undrain', 'ams-1')).out).toBe('ams-1 takes viewers again\n');
    expect(await drains()).toEqual({});
  });

  test('ends broadcasts at a deadline', async () => {
    expect((await order('drain', 'ams-1', '--deadline', '90m')).out).toContain('stay for 1 h 30 min at most');
    expect(await drains()).toMatchObject({ 'ams-1': { deadlineMs: clock.now() + 5_400_000 } });
  });

  test.each([
    [() => order('drain'), 2, /missing required argument 'server'/],
    [() => order('drain', 'ams-1', '--deadline', 'soon'), 2, /got 'soon'/],
    [() => order('undrain', 'ams-1', '--deadline', '1h'), 2, /unknown option '--deadline'/],
    [() => order('drain', 'ams-9'), 3, /^error: no server 'ams-9' is known/],
    [() => order('drain', '../x'), 2, /the id of a server is .*; got '..\/x'/],
    [() => order('drain', 'ams-1', '--deadline', '99d'), 1, /status 400: the body is nothing or/],
    [() => order('drain', 'ams-1', '--what', 'x'), 2, /--what/],
  ])('says what is wrong (%#)', async (ask, code, words) => {
    const { code: exited, err } = await ask();
    expect(exited).toBe(code);
    expect(err).toMatch(words);
  });

  test('with another secret than the usher’s is refused', async () => {
    process.env['HEADWATER_SECRETS'] = 'another secret of this length';
    const { err } = await order('drain', 'ams-1').finally(() => {
      process.env['HEADWATER_SECRETS'] = SECRETS.join(',');
    });
    expect(err).toMatch(/status 401: the token is not for operating 'ams-1'/);
    expect(await drains()).not.toHaveProperty('ams-2');
  });

  test('--wait comes back when nothing is left, and says on the way what is', async () => {
    const held = { stream: 'alice', rendition: 'source', viewers: 2, arrivalsPerS: 0, next: 9, parent: null };
    const drain = { sinceMs: 1, deadlineMs: null, wished: true };
    await state.beat({ ...serverRecord('ams-1'), holdings: [held], drain }, []);
    const { pending } = clock;
    const waiting = order('drain', 'ams-1', '--wait');
    await expect.poll(() => clock.pending, { interval: 5 }).toBeGreaterThan(pending);
    await state.beat({ ...serverRecord('ams-1'), drain }, []);
    clock.advance(500);
    const { code, out, progress } = await waiting;
    expect([code, out]).toEqual([0, 'ams-1 is empty\n']);
    expect(progress).toEqual(['left: 2 viewers', 'empty']);
  });

  test('--wait comes back with 3 when it takes too long', async () => {
    await state.beat(serverRecord('ams-1'), []);
    const { code, err } = await order('drain', 'ams-1', '--wait', '--timeout', '0s');
    expect([code, err]).toEqual([3, 'error: ams-1 is not so far after 0 s: empty\n']);
  });
});

describe('the drain of a server over HTTP', () => {
  const drain = (headers: Record<string, string>, init: RequestInit = {}) =>
    usher.get('/api/servers/ams-1/drain', { method: 'POST', headers, ...init });
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const expiresAtMs = clock.now() + 60_000;

  test('takes a token of `headwater keys make operate` for this server, and answers with what is wished', async () => {
    const token = await operateKey();
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
    const token = await operateKey();
    const answer = await drain(bearer(token), { body });
    expect(answer.status).toBe(400);
  });

  test('with a body of megabytes is refused', async () => {
    const token = await operateKey();
    expect((await drain(bearer(token), { body: 'x'.repeat(2_000_000) })).status).toBe(413);
  });
});
