import { describe, expect, test } from 'vitest';
import { type CatalogueEntry, STORAGE } from '../../../../network/archive/catalogue.ts';
import { MemoryCatalogue } from '../../../../network/archive/catalogue-memory.ts';
import { recordingId } from '../../../../network/archive/index-file.ts';
import { systemClock } from '../../../../network/clock.ts';
import { createPublishPolicy } from '../../../../network/config/publish-policy.ts';
import type { Answer, Order } from '../../../../network/http/dial.ts';
import { MemoryState } from '../../../../network/state/state-memory.ts';
import { verifyToken } from '../../../../network/token.ts';
import { serverRecord } from '../../../tools/cluster/cluster-records.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { catalogueEntry } from '../../../tools/media/recordings.ts';

const T = 1_795_213_440_000;
const ID = recordingId('alice', T);
const KEY = 'the key of alice';

function entry(keeper: string, id = ID): CatalogueEntry {
  return catalogueEntry('alice', T, keeper, { id, endedAtMs: T + 9_000, durationMs: 9_000 });
}

/** An usher of servers `a` and `b`, which answer as `answer` says, and what they were told. */
async function usherOver(
  entries: readonly CatalogueEntry[],
  answer: (order: Order) => Promise<Answer> = async () => ({ status: 200, text: '{}' }),
  requireKey = true,
) {
  const catalogue = new MemoryCatalogue();
  for (const each of entries) await catalogue.note(each);
  const state = new MemoryState(systemClock);
  for (const id of ['a', 'b']) await state.beat(serverRecord(id), []);
  const orders: Order[] = [];
  const keys = [{ stream: 'alice', key: KEY }];
  const postJson = () => Promise.reject(new Error('nobody asked for this'));
  const usher = await UsherListener.start({
    state,
    catalogue,
    policy: createPublishPolicy({
      secrets: SECRETS,
      requireKey,
      keys,
      postJson,
      revocations: { isRevoked: async () => false },
    }),
    sendOrder: (order) => {
      orders.push(order);
      return answer(order);
    },
  });
  const ask = (method: string, path: string, body?: object, key = KEY): Promise<Response> =>
    usher.get(path, {
      method,
      headers: key === '' ? {} : { Authorization: `Bearer ${key}` },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  return { usher, orders, catalogue, ask, [Symbol.asyncDispose]: () => usher[Symbol.asyncDispose]() };
}

const detailOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { detail: string }).detail;

describe('an owner', () => {
  test('is known by the key of the stream, in a header or in the address', async () => {
    await using opened = await usherOver([entry('a')]);
    const { ask, usher, orders } = opened;
    for (const key of ['', 'another key'])
      expect((await ask('DELETE', `/api/recordings/${ID}`, undefined, key)).status).toBe(401);
    expect(orders).toEqual([]);
    expect((await ask('DELETE', `/api/recordings/${ID}`)).status).toBe(200);
    const inAddress = `/api/recordings/${ID}?key=${encodeURIComponent(KEY)}`;
    expect((await usher.get(inAddress, { method: 'DELETE' })).status).toBe(200);
    expect(orders).toHaveLength(2);
  });

  test('is this machine where no keys are, and no site that is open in a browser on it', async () => {
    await using opened = await usherOver([entry('a')], undefined, false);
    const path = `/api/recordings/${ID}`;
    for (const headers of [{ Origin: 'http://evil.example' }, { 'X-Forwarded-For': '203.0.113.7' }])
      expect((await opened.usher.get(path, { method: 'DELETE', headers })).status).toBe(401);
    expect(opened.orders).toEqual([]);
    expect((await opened.ask('DELETE', path, undefined, '')).status).toBe(200);
  });

  test('has a clip cut by whoever has most of the recording, with a token for that', async () => {
    const clip = entry('a', recordingId('alice', T + 1));
    await using opened = await usherOver(
      [entry(STORAGE), { ...entry('a'), durationMs: 9_500 }, entry('b'), clip],
      async () => ({ status: 200, text: JSON.stringify({ id: clip.id }) }),
    );
    const made = await opened.ask('POST', `/api/recordings/${ID}/clips`, { from: 1, to: 2 });
    expect(made.status).toBe(201);
    expect(await made.json()).toMatchObject({ id: clip.id, url: `/vod/${clip.id}.m3u8` });
    const [order] = opened.orders;
    expect(order).toMatchObject({ method: 'POST', text: '{"from":1,"to":2}' });
    const [, base, token, path] = /^(.*)\/recordings\/([^/]+)\/(.*)$/.exec(order!.url)!;
    expect([base, path]).toEqual([serverRecord('a').relayUrl, `${ID}/clips`]);
    const wanted = { purpose: 'own', stream: 'alice', nowMs: systemClock.now() } as const;
    expect(verifyToken(SECRETS, token!, wanted).kind).toBe('valid');
  });

  test('is obeyed by all who have some of it, or told who is away and not obeyed', async () => {
    await using all = await usherOver([entry('a'), entry('b'), entry(STORAGE)]);
    expect((await all.ask('PATCH', `/api/recordings/${ID}`, { isKept: true })).status).toBe(200);
    expect(all.orders.map(({ method }) => method)).toEqual(['PATCH', 'PATCH']);
    await using some = await usherOver([entry('a'), entry('c')]);
    const refusal = await some.ask('DELETE', `/api/recordings/${ID}`);
    expect(refusal.status).toBe(503);
    expect(await detailOf(refusal)).toContain('c is away');
    expect(some.orders).toEqual([]);
  });

  test('of what is in storage alone is obeyed by any server', async () => {
    await using opened = await usherOver([entry(STORAGE)]);
    expect((await opened.ask('DELETE', `/api/recordings/${ID}`)).status).toBe(200);
    expect(opened.orders).toHaveLength(1);
  });

  test('hears what a server says no with, and that one does not answer', async () => {
    const text = JSON.stringify({ title: 'Bad Request', status: 400, detail: 'a clip ends after it begins' });
    await using refused = await usherOver([entry('a')], async () => ({ status: 400, text }));
    const answer = await refused.ask('POST', `/api/recordings/${ID}/clips`, { from: 2, to: 1 });
    expect([answer.status, await detailOf(answer)]).toEqual([400, 'a clip ends after it begins']);
    await using silent = await usherOver([entry('a')], () => Promise.reject(new Error('timed out')));
    expect((await silent.ask('DELETE', `/api/recordings/${ID}`)).status).toBe(503);
  });

  test.each(['alice.zzzzzzzz', '..%2f..%2fetc', 'alice'])('of %j is told that there is none', async (id) => {
    await using opened = await usherOver([entry('a')]);
    expect((await opened.ask('DELETE', `/api/recordings/${id}`)).status).toBe(404);
  });
});
