import { expect, test } from 'vitest';
import type { Topology } from '../../../network/map/topology.ts';
import type { KnownServer } from '../../../network/state/state.ts';
import { type Explanation, explain } from '../../../usher/placement/explain.ts';
import { Promises } from '../../../usher/placement/promises/promises.ts';
import type { PlaceRequest } from '../../../usher/placement/request.ts';
import { sceneOf } from '../../../usher/placement/scene/scene.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

const NETFLOW_ASN = 64_500;
const topology: Topology = {
  sites: new Map([
    [
      'fra1',
      {
        name: 'fra1',
        position: { latitude: 50, longitude: 8 },
        uplinks: [
          { kind: 'peering', name: 'decix', capacityMbps: 500, asns: [NETFLOW_ASN] },
          {
            kind: 'transit',
            name: 'cogent',
            capacityMbps: 5_000,
            billing: { kind: 'volume', microUsdPerGb: 1_000 },
          },
        ],
        hosts: { box: 1_500 },
      },
    ],
    [
      'nyc1',
      {
        name: 'nyc1',
        position: { latitude: 41, longitude: -74 },
        uplinks: [
          {
            kind: 'transit',
            name: 'lumen',
            capacityMbps: 100,
            billing: { kind: 'volume', microUsdPerGb: 500 },
          },
        ],
        hosts: {},
      },
    ],
  ]),
  links: [{ sites: ['fra1', 'nyc1'], capacityMbps: 1_000, microUsdPerGb: 2_000, rttMs: 80 }],
  cdns: [
    {
      name: 'bunny',
      urlTemplate: '{shield}{path}',
      microUsdPerGb: 5_000,
      countries: ['US'],
      capMicroUsdPerMonth: 1e6,
      shields: 1,
    },
  ],
};

function explained(servers: readonly KnownServer[], changes: Partial<PlaceRequest> = {}): Explanation {
  const request: PlaceRequest = {
    stream: 'alice',
    viewer: 'v',
    whence: { asn: NETFLOW_ASN, country: 'DE', position: { latitude: 50, longitude: 8 } },
    allowCdn: true,
    ...changes,
  };
  return explain(sceneOf(snapshot(servers, [stream('alice', 'o')]), { topology }), request)!;
}

const origin = (changes: Partial<KnownServer> = {}): KnownServer =>
  server('o', { roles: ['origin', 'edge'], holdings: [holding('alice', 1)], ...changes });

test('each term is a price, and together they are what the decision says', () => {
  const { servers, decision, mbps, policy } = explained(
    [origin({ sentMbps: 500 }), server('far', { site: 'nyc1' })],
    {
      site: 'nyc1',
    },
  );
  expect({ mbps, policy }).toEqual({ mbps: 4, policy: 'balanced' });
  expect(servers[0]).toEqual({
    id: 'o',
    site: 'fra1',
    host: 'host-of-o',
    state: 'held',
    uplink: 'decix',
    terms: {
      transit: 0,
      latency: 4 * 70,
      stall: 0,
      elsewhere: 100,
      hot: 2_000 * 0.5 ** 4,
      wait: 0,
      copy: 0,
      link: 0,
      move: 0,
    },
    microUsdPerHour: 280 + 100 + 125,
  });
  // Over 6,140 km; 4 Mbps for an hour are 1.8 GB.
  const far = servers[1]!;
  expect(far).toMatchObject({ id: 'far', state: 'none', uplink: 'lumen', copyFrom: 'o' });
  expect(far.terms).toMatchObject({
    transit: 1.8 * 500,
    link: 1.8 * 2_000,
    copy: 5_000,
    wait: 2_000,
    elsewhere: 0,
  });
  expect(far.terms!.latency / 70).toBeCloseTo(102, 0);
  const prices =
    decision.kind === 'serve' ? decision.choices.map(({ microUsdPerHour }) => microUsdPerHour) : [];
  expect(prices).toEqual(servers.map(({ microUsdPerHour }) => microUsdPerHour));
});

test.each<[string, readonly KnownServer[], object]>([
  ['is dead', [origin({ beatAtMs: NOW_MS - 5_000 })], { limit: 'dead' }],
  [
    'is being emptied',
    [origin({ drain: { sinceMs: 1, deadlineMs: null, wished: true } })],
    { limit: 'drain' },
  ],
  ['serves no viewers', [origin({ roles: ['origin'] })], { limit: 'role' }],
  ['is full', [origin({ sentMbps: 998 })], { limit: 'server', resource: 'server/o', roomMbps: 2 }],
  [
    'shares a host whose card is full',
    [origin({ host: 'box' }), server('p', { host: 'box', egressMbps: 2_000, sentMbps: 1_499 })],
    { limit: 'host', resource: 'host/fra1/box', roomMbps: 1 },
  ],
  [
    'stands where every uplink to the viewer is full',
    [origin({ site: 'nyc1', sentMbps: 99, committedMbps: 99, uplinks: { lumen: 99 } })],
    { limit: 'uplink', resource: 'uplink/nyc1/lumen', roomMbps: 1 },
  ],
])('a server that %s is told with that limit', (_, servers, excluded) => {
  const found = explained(servers).servers.find(({ id }) => id === 'o');
  expect(found!.excluded).toEqual(excluded);
});

test('a server that nobody can pass the stream on to is told so, and what only the link holds back too', () => {
  const full = [origin({ sentMbps: 999 }), server('far', { site: 'nyc1' })];
  expect(explained(full).servers.find(({ id }) => id === 'far')!.excluded).toEqual({ limit: 'parent' });
  const parents = [{ id: 'o', relayUrl: '' }];
  const follows = Array.from({ length: 250 }, () => ({ stream: 'alice', rendition: 'source', parents }));
  const plan = { busy: { follows, successors: {} } };
  const servers = [origin(), server('busy', { site: 'nyc1' }), server('far', { site: 'nyc1' })];
  const scene = sceneOf(snapshot(servers, [stream('alice', 'o')], { plan }), { topology });
  const { servers: told } = explain(scene, { stream: 'alice', viewer: 'v', whence: {}, allowCdn: false })!;
  expect(told.find(({ id }) => id === 'far')!.excluded).toEqual({
    limit: 'link',
    resource: 'link/fra1/nyc1',
    roomMbps: 0,
  });
});

test('a server that has only what it keeps back for copies is told apart', () => {
  const [o] = explained([origin({ sentMbps: 950 })]).servers;
  expect(o).toMatchObject({ id: 'o', keepsBack: true });
  expect(explained([origin({ sentMbps: 900 })]).servers[0]).not.toHaveProperty('keepsBack');
});

test('room that other ushers have leased is told as that', () => {
  const promised = new Promises();
  promised.on('server/o').leasedMbps = 3;
  const scene = sceneOf(snapshot([origin()], [stream('alice', 'o')]), { promised });
  const request = { stream: 'alice', viewer: 'v', whence: {}, allowCdn: false };
  expect(explain(scene, request)!.servers[0]!.excluded).toEqual({
    limit: 'lease',
    resource: 'server/o',
    roomMbps: 3,
  });
});

test('a CDN is told with what keeps it from this viewer', () => {
  const excludedBy = (changes: Partial<PlaceRequest>) => explained([origin()], changes).cdns[0]!.excluded;
  expect(excludedBy({})).toBe('country');
  expect(excludedBy({ whence: { country: 'US' } })).toBeUndefined();
  expect(excludedBy({ allowCdn: false })).toBe('not_allowed');
});

test('a stream that nobody knows has no explanation', () => {
  expect(
    explain(sceneOf(snapshot([], [])), { stream: 'x', viewer: 'v', whence: {}, allowCdn: false }),
  ).toBeUndefined();
});
