import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Topology } from '../../../network/map/topology.ts';
import { verifyToken } from '../../../network/token.ts';
import type { ServerAnswer, SiteAnswer, Spend, StreamAnswer } from '../../../usher/console/messages.ts';
import { DRAIN, holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import { SECRETS, UsherListener } from '../../tools/cluster/usher-listener.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const TRANSIT = {
  kind: 'transit',
  name: 'transit',
  capacityMbps: 1_000,
  billing: { kind: 'percentile', percentile: 95, microUsdPerMbpsMonth: 100, commitMbps: 50 },
} as const;
const TOPOLOGY: Topology = {
  sites: new Map(['ams1', 'fra1'].map((name) => [name, { name, uplinks: [TRANSIT], hosts: {} }])),
  links: [{ sites: ['ams1', 'fra1'], capacityMbps: 100, microUsdPerGb: 7, rttMs: 9 }],
  cdns: [{ name: 'cdn', urlTemplate: '', microUsdPerGb: 1, capMicroUsdPerMonth: 500, shields: 1 }],
};
const made = { transcoding: { slots: 2, codecs: [], jobs: [] }, thumbnails: ['alice'] };
const cluster = snapshot(
  [
    server('o1', { holdings: [holding('alice', 1), holding('bob', 9)], ...made }),
    server('a1', { site: 'ams1', drain: DRAIN, holdings: [holding('alice', 4, { parent: 'o1' })] }),
  ],
  [stream('alice', 'o1'), stream('bob', 'o1')],
  { spentMicroUsd: { cdn: 77 } },
);

let usher: UsherListener;
beforeAll(async () => {
  const clock = new ManualClock(NOW_MS);
  const state = { snapshot: async () => cluster };
  usher = await UsherListener.start({ clock, state, topology: TOPOLOGY, access: 'signed' });
});
afterAll(() => usher[Symbol.asyncDispose]());

const get = (path: string): Promise<Response> => {
  const Authorization = `Bearer ${usher.operators.tokenUntil(NOW_MS + 60_000)}`;
  return usher.get(`/api/console/${path}`, { headers: { Authorization } });
};
const read = async <Answer>(path: string): Promise<Answer> => (await get(path)).json() as Promise<Answer>;

test.each([
  'me',
  'events',
  'history',
  'spend',
  'servers/o1',
  'sites/fra1',
  'streams/alice',
  'streams/alice/thumbnail',
  'live',
])('%s is for operators alone', async (path) => {
  const refused = await usher.get(`/api/console/${path}`);
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
});

test.each([
  'servers/o9',
  'sites/x',
  'streams/x',
  'streams/bob/thumbnail',
  'history/servers/o9',
  'history/planets/x',
])('%s is not known', async (path) => {
  expect((await get(path)).status).toBe(404);
});

test('a server says which streams it holds, those with the most viewers first', async () => {
  const { streams, streamCount, server: figures } = await read<ServerAnswer>('servers/o1');
  expect(streams.map(({ stream: name, viewers, isOrigin }) => [name, viewers, isOrigin])).toEqual([
    ['bob', 9, true],
    ['alice', 1, true],
  ]);
  expect([streamCount, figures.copies]).toEqual([2, 2]);
  const { streams: held, server: drained } = await read<ServerAnswer>('servers/a1');
  expect(held[0]).toMatchObject({ parent: 'o1', isOrigin: false, sentMbps: 16 });
  expect(drained.drain).toMatchObject({ viewers: 4, children: 0, broadcasts: 0 });
});

test('a site says what it has, with its links as seen from there', async () => {
  const site = await read<SiteAnswer>('sites/fra1');
  expect(site).toMatchObject({ servers: ['o1'], streamCount: 2, site: { viewers: 10 } });
  expect(site.links).toEqual({
    ams1: { thereMbps: 4, backMbps: 0, capacityMbps: 100, microUsdPerGb: 7, rttMs: 9 },
  });
  expect(site.month.transitMicroUsd).toBe(50 * 100);
});

test('a stream has its trees, a picture and a token to play it with', async () => {
  const { stream: alice, thumbnail, playToken } = await read<StreamAnswer>('streams/alice');
  expect(alice.ladder['source']!.tree['a1']).toMatchObject({ state: 'going', parent: 'o1' });
  const wanted = { purpose: 'play', stream: 'alice', nowMs: NOW_MS } as const;
  expect(verifyToken(SECRETS, playToken!, wanted).kind).toBe('valid');
  const picture = await get(thumbnail!.slice('/api/console/'.length));
  expect(picture.status).toBe(307);
  expect(picture.headers.get('location')).toMatch(/^https:\/\/o1\.example:8081\/thumb\/[^/]+\/alice\.jpg$/);
});

test('the month says what went to CDNs and over transit', async () => {
  const { cdns, transit } = await read<Spend>('spend');
  expect(cdns['cdn']).toMatchObject({ monthMicroUsd: 77, capMicroUsd: 500 });
  expect(transit['fra1/transit']).toMatchObject({ monthMicroUsd: 5_000, billedMbps: 50, commitMbps: 50 });
});

test('the last hour is told of the whole and of each', async () => {
  for (const path of ['', '/servers/o1', '/sites/fra1', '/streams/bob'])
    expect(await read(`history${path}`)).toMatchObject({ stepMs: 10_000, endMs: NOW_MS });
});
