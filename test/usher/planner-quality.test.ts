import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_TOPOLOGY, type Topology, type Transit } from '../../network/map/topology.ts';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { FANOUT } from '../../usher/plan/copies/balance.ts';
import { comingPerArrival } from '../../usher/plan/demand.ts';
import { type Plan, plan } from '../../usher/planner.ts';
import {
  carriedOut,
  DRAIN,
  holding,
  NOW_MS,
  parentsIn,
  server,
  snapshot,
  stream,
} from '../tools/cluster/clusters.ts';

const BITRATE_MBPS = 4;
const PER_ARRIVAL_MBPS = comingPerArrival(1_000) * BITRATE_MBPS;
const NAMES = ['alice', 'bob', 'carol'];
const runs = { numRuns: 100 };

interface DraftSite {
  readonly servers: readonly { readonly egressMbps: number; readonly fill: number }[];
  /** Who asks for each stream, as part of what the site has room for. */
  readonly crowds: readonly number[];
}

const draftServer = fc.record({
  egressMbps: fc.constantFrom(200, 500, 1_000),
  fill: fc.constantFrom(0, 0, 0.2, 0.5, 0.8, 0.95),
});
const draftSite = (streams: number, crowd: fc.Arbitrary<number>): fc.Arbitrary<DraftSite> =>
  fc.record({
    servers: fc.array(draftServer, { minLength: 1, maxLength: 12, size: 'max' }),
    crowds: fc.array(crowd, { minLength: streams, maxLength: streams }),
  });
const draft = (streams: number, crowd: fc.Arbitrary<number>): fc.Arbitrary<readonly DraftSite[]> =>
  fc.array(draftSite(streams, crowd), { minLength: 1, maxLength: 4 });

const siteName = (index: number): string => `site-${index}`;
const roomMbps = ({ egressMbps, fill }: DraftSite['servers'][number]): number => egressMbps * (1 - fill);
const siteRoomMbps = ({ servers }: DraftSite): number =>
  servers.reduce((sum, each) => sum + Math.max(0, roomMbps(each) - BITRATE_MBPS), 0);

/** The streams' origins serve no viewers themselves, and have room for all their children. */
function snapshotOf(sites: readonly DraftSite[]): Snapshot {
  const names = NAMES.slice(0, sites[0]!.crowds.length);
  const origins = names.map((name) =>
    server(`origin-${name}`, { roles: ['origin'], site: siteName(0), holdings: [holding(name)] }),
  );
  const edges = sites.flatMap(({ servers }, at) =>
    servers.map(({ egressMbps, fill }, index) =>
      server(`edge-${at}-${String(index).padStart(2, '0')}`, {
        site: siteName(at),
        egressMbps,
        sentMbps: egressMbps * fill,
      }),
    ),
  );
  const demand = Object.fromEntries(
    names.map((name, which) => [
      name,
      Object.fromEntries(
        sites.map((site, at) => [
          siteName(at),
          (site.crowds[which]! * siteRoomMbps(site)) / PER_ARRIVAL_MBPS,
        ]),
      ),
    ]),
  );
  const records = names.map((name) => stream(name, `origin-${name}`));
  return snapshot([...origins, ...edges], records, {
    ushers: [{ id: 'usher', heardAtMs: NOW_MS, demand }],
  });
}

/** Of the roomiest servers of a site, each fed by another: how many carry so much. */
function fewest({ servers }: DraftSite, mbps: number): number {
  let restMbps = mbps;
  let count = 0;
  for (const room of servers.map(roomMbps).sort((one, other) => other - one)) {
    if (restMbps <= 0) break;
    restMbps -= room - BITRATE_MBPS;
    count += 1;
  }
  return count;
}

describe('copies', () => {
  test('are at most half as many again as the fewest that carry the crowd, and one', () => {
    fc.assert(
      fc.property(draft(1, fc.double({ min: 0, max: 0.7, noNaN: true })), (sites) => {
        const copies = parentsIn(plan(snapshotOf(sites)), 'alice').size;
        const needed = sites.map((site) => fewest(site, site.crowds[0]! * siteRoomMbps(site)));
        const least = needed.reduce((sum, count) => sum + count, 0);
        expect(copies).toBeLessThanOrEqual(least * 1.5 + 1);
      }),
      runs,
    );
  });

  test('carry the crowd where there is room for it anywhere', () => {
    fc.assert(
      fc.property(draft(1, fc.double({ min: 0, max: 0.95, noNaN: true })), (sites) => {
        const of = snapshotOf(sites);
        const holders = parentsIn(plan(of), 'alice');
        const room = of.servers
          .filter(({ id }) => holders.has(id))
          .reduce((sum, { egressMbps, sentMbps }) => sum + egressMbps - sentMbps, 0);
        const fed = Math.max(0, holders.size - FANOUT) * BITRATE_MBPS;
        const need = sites.reduce((sum, site) => sum + site.crowds[0]! * siteRoomMbps(site), 0);
        expect(room - fed).toBeGreaterThanOrEqual(need - 0.001);
      }),
      runs,
    );
  });
});

describe('no limit', () => {
  test('of a server or link is passed by what several crowds are planned to have sent', () => {
    const crowds = draft(3, fc.double({ min: 0, max: 0.6, noNaN: true }));
    fc.assert(
      fc.property(crowds, fc.constantFrom(3, 9, 30), (sites, linkMbps) => {
        const of = snapshotOf(sites);
        const topology = joined(sites.length, linkMbps);
        const made = plan(of, { topology });
        const servers = new Map(of.servers.map((each) => [each.id, each]));
        for (const [id, sent] of sentBy(made, (parent) => parent)) {
          const { egressMbps, sentMbps } = servers.get(id)!;
          expect(sent + sentMbps).toBeLessThanOrEqual(egressMbps);
        }
        const site = (id: string): string => servers.get(id)!.site;
        const crossed = sentBy(made, (parent, child) => `${site(parent)} ${site(child)}`);
        for (const [way, mbps] of crossed) {
          const [from, to] = way.split(' ');
          if (from !== to) expect(mbps).toBeLessThanOrEqual(linkMbps);
        }
      }),
      runs,
    );
  });
});

describe('servers that are emptied', () => {
  test('are empty after a few turns, and hold nothing then', () => {
    const some = fc.array(fc.nat(47), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(draft(3, fc.constant(0)), some, fc.nat(20), (sites, chosen, viewers) => {
        let now = watched(snapshotOf(sites), viewers);
        const edges = now.servers.filter(({ roles }) => roles.includes('edge'));
        const drained = new Set(chosen.map((index) => edges[index % edges.length]!.id));
        fc.pre(hasRoomBeside(now, drained));
        now = { ...now, drains: Object.fromEntries([...drained].map((id) => [id, DRAIN])) };
        for (let turn = 0; turn < 8; turn++) now = moved(carriedOut(now, plan(now)));
        const made = plan(now);
        for (const id of drained) {
          expect(viewersOn(now, id)).toBe(0);
          expect(made[id]).toEqual({ follows: [], successors: {} });
        }
      }),
      runs,
    );
  });

  /** As many viewers of each stream on every third server. */
  function watched(of: Snapshot, viewers: number): Snapshot {
    const servers = of.servers.map((each, index) => {
      if (!each.roles.includes('edge') || index % 3 !== 0) return each;
      const fits = Math.max(0, Math.floor((each.egressMbps - each.sentMbps) / BITRATE_MBPS / 3 - 2));
      const count = Math.min(viewers, fits);
      const holdings = of.streams.map(({ name }) => holding(name, count));
      return { ...each, holdings, sentMbps: each.sentMbps + count * of.streams.length * BITRATE_MBPS };
    });
    return { ...of, servers };
  }

  function hasRoomBeside({ servers }: Snapshot, drained: ReadonlySet<string>): boolean {
    const viewers = servers.filter(({ id }) => drained.has(id)).flatMap(({ holdings }) => holdings);
    const needMbps = viewers.reduce((sum, held) => sum + held.viewers, 0) * BITRATE_MBPS;
    const rooms = servers
      .filter(({ id, roles }) => roles.includes('edge') && !drained.has(id))
      .map(({ egressMbps, sentMbps }) => Math.max(0, egressMbps - sentMbps - 6 * BITRATE_MBPS));
    return rooms.reduce((sum, room) => sum + room, 0) * 0.7 >= needMbps;
  }

  /** Viewers of drained servers go to the successors that these have, as many as there is room for. */
  function moved(of: Snapshot): Snapshot {
    const servers = new Map(of.servers.map((each) => [each.id, { ...each, holdings: [...each.holdings] }]));
    for (const [id, { successors }] of Object.entries(of.plan))
      for (const [name, successor] of Object.entries(successors))
        move(servers.get(id)!, servers.get(successor.id)!, name);
    return { ...of, servers: [...servers.values()] };
  }

  type Movable = Omit<KnownServer, 'holdings' | 'sentMbps'> & {
    sentMbps: number;
    holdings: KnownServer['holdings'][number][];
  };

  function move(from: Movable, to: Movable, name: string): void {
    const at = from.holdings.findIndex((held) => held.stream === name);
    const there = to.holdings.findIndex((held) => held.stream === name);
    const count = Math.min(
      from.holdings[at]!.viewers,
      Math.floor((to.egressMbps - to.sentMbps) / BITRATE_MBPS + 1e-6),
    );
    const add = (server: Movable, index: number, viewers: number): void => {
      const held = server.holdings[index]!;
      server.holdings[index] = { ...held, viewers: held.viewers + viewers };
      server.sentMbps += viewers * BITRATE_MBPS;
    };
    add(from, at, -count);
    add(to, there, count);
  }

  function viewersOn({ servers }: Snapshot, id: string): number {
    return servers.find((each) => each.id === id)!.holdings.reduce((sum, { viewers }) => sum + viewers, 0);
  }
});

const TRANSIT: Transit = {
  kind: 'transit',
  name: 'transit',
  capacityMbps: 100_000,
  billing: { kind: 'volume', microUsdPerGb: 1_000 },
};

function joined(sites: number, capacityMbps: number): Topology {
  const names = Array.from({ length: sites }, (_, index) => siteName(index));
  const links = names.flatMap((one, at) =>
    names.slice(at + 1).map((other, further) => ({
      sites: [one, other] as const,
      capacityMbps,
      microUsdPerGb: 1_000 * (further + 1),
      rttMs: 20 * (further + 1),
    })),
  );
  const entries = names.map((name) => [name, { name, uplinks: [TRANSIT], hosts: {} }] as const);
  return { ...NO_TOPOLOGY, sites: new Map(entries), links };
}

function sentBy(made: Plan, keyOf: (parent: string, child: string) => string): Map<string, number> {
  const sent = new Map<string, number>();
  for (const [id, { follows }] of Object.entries(made))
    for (const { parents } of follows) {
      const key = keyOf(parents[0]!.id, id);
      sent.set(key, (sent.get(key) ?? 0) + BITRATE_MBPS);
    }
  return sent;
}
