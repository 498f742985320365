import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { NO_TOPOLOGY, type Topology } from '../../../../network/map/topology.ts';
import { readSession } from '../../../../network/session.ts';
import type { KnownServer, Snapshot } from '../../../../network/state/state.ts';
import { type Grant, signToken, verifyToken } from '../../../../network/token.ts';
import { DRAIN, holding, NOW_MS, SOURCE, server, snapshot, stream } from '../../../tools/cluster/clusters.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { type Multivariant, readMultivariant } from '../../../tools/viewers/read-multivariant.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';

const low = { ...SOURCE, name: '480p30', averageBps: 1_000_000, peakBps: 1_200_000 };
const alice = stream('alice', 'a', { renditions: [SOURCE, low] });
const held = [holding('alice', 3), holding('alice', 1, { rendition: '480p30' })];
const usual = ['a', 'b', 'c', 'd'].map((id, at) =>
  server(id, { roles: ['origin', 'edge'], holdings: held, sentMbps: 100 * (at + 1) }),
);
const overflow: Topology = {
  ...NO_TOPOLOGY,
  cdns: [
    {
      name: 'overflow',
      urlTemplate: 'https://cdn.example/{shield}{path}',
      microUsdPerGb: 10_000,
      capMicroUsdPerMonth: 1_000_000,
      shields: 2,
    },
  ],
};

let cluster: Snapshot;
let clock: ManualClock;
let usher: UsherListener;

/** Each of the servers as it is usually, but for what a test changes; without some of them. */
function become(
  changes: Readonly<Record<string, Partial<KnownServer> | undefined>>,
  of: Partial<Snapshot> = {},
) {
  const servers = usual
    .filter(({ id }) => !(id in changes) || changes[id])
    .map((each) => ({ ...each, ...changes[each.id], beatAtMs: changes[each.id]?.beatAtMs ?? NOW_MS - 400 }));
  cluster = snapshot(servers, [alice], of);
}

const full: Partial<KnownServer> = { sentMbps: 1_000 };
const allFull = { a: full, b: full, c: full, d: full };

beforeAll(async () => {
  clock = new ManualClock(NOW_MS);
  usher = await UsherListener.start({
    state: { snapshot: async () => ({ ...cluster }) },
    clock,
    topology: overflow,
  });
});
afterAll(() => usher[Symbol.asyncDispose]());
beforeEach(() => become({}));

async function join(): Promise<Multivariant> {
  const answer = await usher.get('/live/alice.m3u8');
  expect(answer.status).toBe(200);
  return readMultivariant(await answer.text());
}

interface List {
  VERSION: number;
  TTL: number;
  'RELOAD-URI'?: string;
  'PATHWAY-PRIORITY': string[];
  'PATHWAY-CLONES'?: {
    'BASE-ID': string;
    ID: string;
    'URI-REPLACEMENT': { 'PER-VARIANT-URIS': Record<string, string> };
  }[];
}

function ask(steeringUri: string, pathway: string): Promise<Response> {
  const url = new URL(steeringUri, usher.url);
  url.searchParams.set('_HLS_pathway', pathway);
  url.searchParams.set('_HLS_throughput', '5000000');
  return usher.get(url.pathname + url.search);
}

async function steer(steeringUri: string, pathway: string): Promise<List> {
  const answer = await ask(steeringUri, pathway);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'application/vnd.apple.steering-list',
  ]);
  expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  const list = (await answer.json()) as List;
  expect(list.VERSION).toBe(1);
  return list;
}

/** The server's id without the proof behind it. */
const named = (ids: readonly string[]) => ids.map((id) => id.slice(0, -7));

function grantIn(url: string, purpose: Grant['purpose'] = 'play'): Grant {
  const [, , token = ''] = new URL(url, usher.url).pathname.split('/');
  const verdict = verifyToken(SECRETS, token, { purpose, stream: 'alice', nowMs: clock.now() });
  if (verdict.kind === 'refused') throw new Error(verdict.reason);
  return verdict.grant;
}

describe('a multivariant playlist', () => {
  test('has three pathways to servers of different hosts, the best first, and each variant once on each', async () => {
    become({ b: { host: 'host-of-a' }, ...{ d: undefined } });
    cluster = { ...cluster, servers: [...cluster.servers, { ...usual[3]!, id: 'e', host: 'host-of-e' }] };
    const { steering, variants } = await join();
    const pathways = [...new Set(variants.map(({ pathway }) => pathway))];
    expect(named(pathways).slice(0, 2)).toEqual(['a', 'c']);
    expect(steering.pathway).toBe(pathways[0]);
    expect(variants.map(({ id, pathway }) => [id, pathway])).toEqual(
      pathways.flatMap((pathway) => ['source', '480p30'].map((id) => [id, pathway])),
    );
  });

  test('carries one session in the tokens of all pathways, and in that of steering', async () => {
    const { steering, variants } = await join();
    const ids = variants.slice(0, 4).map(({ url }) => readSession(grantIn(url).session).id);
    expect(new Set(ids)).toEqual(new Set([grantIn(steering.uri, 'steer').session]));
  });

  test('has a CDN as its last resort', async () => {
    const { variants } = await join();
    expect(variants.at(-1)!.pathway).toMatch(/^cdn-overflow-[abcd]-[\w-]{6}$/);
    expect(variants.at(-1)!.url).toMatch(
      /^https:\/\/cdn\.example\/[abcd]\/play\/[^/]+\/alice\/480p30\/index\.m3u8$/,
    );
  });

  test('lists no rendition that there is no room for', async () => {
    const narrow = { sentMbps: 998.5 };
    become({ a: narrow, b: narrow, c: narrow, d: narrow }, { spentMicroUsd: { overflow: 1_000_000 } });
    const { variants } = await join();
    expect(new Set(variants.map(({ id }) => id))).toEqual(new Set(['480p30']));
  });
});

describe('a player that asks how to go on', () => {
  test('stays where it is, hears what else there is, and asks again in ten seconds', async () => {
    const { steering } = await join();
    const list = await steer(steering.uri, steering.pathway);
    expect(list['PATHWAY-PRIORITY'][0]).toBe(steering.pathway);
    expect(list['PATHWAY-PRIORITY'].length).toBeGreaterThanOrEqual(2);
    expect(list).toMatchObject({ TTL: 10 });
    expect(list).not.toHaveProperty('PATHWAY-CLONES');
    expect(list).not.toHaveProperty('RELOAD-URI');
  });

  test('goes on elsewhere when its server is to be emptied, which stays at the end of its list', async () => {
    const { steering } = await join();
    for (const of of [{ drains: { a: DRAIN } }, {}]) {
      become('drains' in of ? {} : { a: { drain: DRAIN } }, of);
      const list = await steer(steering.uri, steering.pathway);
      expect(named(list['PATHWAY-PRIORITY'])[0]).toBe('b');
      expect(list['PATHWAY-PRIORITY'].at(-1)).toBe(steering.pathway);
    }
  });

  test('gets a clone of a server that was not there when it started, and again as long as it is there', async () => {
    become({ c: undefined, d: undefined });
    const { steering, variants } = await join();
    become({ a: { drain: DRAIN }, b: { drain: DRAIN } });
    const list = await steer(steering.uri, steering.pathway);
    const [clone] = list['PATHWAY-CLONES']!;
    expect(list['PATHWAY-PRIORITY'][0]).toBe(clone!.ID);
    expect(clone!['BASE-ID']).toBe(variants[0]!.pathway);
    const uris = clone!['URI-REPLACEMENT']['PER-VARIANT-URIS'];
    expect(Object.keys(uris)).toEqual(['source', '480p30']);
    expect(uris['480p30']).toMatch(/^https:\/\/c\.example:8081\/play\/[^/]+\/alice\/480p30\/index\.m3u8$/);
    expect(readSession(grantIn(uris['source']!).session).id).toBe(grantIn(steering.uri, 'steer').session);
    const next = await steer(steering.uri, clone!.ID);
    expect(next['PATHWAY-PRIORITY'][0]).toBe(clone!.ID);
    expect(next['PATHWAY-CLONES']).toContainEqual(clone);
  });

  test('has somewhere to go also when one server is left, and asks again soon when its own is silent', async () => {
    const { steering, variants } = await join();
    become({ a: { beatAtMs: NOW_MS - 2_000 }, b: undefined, c: undefined, d: undefined });
    const suspicious = await steer(steering.uri, steering.pathway);
    expect(suspicious.TTL).toBe(2);
    expect(suspicious['PATHWAY-PRIORITY'][0]).toBe(steering.pathway);
    become({ a: undefined, c: undefined, d: undefined }, { spentMicroUsd: { overflow: 1_000_000 } });
    const list = await steer(steering.uri, steering.pathway);
    expect(named(list['PATHWAY-PRIORITY'])[0]).toBe('b');
    expect(list['PATHWAY-PRIORITY']).toContain(variants[0]!.pathway);
  });

  test('is not moved for a little, and is for a lot, a few at a time', async () => {
    const viewers = await Promise.all(Array.from({ length: 20 }, join));
    become({ a: { sentMbps: 420 } });
    for (const { steering } of viewers)
      expect((await steer(steering.uri, steering.pathway))['PATHWAY-PRIORITY'][0]).toBe(steering.pathway);
    become({ a: { sentMbps: 960 } });
    const firsts = [];
    for (const { steering } of viewers)
      firsts.push((await steer(steering.uri, steering.pathway))['PATHWAY-PRIORITY'][0]!);
    const moved = named(firsts).filter((id) => id !== 'a');
    expect(new Set(moved)).toEqual(new Set(['b']));
    expect(moved.length).toBeLessThanOrEqual(5);
  });
});

describe('when all servers are full', () => {
  test('new viewers, and only they, watch by the CDN, by two shields and with a token that all share', async () => {
    const { steering } = await join();
    become(allFull);
    const [one, other] = [await join(), await join()];
    expect(one.variants.map(({ pathway }) => pathway)).toHaveLength(4);
    const urls = [...one.variants, ...other.variants]
      .filter(({ id }) => id === 'source')
      .map(({ url }) => url);
    expect(new Set(urls.map((url) => new URL(url).pathname.split('/').slice(2).join('/'))).size).toBe(1);
    expect(new Set(urls.map((url) => new URL(url).pathname.split('/')[1])).size).toBe(2);
    const list = await steer(steering.uri, steering.pathway);
    expect(list['PATHWAY-PRIORITY'][0]).toBe(steering.pathway);
  });

  test('what is spent is counted while they watch, and over the cap the answer is 503 with a reason', async () => {
    become(allFull, { spentMicroUsd: { overflow: 1_000_000 } });
    const answer = await usher.get('/live/alice.m3u8');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ status: 503, detail: expect.stringContaining("'alice': ") });
  });

  test('progressive viewers are told to come back, for nothing endless comes from a cache', async () => {
    become(allFull);
    const answer = await usher.get('/live/alice.mp4');
    expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
  });

  test('and room returns, viewers of the CDN come back little by little', async () => {
    become(allFull);
    const viewers = await Promise.all(Array.from({ length: 50 }, join));
    become({ ...allFull, c: { sentMbps: 500 } });
    const back: number[] = [];
    for (let second = 0; second < 4; second++) {
      let count = 0;
      for (const viewer of viewers) {
        const list = await steer(viewer.steering.uri, viewer.steering.pathway);
        if (named(list['PATHWAY-PRIORITY'])[0] === 'c') count += 1;
        else expect(list.TTL).toBe(2);
      }
      back.push(count);
      clock.advance(1_000);
    }
    // A tenth of what is free beyond the reserve, 400 Mbps and less, in viewers of 4 Mbps.
    expect(back[0]).toBeGreaterThanOrEqual(1);
    for (const count of back) expect(count).toBeLessThanOrEqual(11);
  });
});

describe('a session of open playback', () => {
  test('is prolonged while its player asks: a new steering address, and a clone of the same server with a new token', async () => {
    const { steering } = await join();
    clock.advance(13 * 3_600_000);
    const list = await steer(steering.uri, steering.pathway);
    const [clone] = list['PATHWAY-CLONES']!;
    expect(list['PATHWAY-PRIORITY'][0]).toBe(clone!.ID);
    expect(named([clone!.ID])).toEqual(named([steering.pathway]));
    expect(grantIn(clone!['URI-REPLACEMENT']['PER-VARIANT-URIS']['source']!).expiresAtMs).toBe(
      clock.now() + 24 * 3_600_000,
    );
    const next = await steer(list['RELOAD-URI']!, clone!.ID);
    expect(next['PATHWAY-PRIORITY'][0]).toBe(clone!.ID);
    expect(next).not.toHaveProperty('RELOAD-URI');
  });
});

describe('bad input', () => {
  const token = (changes: Partial<Grant>) =>
    signToken(SECRETS, {
      purpose: 'steer',
      stream: 'alice',
      expiresAtMs: NOW_MS + 100 * 86_400_000,
      session: 'abcdefghijkl',
      ...changes,
    });

  test.each([
    ['no token', 'x', 'malformed'],
    ['a token to play', token({ purpose: 'play' }), 'not for steering'],
    ['a token of another stream', token({ stream: 'bob' }), 'not for steering'],
    ['an expired token', token({ expiresAtMs: NOW_MS - 1_000 }), 'expired'],
    ['another’s session in it', token({}).replace('abcdefghijkl', 'abcdefghijkm'), 'not for steering'],
  ])('%s is refused', async (_, bad, words) => {
    const answer = await ask(`/steer/${bad}/alice`, 'a-123456');
    expect(answer.status).toBe(403);
    expect(((await answer.json()) as { detail: string }).detail).toContain(words);
  });

  test.each([
    '',
    'd-000000',
    'a',
    '../../a',
    'cdn-overflow-d-000000',
    'x'.repeat(4_000),
    '"\r\nX-Injected: 1',
    '\u0000',
  ])('the pathway %j was not given to this player: it is placed as if it came anew', async (pathway) => {
    const { steering } = await join();
    const list = await steer(steering.uri, pathway);
    expect(['a', 'b']).toContain(named(list['PATHWAY-PRIORITY'])[0]);
    expect(JSON.stringify(list)).not.toContain('Injected');
  });

  test.each(['', 'a,b', '?pathways=,,,"{}\\,\r\n', '?pathways=a%22b', '?_HLS_throughput=-1e999'])(
    'without its own words about its pathways (%j) it gets a list without clones',
    async (query) => {
      const answer = await ask(`/steer/${token({})}/alice${encodeURI(query)}`, 'nonsense');
      expect([200, 404, 403]).toContain(answer.status);
      if (answer.status === 200) expect(await answer.json()).not.toHaveProperty('PATHWAY-CLONES');
    },
  );

  test('a stream that is not there is 404, after which players ask again', async () => {
    expect((await ask(`/steer/${token({ stream: 'bob' })}/bob`, 'a')).status).toBe(404);
  });

  test.each(['/live/%0d%0aX-Injected:%201.m3u8', '/live/a%22b.mp4', `/live/${'a'.repeat(5_000)}.m3u8`])(
    '%.40s is a stream that is not there',
    async (path) => {
      const answer = await usher.get(path);
      expect([answer.status, answer.headers.get('x-injected')]).toEqual([404, null]);
    },
  );
});
