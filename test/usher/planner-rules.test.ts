import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_TOPOLOGY, type Topology } from '../../network/map/topology.ts';
import { isAlive } from '../../network/state/liveness.ts';
import type { KnownServer, Role, Snapshot, StreamRecord } from '../../network/state/state.ts';
import { changesOf } from '../../usher/plan/changes.ts';
import { FANOUT } from '../../usher/plan/copies/balance.ts';
import { deepestLevel } from '../../usher/plan/tree/tree.ts';
import { type Plan, plan } from '../../usher/planner.ts';
import {
  carriedOut,
  DRAIN,
  holding,
  NOW_MS,
  parentsIn,
  SOURCE,
  server,
  snapshot,
  stream,
} from '../tools/cluster/clusters.ts';

const STREAMS = ['alice', 'bob', 'carol'];
const RENDITIONS = ['source', '720p'];

/** Indices stand for servers: a random snapshot refers to those that it has, and now and then to one that it has not. */
interface Draft {
  readonly servers: readonly {
    readonly site: number;
    readonly roles: readonly Role[];
    readonly egressMbps: number;
    readonly sentMbps: number;
    readonly draining: boolean;
    readonly isDead: boolean;
    readonly holds: readonly { stream: number; rendition: number; viewers: number; arrivalsPerS: number }[];
    readonly follows: readonly { stream: number; rendition: number; parent: number }[];
  }[];
  readonly origins: readonly number[];
  readonly renditionCount: number;
  readonly siteCount: number;
  /** Every server has viewers of everything, so that trees are large. */
  readonly isCrowded: boolean;
}

const rarely = fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0);
const at = { stream: fc.nat(STREAMS.length - 1), rendition: fc.nat(1) };

function draft(extra: {
  egressMbps: fc.Arbitrary<number>;
  faults: fc.Arbitrary<boolean>;
}): fc.Arbitrary<Draft> {
  const one = fc.record({
    site: fc.nat(11),
    roles: extra.faults.chain((isFault) =>
      fc.constantFrom<readonly Role[]>(
        ...(isFault ? [['origin' as const], []] : [['edge' as const], ['origin' as const, 'edge' as const]]),
      ),
    ),
    egressMbps: extra.egressMbps,
    sentMbps: fc.constantFrom(0, 0, 5, 40),
    draining: extra.faults,
    isDead: extra.faults,
    holds: fc.array(
      fc.record({
        ...at,
        viewers: fc.constantFrom(0, 0, 1, 3, 12),
        arrivalsPerS: fc.constantFrom(0, 0, 0.4, 3),
      }),
      { maxLength: 3 },
    ),
    follows: fc.array(fc.record({ ...at, parent: fc.oneof(fc.nat(2), fc.nat(40)) }), {
      maxLength: 6,
      size: 'max',
    }),
  });
  return fc.record({
    servers: fc.array(one, { minLength: 1, maxLength: 40, size: 'max' }),
    siteCount: fc.constantFrom(1, 2, 3, 12),
    origins: fc.array(fc.oneof(fc.nat(2), fc.nat(40)), {
      minLength: STREAMS.length,
      maxLength: STREAMS.length,
    }),
    renditionCount: fc.integer({ min: 0, max: 2 }),
    isCrowded: fc.boolean(),
  });
}

const idOf = (index: number): string => `s${String(index).padStart(2, '0')}`;

function snapshotOf({ servers, origins, renditionCount, siteCount, isCrowded }: Draft): Snapshot {
  const originOf = (which: number): string => idOf(origins[which]! % (servers.length + 1));
  const renditions = RENDITIONS.slice(0, renditionCount).map((name) => ({ ...SOURCE, name }));
  const records = STREAMS.map((name, which) => stream(name, originOf(which), { renditions }));
  const known = servers.map(({ holds, isDead, draining, follows: _, site, ...rest }, index): KnownServer => {
    const held = holds.map(({ stream: which, rendition, ...counts }) =>
      holding(STREAMS[which]!, counts.viewers, {
        rendition: RENDITIONS[rendition]!,
        ...counts,
        arrivalsPerS: counts.viewers && counts.arrivalsPerS,
      }),
    );
    const own = records
      .filter(({ origin }) => origin === idOf(index))
      .flatMap(({ name, renditions: made }) =>
        made.map((rendition) => holding(name, 0, { rendition: rendition.name })),
      );
    const crowd = isCrowded
      ? STREAMS.flatMap((name) => RENDITIONS.map((made) => holding(name, 1, { rendition: made })))
      : [];
    const all = [...own, ...held, ...crowd].map(
      (each) => [`${each.stream}/${each.rendition}`, each] as const,
    );
    const holdings = [...new Map(all).values()];
    return server(idOf(index), {
      ...rest,
      site: `site-${site % siteCount}`,
      holdings,
      drain: draining ? DRAIN : null,
      beatAtMs: isDead ? NOW_MS - 5_000 : NOW_MS - 100,
    });
  });
  const wanted = servers.map(({ follows }, index) => {
    const list = follows.map(({ stream: which, rendition, parent }) => ({
      stream: STREAMS[which]!,
      rendition: RENDITIONS[rendition]!,
      parents: [{ id: idOf(parent), relayUrl: `http://${idOf(parent)}.example:8082` }],
    }));
    const follow = [...new Map(list.map((each) => [`${each.stream}/${each.rendition}`, each])).values()];
    return [idOf(index), { follows: follow, successors: {} }] as const;
  });
  return snapshot(known, records, { plan: Object.fromEntries(wanted.filter((_, index) => index % 5 !== 4)) });
}

const anyEgress = fc.constantFrom(0, 10, 50, 200, 1_000);
const random = draft({ egressMbps: anyEgress, faults: rarely }).map(snapshotOf);
const roomy = draft({ egressMbps: fc.constant(100_000), faults: fc.constant(false) }).map(snapshotOf);

/** Streams with an origin that lives and holds them, each with its renditions. */
function rooted(of: Snapshot): { record: StreamRecord; rendition: string }[] {
  return of.streams.flatMap((record) => {
    const origin = of.servers.find(({ id }) => id === record.origin);
    if (!origin || !isAlive(origin.beatAtMs, of)) return [];
    return record.renditions
      .filter(({ name }) =>
        origin.holdings.some((held) => held.stream === record.name && held.rendition === name),
      )
      .map(({ name }) => ({ record, rendition: name }));
  });
}

/** The way from a server up to the one that follows nobody, or too long a way if it never ends. */
function wayUp(parents: ReadonlyMap<string, string>, from: string): string[] {
  const way = [from];
  for (let id = parents.get(from); id !== undefined && way.length <= parents.size + 1; id = parents.get(id))
    way.push(id);
  return way;
}

function forEachTree(
  of: Snapshot,
  made: Plan,
  check: (tree: {
    parents: Map<string, string>;
    origin: string;
    servers: Map<string, KnownServer>;
    /** Living servers with viewers of it. */
    watched: Set<string>;
    stream: string;
    rendition: string;
  }) => void,
): void {
  const servers = new Map(of.servers.map((each) => [each.id, each]));
  for (const { record, rendition } of rooted(of))
    check({
      watched: watchedIn(of, record.name, rendition),
      parents: parentsIn(made, record.name, rendition),
      origin: record.origin,
      servers,
      stream: record.name,
      rendition,
    });
}

function watchedIn(of: Snapshot, name: string, rendition: string): Set<string> {
  const living = of.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, of));
  const watched = living.filter(({ holdings }) =>
    holdings.some((held) => held.stream === name && held.rendition === rendition && held.viewers > 0),
  );
  return new Set(watched.map(({ id }) => id));
}

function mayHold(of: Snapshot, server: KnownServer | undefined): boolean {
  if (!server || !isAlive(server.beatAtMs, of)) return false;
  return !server.drain && !Object.hasOwn(of.drains, server.id) && server.roles.includes('edge');
}

/** Half of the sites are joined, each to the next, by links that carry three copies; hosts and uplinks are small. */
const NARROW: Topology = {
  ...NO_TOPOLOGY,
  sites: new Map(
    Array.from({ length: 12 }, (_, index) => [
      `site-${index}`,
      {
        name: `site-${index}`,
        position: { latitude: index, longitude: 7 * index },
        uplinks: [
          {
            kind: 'transit',
            name: 'transit',
            capacityMbps: 100,
            billing: { kind: 'volume', microUsdPerGb: 500 * index },
          },
        ],
        hosts: { 'host-of-s01': 30, 'host-of-s02': 300 },
      },
    ]),
  ),
  links: Array.from({ length: 6 }, (_, index) => ({
    sites: [`site-${index}`, `site-${index + 1}`] as const,
    capacityMbps: 12,
    microUsdPerGb: 1_000 * index,
    rttMs: 10,
  })),
};

const runs = { numRuns: 300 };

describe('in the plan of any snapshot', () => {
  test('every holder has a way up to the origin, without a circle', () => {
    fc.assert(
      fc.property(random, fc.boolean(), (before, isMapped) => {
        const made = plan(before, { topology: isMapped ? NARROW : NO_TOPOLOGY });
        forEachTree(before, made, ({ parents, origin }) => {
          for (const id of parents.keys()) expect(wayUp(parents, id).at(-1)).toBe(origin);
        });
      }),
      runs,
    );
  });

  test('no server has more children than the fan-out, but for those that drain and have no other place', () => {
    fc.assert(
      fc.property(random, (before) => {
        forEachTree(before, plan(before), ({ parents, servers }) => {
          const lasting = [...parents].filter(([id]) => mayHold(before, servers.get(id)));
          const counts = Map.groupBy(lasting, ([, parent]) => parent);
          for (const children of counts.values()) expect(children.length).toBeLessThanOrEqual(FANOUT);
        });
      }),
      runs,
    );
  });

  test('nobody follows a server that is dead, drains or is no edge, and such a one follows only for its viewers', () => {
    fc.assert(
      fc.property(random, (before) => {
        forEachTree(before, plan(before), ({ parents, origin, servers, watched }) => {
          for (const [id, parent] of parents) {
            expect(parent === origin || mayHold(before, servers.get(parent))).toBe(true);
            expect(mayHold(before, servers.get(id)) || watched.has(id)).toBe(true);
          }
        });
      }),
      runs,
    );
  });

  test('a server with viewers is not left out, also when it drains', () => {
    fc.assert(
      fc.property(random, (before) => {
        forEachTree(before, plan(before), ({ parents, origin, watched }) => {
          for (const id of watched) if (id !== origin) expect(parents.has(id)).toBe(true);
        });
      }),
      runs,
    );
  });

  test('a stream comes into each site once, and into that of its origin never', () => {
    fc.assert(
      fc.property(random, fc.boolean(), (before, isMapped) => {
        const made = plan(before, { topology: isMapped ? NARROW : NO_TOPOLOGY });
        forEachTree(before, made, ({ parents, origin, servers }) => {
          const site = (id: string): string => servers.get(id)!.site;
          const homes = new Set(
            [origin, ...parents.keys()]
              .filter((id) => id === origin || mayHold(before, servers.get(id)))
              .map(site),
          );
          const entered = [...parents]
            .filter(([id, parent]) => site(id) !== site(parent))
            .map(([id]) => site(id))
            // Where nobody else is to have it, those that drain come in by themselves.
            .filter((name) => homes.has(name));
          expect(new Set(entered).size).toBe(entered.length);
          expect(entered).not.toContain(site(origin));
        });
      }),
      runs,
    );
  });

  test('the second parent is another than the first, and neither the server itself nor below it', () => {
    fc.assert(
      fc.property(random, (before) => {
        const made = plan(before);
        forEachTree(before, made, ({ parents, origin, servers, stream: name, rendition }) => {
          const open = [...parents.keys()].filter((id) => mayHold(before, servers.get(id)));
          const inTree = new Set([origin, ...open]);
          for (const id of parents.keys()) {
            const follow = made[id]!.follows.find(
              (each) => each.stream === name && each.rendition === rendition,
            )!;
            const [first, second, ...more] = follow.parents.map((parent) => parent.id);
            expect(more).toEqual([]);
            const others = [...inTree].filter(
              (other) => other !== first && !wayUp(parents, other).includes(id),
            );
            if (second === undefined) expect(others).toEqual([]);
            else expect(others).toContain(second);
          }
        });
      }),
      runs,
    );
  });

  test('every living server has an entry, and nobody else', () => {
    fc.assert(
      fc.property(random, (before) => {
        const living = before.servers.filter(({ beatAtMs }) => isAlive(beatAtMs, before)).map(({ id }) => id);
        expect(Object.keys(plan(before)).sort()).toEqual(living);
      }),
      runs,
    );
  });

  test('a stream whose origin is gone stays as it was', () => {
    fc.assert(
      fc.property(random, (before) => {
        const made = plan(before);
        const lost = before.streams.filter(({ origin }) => {
          const found = before.servers.find(({ id }) => id === origin);
          return !found || !isAlive(found.beatAtMs, before);
        });
        const of = (follows: Plan[string]['follows'] | undefined, name: string) =>
          (follows ?? [])
            .filter((follow) => follow.stream === name)
            .sort((one, other) => (one.rendition < other.rendition ? -1 : 1));
        for (const { name, renditions } of lost)
          for (const id of Object.keys(made)) {
            const known = new Set(renditions.length > 0 ? renditions.map((each) => each.name) : RENDITIONS);
            const was = of(before.plan[id]?.follows, name).filter(({ rendition }) => known.has(rendition));
            expect(of(made[id]!.follows, name)).toEqual(was);
          }
      }),
      runs,
    );
  });

  test('the same snapshot has the same plan, and is left as it is', () => {
    fc.assert(
      fc.property(random, (before) => {
        const kept = structuredClone(before);
        expect(plan(before)).toEqual(plan(kept));
        expect(before).toEqual(kept);
      }),
      runs,
    );
  });

  test('the changes make the new plan of the old one, and there are none between equals', () => {
    fc.assert(
      fc.property(random, (before) => {
        const made = plan(before);
        const changes = changesOf(before.plan, made);
        const merged = Object.entries({ ...before.plan, ...changes }).filter(
          ([, assignment]) => assignment !== null,
        );
        expect(Object.fromEntries(merged)).toEqual(made);
        expect(changesOf(made, structuredClone(made))).toEqual({});
      }),
      runs,
    );
  });
});

function holdersIn(made: Plan): Set<string> {
  return new Set(
    Object.entries(made).flatMap(([id, { follows }]) =>
      follows.map((each) => `${each.stream}/${each.rendition} ${id}`),
    ),
  );
}

describe('a plan that is carried out', () => {
  test('is the next plan too, unless it dropped a copy that nobody uses', () => {
    fc.assert(
      fc.property(roomy, (before) => {
        const settled = settle(before);
        const made = plan(settled);
        expect(changesOf(settled.plan, made)).toEqual({});
      }),
      runs,
    );
  });

  test('comes to rest also where egress is short', () => {
    fc.assert(
      fc.property(random, (before) => {
        let now = before;
        let turns = 0;
        for (let made = plan(now); Object.keys(changesOf(now.plan, made)).length > 0; made = plan(now)) {
          now = carriedOut(now, made);
          turns += 1;
          expect(turns).toBeLessThan(before.servers.length + 5);
        }
      }),
      runs,
    );
  });

  /** Every plan may drop one copy of each rendition; beyond that the first is already right. */
  function settle(before: Snapshot): Snapshot {
    let now = before;
    for (let turn = 0; ; turn++) {
      const made = plan(now);
      const dropped = holdersIn(now.plan).difference(holdersIn(made));
      now = carriedOut(now, made);
      if (dropped.size === 0) return now;
      if (turn > now.servers.length + 1) throw new Error('it never comes to rest');
    }
  }
});

describe('with room enough', () => {
  test('a server that dies changes the parents of its children, and of whom that would put too deep', () => {
    fc.assert(
      fc.property(roomy, fc.nat(40), (before, choice) => {
        const watched = everybodyWatches(before);
        const first = plan(watched);
        const now = carriedOut(watched, first);
        const inner = [...new Set(now.streams.flatMap(({ name }) => [...parentsIn(first, name).values()]))]
          .filter((id) => !now.streams.some(({ origin }) => origin === id))
          .sort();
        fc.pre(inner.length > 0);
        const dead = inner[choice % inner.length]!;
        const without = { ...now, servers: now.servers.filter(({ id }) => id !== dead) };
        const second = plan(without);
        for (const { name } of now.streams) {
          const was = parentsIn(first, name);
          const is = parentsIn(second, name);
          for (const [id, parent] of was) {
            const isTooDeep = wayUp(is, parent).length > deepestLevel(is.size);
            if (id !== dead && parent !== dead && !isTooDeep) expect(is.get(id)).toBe(parent);
          }
        }
      }),
      runs,
    );
  });

  function everybodyWatches(of: Snapshot): Snapshot {
    const servers = of.servers.map((each) => ({
      ...each,
      holdings: of.streams.flatMap(({ name, renditions }) =>
        renditions.map((made) => holding(name, 2, { rendition: made.name })),
      ),
    }));
    return { ...of, servers, plan: {} };
  }
});
