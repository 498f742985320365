import { describe, expect, test } from 'vitest';
import { type Link, NO_TOPOLOGY, type Site, type Topology, type Uplink } from '../../network/map/topology.ts';
import type { Demand } from '../../network/state/lease.ts';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { PLAN_MS } from '../../usher/plan/demand.ts';
import { PlanMemory } from '../../usher/plan/memory.ts';
import { plan } from '../../usher/planner.ts';
import {
  carriedOut,
  holding,
  NOW_MS,
  parentsIn,
  SOURCE,
  server,
  snapshot,
  stream,
} from '../tools/cluster/clusters.ts';

/** Edges of 100 Mbps, two at each site and named for it, and an origin that serves nobody at the first: a viewer takes 4 Mbps. */
function cluster(...sites: string[]): Snapshot {
  const origin = server('origin', { roles: ['origin'], site: sites[0]!, holdings: [holding('alice')] });
  const edges = sites.flatMap((site) =>
    [1, 2].map((number) => server(`${site}-${number}`, { egressMbps: 100, site })),
  );
  return snapshot([origin, ...edges], [stream('alice', 'origin')]);
}

function change(of: Snapshot, id: string, changes: Partial<KnownServer>): Snapshot {
  return { ...of, servers: of.servers.map((each) => (each.id === id ? { ...each, ...changes } : each)) };
}

const withViewers = (of: Snapshot, id: string, viewers: number, arrivalsPerS = 0): Snapshot =>
  change(of, id, { sentMbps: viewers * 4, holdings: [holding('alice', viewers, { arrivalsPerS })] });

const asked = (of: Snapshot, ...ushers: Demand[]): Snapshot => ({
  ...of,
  ushers: ushers.map((demand, index) => ({ id: `usher-${index}`, heardAtMs: NOW_MS, demand })),
});

const holdersOf = (of: Snapshot, topology = NO_TOPOLOGY): string[] =>
  [...parentsIn(plan(of, { topology }), 'alice').keys()].sort();

/** What is planned after some minutes in which nothing changed. */
function lasting(of: Snapshot, topology: Topology, minutes = 10): string[] {
  const memory = new PlanMemory();
  let now = of;
  for (let passedMs = 0; passedMs < minutes * 60_000; passedMs += PLAN_MS) {
    now = carriedOut(now, plan(now, { topology, memory }));
    const servers = now.servers.map((each) => ({ ...each, beatAtMs: each.beatAtMs + PLAN_MS }));
    now = { ...now, nowMs: now.nowMs + PLAN_MS, servers };
  }
  return [...parentsIn(now.plan, 'alice').keys()].sort();
}

const TRANSIT: Uplink = {
  kind: 'transit',
  name: 'transit',
  capacityMbps: 100_000,
  billing: { kind: 'volume', microUsdPerGb: 1_000 },
};
const PLACES = { fra: [50, 8.6], ams: [52.3, 4.8], nyc: [40.7, -74] } as const;

function site(name: keyof typeof PLACES, changes: Partial<Site> = {}): Site {
  const [latitude, longitude] = PLACES[name];
  return { name, position: { latitude, longitude }, uplinks: [TRANSIT], hosts: {}, ...changes };
}

function link(one: string, other: string, changes: Partial<Link> = {}): Link {
  const sites = one < other ? ([one, other] as const) : ([other, one] as const);
  return { sites, capacityMbps: 10_000, microUsdPerGb: 5_000, rttMs: 90, ...changes };
}

function topologyOf(sites: readonly Site[], links: readonly Link[]): Topology {
  return { ...NO_TOPOLOGY, sites: new Map(sites.map((each) => [each.name, each])), links };
}

describe('demand', () => {
  test('of those who ask ushers brings copies before anybody watches, where they would be served best', () => {
    const of = asked(cluster('fra', 'ams'), { alice: { ams: 5 } });
    // 5 per second x 5.2 x 4 Mbps are 104.
    expect(holdersOf(of)).toEqual(['ams-1', 'ams-2']);
  });

  test('is what all ushers together are asked for', () => {
    const of = cluster('fra', 'ams');
    expect(holdersOf(asked(of, { alice: { ams: 2.5 } }, { alice: { ams: 2.5 } }))).toEqual([
      'ams-1',
      'ams-2',
    ]);
    expect(holdersOf(asked(of, { alice: { ams: 2.5 } }, {}))).toEqual(['ams-1']);
  });

  test('counts a viewer once who asked an usher and came to a server', () => {
    const of = withViewers(cluster('fra'), 'fra-1', 1, 3.5);
    expect(holdersOf(asked(of, { alice: { fra: 3.5 } }))).toEqual(['fra-1']);
    expect(holdersOf(asked(of, { alice: { fra: 1 } }))).toEqual(['fra-1']);
    expect(holdersOf(asked(withViewers(of, 'fra-1', 1, 8), { alice: { fra: 1 } }))).toEqual([
      'fra-1',
      'fra-2',
    ]);
  });

  test('of one viewer makes no copy elsewhere, and that of many who keep coming does', () => {
    const topology = topologyOf([site('fra'), site('nyc')], [link('fra', 'nyc')]);
    const of = withViewers(cluster('fra', 'nyc'), 'fra-1', 5);
    const trickle = asked(of, { alice: { nyc: 0.7 } });
    expect(holdersOf(trickle, topology)).toEqual(['fra-1']);
    expect(holdersOf(asked(of, { alice: { nyc: 20 } }), topology)).toContain('nyc-1');
    expect(lasting(asked(of, { alice: { nyc: 0.1 } }), topology)).toEqual(['fra-1', 'nyc-1']);
  });

  test('makes a copy near viewers if that costs less than sending them everything from afar', () => {
    const of = asked(withViewers(cluster('fra', 'nyc'), 'fra-1', 5), { alice: { nyc: 0.1 } });
    const over = (microUsdPerGb: number): Topology =>
      topologyOf([site('fra'), site('nyc')], [link('fra', 'nyc', { microUsdPerGb })]);
    expect(lasting(of, over(10_000))).toEqual(['fra-1', 'nyc-1']);
    expect(lasting(of, over(1_000_000))).toEqual(['fra-1']);
  });

  test('is counted for as long as copies take where it is', () => {
    const of = withViewers(cluster('fra'), 'fra-1', 1, 3);
    const slow = ['fra-1', 'fra-2'].reduce((now, id) => change(now, id, { copyMs: 4_000 }), of);
    expect([holdersOf(of), holdersOf(slow)]).toEqual([['fra-1'], ['fra-1', 'fra-2']]);
  });

  test('of a crowd that doubles every two seconds is met with copies that are made in time', () => {
    let of = cluster('fra');
    const many = Array.from({ length: 60 }, (_, index) =>
      server(`edge-${index + 10}`, { site: 'fra', egressMbps: 100 }),
    );
    of = snapshot([...of.servers.filter(({ id }) => id === 'origin'), ...many], of.streams);
    const cameBy = (atS: number): number => 2 ** (atS / 2);
    const ready: { readonly atS: number; readonly count: number }[] = [];
    for (let nowS = 4; nowS <= 16; nowS += 0.5) {
      // What is seen is a beat old; what is planned is there when it was told and copied.
      const seenS = nowS - 1;
      const perS = cameBy(seenS) - cameBy(seenS - 1);
      const holders = ready.findLast(({ atS }) => atS <= nowS)?.count ?? 1;
      const servers = of.servers.map((each, index) =>
        each.id === 'origin' || index >= holders
          ? each
          : {
              ...each,
              holdings: [holding('alice', cameBy(seenS) / holders, { arrivalsPerS: perS / holders })],
            },
      );
      ready.push({ atS: nowS + 1.1, count: holdersOf({ ...of, servers }).length });
      // The origin feeds four of them.
      if (nowS > 6)
        expect(cameBy(nowS) * 4).toBeLessThanOrEqual(holders * 100 - Math.max(0, holders - 4) * 4);
    }
    expect(ready.at(-1)!.count).toBeGreaterThan(15);
  });
});

describe('limits', () => {
  test('a site whose uplinks are full gets no copies for viewers, though its servers are idle', () => {
    const small = { ...TRANSIT, capacityMbps: 40 };
    const topology = topologyOf([site('fra'), site('ams', { uplinks: [small] })], [link('fra', 'ams')]);
    const of = asked(cluster('fra', 'ams'), { alice: { ams: 8 } });
    expect(holdersOf(of, topology).filter((id) => id.startsWith('ams'))).toHaveLength(1);
    expect(holdersOf(of, topology).filter((id) => id.startsWith('fra'))).toHaveLength(2);
  });

  test('servers of one host carry no more than its card', () => {
    const topology = topologyOf([site('fra', { hosts: { box: 100 } })], []);
    const boxed = ['fra-1', 'fra-2'].reduce((of, id) => change(of, id, { host: 'box' }), cluster('fra'));
    const more = server('fra-3', { egressMbps: 100, site: 'fra' });
    const of = asked(snapshot([...boxed.servers, more], boxed.streams), { alice: { fra: 7 } });
    expect(holdersOf(of, topology)).toEqual(['fra-1', 'fra-3']);
  });

  test('a link that is full is not crossed: the stream comes by another site', () => {
    const links = [link('fra', 'nyc', { capacityMbps: 3 }), link('ams', 'fra'), link('ams', 'nyc')];
    const topology = topologyOf([site('fra'), site('ams'), site('nyc')], links);
    const before = asked(cluster('fra', 'ams', 'nyc'), { alice: { nyc: 3, ams: 3 } });
    const of = carriedOut(before, plan(before, { topology }));
    const parents = parentsIn(plan(of, { topology }), 'alice');
    expect(parents.get('ams-1')).toBe('origin');
    expect(parents.get('nyc-1')).toBe('ams-1');
  });

  test('viewers are served from afar where no link has room for a copy', () => {
    const topology = topologyOf([site('fra'), site('nyc')], [link('fra', 'nyc', { capacityMbps: 3 })]);
    expect(holdersOf(asked(cluster('fra', 'nyc'), { alice: { nyc: 5 } }), topology)).toEqual([
      'fra-1',
      'fra-2',
    ]);
  });

  test('what is kept back is given when nothing else is left: nobody is refused while there is room', () => {
    const of = ['fra-1', 'fra-2'].reduce((now, id) => change(now, id, { sentMbps: 94 }), cluster('fra'));
    expect(holdersOf(asked(of, { alice: { fra: 0.5 } }))).toEqual(['fra-1', 'fra-2']);
  });
});

describe('the tree', () => {
  test('crosses between sites where that is cheapest, and further from there', () => {
    const links = [
      link('fra', 'nyc', { microUsdPerGb: 20_000 }),
      link('ams', 'fra', { microUsdPerGb: 1_000, rttMs: 8 }),
      link('ams', 'nyc', { microUsdPerGb: 5_000, rttMs: 85 }),
    ];
    const topology = topologyOf([site('fra'), site('ams'), site('nyc')], links);
    let of = withViewers(cluster('fra', 'ams', 'nyc'), 'nyc-1', 2);
    expect(parentsIn(plan(of, { topology }), 'alice').get('nyc-1')).toBe('origin');
    of = withViewers(of, 'ams-2', 2);
    const parents = parentsIn(plan(of, { topology }), 'alice');
    expect(Object.fromEntries(parents)).toEqual({ 'ams-2': 'origin', 'nyc-1': 'ams-2' });
  });

  test('spares a hot parent where a cool one is as near', () => {
    let of = withViewers(withViewers(cluster('fra'), 'fra-1', 20), 'fra-2', 1);
    const late = Array.from({ length: 5 }, (_, index) =>
      server(`late-${index}`, { site: 'fra', egressMbps: 100, holdings: [holding('alice', 1)] }),
    );
    of = snapshot([...of.servers, ...late], of.streams);
    const parents = [...parentsIn(plan(of), 'alice').values()];
    expect(parents).not.toContain('fra-1');
  });
});

test('the renditions of a stream are copied to the same servers: viewers change between them', () => {
  const small = { ...SOURCE, name: '360p', averageBps: 500_000 };
  const origin = server('origin', {
    roles: ['origin'],
    site: 'fra',
    holdings: [holding('alice'), holding('alice', 0, { rendition: '360p' })],
  });
  const edges = [1, 2, 3, 4].map((number) => server(`fra-${number}`, { site: 'fra', sentMbps: number * 50 }));
  const watched = { ...edges[3]!, holdings: [holding('alice', 2), holding('alice', 0)] };
  const of = snapshot(
    [origin, ...edges.slice(0, 3), watched],
    [stream('alice', 'origin', { renditions: [SOURCE, small] })],
  );
  const arriving = change(of, 'fra-4', {
    holdings: [holding('alice', 150, { arrivalsPerS: 20 })],
  });
  const made = plan(asked(arriving, { alice: { fra: 25 } }));
  const sources = [...parentsIn(made, 'alice').keys()];
  expect(sources.length).toBeGreaterThan(1);
  expect(parentsIn(made, 'alice', '360p').size).toBe(0);
  const both = change(arriving, 'origin', {
    holdings: [holding('alice'), holding('alice', 0, { rendition: '360p', arrivalsPerS: 2 })],
  });
  const [first] = parentsIn(plan(asked(both, { alice: { fra: 25 } })), 'alice', '360p').keys();
  expect(sources).toContain(first);
});
