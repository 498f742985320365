import { describe, expect, test } from 'vitest';
import type { Topology } from '../../../network/map/topology.ts';
import { clusterOf } from '../../../usher/console/figures/cluster.ts';
import { streamCost, totalCost, transitBySite } from '../../../usher/console/figures/costs.ts';
import type { Look } from '../../../usher/console/figures/look.ts';
import { streamDetail } from '../../../usher/console/figures/stream.ts';
import { tallyOf } from '../../../usher/console/figures/tally.ts';
import { DRAIN, holding, NOW_MS, SOURCE, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import { lookAt } from '../../tools/cluster/looks.ts';

const LOW = { ...SOURCE, name: '360p30', averageBps: 1_000_000 };
const TOPOLOGY: Topology = {
  sites: new Map([
    [
      'fra1',
      {
        name: 'fra1',
        country: 'DE',
        position: { latitude: 50, longitude: 8 },
        uplinks: [
          {
            kind: 'transit',
            name: 'transit',
            capacityMbps: 10_000,
            billing: { kind: 'volume', microUsdPerGb: 10_000 },
          },
        ],
        hosts: {},
      },
    ],
    ['nyc1', { name: 'nyc1', uplinks: [], hosts: {} }],
  ]),
  links: [{ sites: ['fra1', 'nyc1'], capacityMbps: 1_000, microUsdPerGb: 2_000, rttMs: 80 }],
  cdns: [{ name: 'cdn', urlTemplate: '', microUsdPerGb: 5_000, capMicroUsdPerMonth: 1_000_000, shields: 1 }],
};
const alice = stream('alice', 'o1', { renditions: [SOURCE, LOW] });
const CLUSTER = snapshot(
  [
    server('o1', {
      roles: ['origin', 'edge'],
      sentMbps: 123.456,
      uplinks: { transit: 100 },
      committedMbps: 100,
      holdings: [holding('alice', 20, { arrivalsPerS: 1.234 })],
    }),
    server('n1', {
      site: 'nyc1',
      drain: DRAIN,
      holdings: [
        holding('alice', 5, { parent: 'o1', next: 600 }),
        holding('alice', 5, { rendition: '360p30', parent: 'w1' }),
      ],
    }),
    server('w1', {
      roles: ['transcoder'],
      holdings: [holding('alice', 0, { parent: 'o1' }), holding('alice', 0, { rendition: '360p30' })],
      transcoding: {
        slots: 4,
        codecs: ['h264'],
        jobs: [{ stream: 'alice', state: 'running', reason: '', renditions: [LOW] }],
      },
    }),
    server('d1', { beatAtMs: NOW_MS - 9_000, holdings: [holding('alice', 50, { parent: 'o1' })] }),
  ],
  [alice],
  {
    plan: {
      n1: {
        follows: [
          {
            stream: 'alice',
            rendition: 'source',
            parents: [
              { id: 'o1', relayUrl: '' },
              { id: 'w1', relayUrl: '' },
            ],
          },
        ],
        successors: {},
      },
      w1: {
        follows: [{ stream: 'alice', rendition: 'source', parents: [{ id: 'o1', relayUrl: '' }] }],
        successors: {},
      },
    },
    spentMicroUsd: { cdn: 400_000 },
  },
);
const LOOK: Look = lookAt(CLUSTER, {
  topology: TOPOLOGY,
  cdnViewers: new Map([['alice', new Map([['cdn', 7]])]]),
  cdnMicroUsdPerHour: new Map([['cdn', 60_000]]),
  turnedAway: 3,
  leader: { id: 'u1', isHere: true },
});
const TALLY = tallyOf(CLUSTER, TOPOLOGY);

describe('the overview', () => {
  const cluster = clusterOf(LOOK, TALLY);

  test('counts viewers of living servers and of CDNs', () => {
    expect(cluster.totals).toMatchObject({
      viewers: 37,
      cdnViewers: 7,
      turnedAway: 3,
      servers: 3,
      deadServers: 1,
    });
    expect(cluster.streams['alice']).toMatchObject({
      viewers: 37,
      cdnViewers: 7,
      arrivalsPerS: 1.2,
      kbps: 4_000,
      sentMbps: 105,
      copies: 3,
      renditions: ['source', '360p30'],
    });
  });

  test('shows a server with its load in three digits, and the dead one as dead', () => {
    expect(cluster.servers['o1']).toMatchObject({ sentMbps: 123, viewers: 20, copies: 1 });
    expect(cluster.servers['d1']).toMatchObject({ isDead: true, viewers: 0 });
    expect(cluster.servers['w1']).toMatchObject({ jobs: 1, slots: 4 });
  });

  test('says what is left on a server that is being emptied', () => {
    expect(cluster.servers['n1']!.drain).toEqual({
      sinceMs: DRAIN.sinceMs,
      isWished: true,
      viewers: 10,
      children: 0,
      broadcasts: 0,
    });
  });

  test('shows sites where they are, with the load of their uplinks, and copies between them', () => {
    expect(cluster.sites['fra1']).toMatchObject({ country: 'DE', latitude: 50, longitude: 8, viewers: 20 });
    expect(cluster.sites['fra1']!.uplinks['transit']).toMatchObject({
      kind: 'transit',
      capacityMbps: 10_000,
    });
    expect(cluster.links['fra1/nyc1']).toEqual({
      thereMbps: 5,
      backMbps: 0,
      capacityMbps: 1_000,
      microUsdPerGb: 2_000,
      rttMs: 80,
    });
  });

  test('says what a CDN costs, and this month so far', () => {
    expect(cluster.cdns['cdn']).toEqual({
      viewers: 7,
      microUsdPerHour: 60_000,
      monthMicroUsd: 400_000,
      capMicroUsd: 1_000_000,
    });
    expect(cluster.totals.month.cdnMicroUsd).toBe(400_000);
  });
});

describe('costs', () => {
  test('of streams add up to what the uplinks and links cost', () => {
    const whole = totalCost(TALLY, LOOK);
    const one = streamCost(TALLY, transitBySite(TALLY, LOOK), LOOK, alice, TALLY.streams.get('alice'));
    // 123.456 Mbps for an hour are 55.6 GB.
    expect(whole.transitMicroUsd).toBe(Math.round(123.456 * 0.45 * 10_000));
    expect(whole.linksMicroUsd).toBe(5 * 0.45 * 2_000);
    expect(one).toEqual({ ...whole, cdnMicroUsd: 7 * 4 * 0.45 * 5_000 });
  });
});

describe('the tree of a rendition', () => {
  const detail = streamDetail('alice', LOOK, TALLY)!;

  test('has its origin as root, and each server with its parent and the next', () => {
    const { tree, viewers } = detail.ladder['source']!;
    expect(viewers).toBe(25);
    expect(tree['o1']).toMatchObject({ state: 'root', viewers: 20 });
    expect(tree['n1']).toEqual({
      site: 'nyc1',
      state: 'held',
      parent: 'o1',
      nextParent: 'w1',
      viewers: 5,
      arrivalsPerS: 0,
      behind: 400,
    });
    expect(tree['d1']).toMatchObject({ state: 'dead', viewers: 0 });
  });

  test('of what is transcoded has the worker as root', () => {
    const { tree } = detail.ladder['360p30']!;
    expect([tree['w1']!.state, tree['n1']!.state, tree['n1']!.parent]).toEqual(['root', 'going', 'w1']);
    expect(detail.jobs).toEqual({ w1: { state: 'running', renditions: ['360p30'] } });
  });

  test('is of no stream that is not there', () => {
    expect(streamDetail('nobody', LOOK, TALLY)).toBeUndefined();
  });
});
