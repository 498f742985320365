// Random small clusters near their limits, with a topology, and viewers who ask for places in them.

import fc from 'fast-check';
import type { Cdn, Link, Site, Topology, Uplink } from '../../../network/map/topology.ts';
import type { KnownServer, RenditionRecord, Role, Snapshot } from '../../../network/state/state.ts';
import type { PlaceRequest } from '../../../usher/placement/request.ts';
import { DRAIN, holding, NOW_MS, SOURCE, server, snapshot, stream } from './clusters.ts';

export interface RandomCluster {
  readonly snapshot: Snapshot;
  readonly topology: Topology;
  readonly requests: readonly PlaceRequest[];
}

const SITES = ['ams1', 'fra1', 'nyc1'];
const STREAMS = ['alice', 'bob'];
const ASNS = [64_500, 64_501];
const LOW: RenditionRecord = { ...SOURCE, name: '360p', averageBps: 1_000_000, peakBps: 1_100_000 };

const rarely = fc.nat(9).map((dice) => dice === 0);
const often = fc.nat(9).map((dice) => dice > 1);
const index = (most: number): fc.Arbitrary<number> => fc.nat(most);

const serverDraft = fc.record({
  site: index(SITES.length - 1),
  host: index(2),
  roles: fc.constantFrom<readonly Role[]>(['edge'], ['origin', 'edge'], ['origin'], ['edge']),
  egressMbps: fc.constantFrom(10, 20, 50),
  freeMbps: fc.integer({ min: -1, max: 30 }),
  isDead: rarely,
  isDrained: rarely,
  holds: fc.array(fc.record({ stream: index(STREAMS.length - 1), viewers: fc.nat(2) }), { maxLength: 2 }),
  follows: fc.array(index(STREAMS.length - 1), { maxLength: 1 }),
});

const siteDraft = fc.record({
  peeringMbps: fc.constantFrom(0, 5, 40),
  transitMbps: fc.constantFrom(8, 40, 200),
  priceMicroUsd: fc.nat(2_000),
  latitude: fc.integer({ min: -60, max: 60 }),
  longitude: fc.integer({ min: -180, max: 180 }),
  hostMbps: fc.option(fc.constantFrom(15, 40), { nil: undefined }),
});

const requestDraft = fc.record({
  stream: index(STREAMS.length - 1),
  asn: fc.option(fc.constantFrom(...ASNS), { nil: undefined }),
  site: fc.option(fc.constantFrom(...SITES), { nil: undefined }),
  policy: fc.constantFrom('cheapest', 'nearest', 'balanced'),
  avoid: fc.array(index(7), { maxLength: 1 }),
  country: fc.constantFrom('DE', 'US'),
});

type ServerDraft = typeof serverDraft extends fc.Arbitrary<infer Draft> ? Draft : never;
type SiteDraft = typeof siteDraft extends fc.Arbitrary<infer Draft> ? Draft : never;

/** `cdn`: with one that may serve some of the viewers. */
export function randomCluster({ cdn }: { readonly cdn: boolean }): fc.Arbitrary<RandomCluster> {
  return fc
    .record({
      servers: fc.array(serverDraft, { minLength: 1, maxLength: 8 }),
      sites: fc.tuple(siteDraft, siteDraft, siteDraft),
      links: fc.tuple(often, often, often),
      linkMbps: fc.constantFrom(6, 100),
      origins: fc.tuple(index(7), index(7)),
      isLadder: fc.boolean(),
      requests: fc.array(requestDraft, { minLength: 1, maxLength: 12 }),
      isSpent: rarely,
    })
    .map(({ servers, sites, links, linkMbps, origins, isLadder, requests, isSpent }) => {
      const known = servers.map((draft, at) => serverFrom(draft, at, servers));
      const renditions = isLadder ? [SOURCE, LOW] : [SOURCE];
      const parents = [{ id: idOf(origins[0] % servers.length), relayUrl: '' }];
      const plan = Object.fromEntries(
        servers.map(({ follows }, at) => [
          idOf(at),
          {
            follows: follows.map((name) => ({ stream: STREAMS[name]!, rendition: 'source', parents })),
            successors: {},
          },
        ]),
      );
      const streams = STREAMS.map((name, at) =>
        stream(name, idOf(origins[at]! % servers.length), { renditions }),
      );
      return {
        snapshot: snapshot(known, streams, { plan, spentMicroUsd: { cdn: isSpent ? 1_000_000 : 0 } }),
        topology: topologyFrom(sites, links, linkMbps, cdn),
        requests: requests.map(({ asn, country, site, avoid, policy, stream: name }, at) => ({
          stream: STREAMS[name]!,
          viewer: `viewer-${at}`,
          whence: { country, ...(asn === undefined ? {} : { asn }) },
          allowCdn: cdn,
          avoid: avoid.map(idOf),
          policy,
          ...(site === undefined ? {} : { site }),
        })),
      };
    });
}

function serverFrom(draft: ServerDraft, at: number, all: readonly ServerDraft[]): KnownServer {
  const { site, host, roles, egressMbps, freeMbps, isDead, isDrained, holds } = draft;
  const usedMbps = Math.max(0, egressMbps - freeMbps);
  return server(idOf(at), {
    site: SITES[site]!,
    host: `host-${host}`,
    roles,
    egressMbps,
    sentMbps: usedMbps / 2,
    committedMbps: usedMbps,
    uplinks: { transit: usedMbps / all.length },
    beatAtMs: isDead ? NOW_MS - 9_000 : NOW_MS - 100,
    drain: isDrained ? DRAIN : null,
    holdings: holds.map(({ stream: name, viewers }) => holding(STREAMS[name]!, viewers)),
  });
}

function topologyFrom(
  sites: readonly SiteDraft[],
  links: readonly boolean[],
  linkMbps: number,
  cdn: boolean,
): Topology {
  const pairs = [
    ['ams1', 'fra1'],
    ['ams1', 'nyc1'],
    ['fra1', 'nyc1'],
  ] as const;
  return {
    sites: new Map(sites.map((draft, at) => [SITES[at]!, siteFrom(draft, SITES[at]!)])),
    links: pairs
      .filter((_, at) => links[at])
      .map((pair): Link => ({ sites: pair, capacityMbps: linkMbps, microUsdPerGb: 700, rttMs: 30 })),
    cdns: cdn ? [CDN] : [],
  };
}

const CDN: Cdn = {
  name: 'cdn',
  urlTemplate: 'https://cdn.example/{shield}{path}',
  microUsdPerGb: 8_000,
  countries: ['DE'],
  capMicroUsdPerMonth: 1_000_000,
  shields: 1,
};

function siteFrom(draft: SiteDraft, name: string): Site {
  const { peeringMbps, transitMbps, priceMicroUsd, latitude, longitude, hostMbps } = draft;
  const uplinks: Uplink[] = [
    { kind: 'peering', name: 'ix', capacityMbps: peeringMbps, asns: [ASNS[0]!] },
    {
      kind: 'transit',
      name: 'transit',
      capacityMbps: transitMbps,
      billing: { kind: 'volume', microUsdPerGb: priceMicroUsd },
    },
  ];
  const hosts: Record<string, number> = hostMbps === undefined ? {} : { 'host-0': hostMbps };
  return { name, position: { latitude, longitude }, uplinks, hosts };
}

function idOf(at: number): string {
  return `s${at}`;
}
