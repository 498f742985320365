import { describe, expect, test } from 'vitest';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { changesOf } from '../../usher/plan/changes.ts';
import { PLAN_MS } from '../../usher/plan/demand.ts';
import { PlanMemory } from '../../usher/plan/memory.ts';
import { plan } from '../../usher/planner.ts';
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

/** An origin and edges of 100 Mbps: 25 viewers of 4 Mbps are one too many for each, 20 are what it is filled to. */
function cluster(edges: number, sites: readonly string[] = ['fra1']): Snapshot {
  const origin = server('origin', {
    roles: ['origin'],
    egressMbps: 100,
    site: sites[0]!,
    holdings: [holding('alice')],
  });
  const others = Array.from({ length: edges }, (_, index) =>
    server(`edge-${String(index).padStart(2, '0')}`, { egressMbps: 100, site: sites[index % sites.length]! }),
  );
  return snapshot([origin, ...others], [stream('alice', 'origin')]);
}

function change(of: Snapshot, id: string, changes: (server: KnownServer) => Partial<KnownServer>): Snapshot {
  return {
    ...of,
    servers: of.servers.map((each) => (each.id === id ? { ...each, ...changes(each) } : each)),
  };
}

/** Viewers on a server that holds the stream, and what it sends to them. */
function withViewers(of: Snapshot, id: string, viewers: number, arrivalsPerS = 0): Snapshot {
  return change(of, id, ({ sentMbps, holdings }) => ({
    sentMbps: sentMbps + (viewers - (holdings.find((held) => held.stream === 'alice')?.viewers ?? 0)) * 4,
    holdings: [
      ...holdings.filter((held) => held.stream !== 'alice'),
      holding('alice', viewers, { arrivalsPerS }),
    ],
  }));
}

const settled = (of: Snapshot): Snapshot => carriedOut(of, plan(of));
const later = (of: Snapshot, ms: number): Snapshot => ({
  ...of,
  nowMs: of.nowMs + ms,
  servers: of.servers.map((each) => ({ ...each, beatAtMs: each.beatAtMs + ms })),
});
const holdersOf = (of: Snapshot): string[] => [...parentsIn(of.plan, 'alice').keys()].sort();

function depthOf(of: Snapshot): number {
  const parents = parentsIn(of.plan, 'alice');
  const depth = (id: string): number => (parents.has(id) ? 1 + depth(parents.get(id)!) : 0);
  return Math.max(0, ...[...parents.keys()].map(depth));
}

describe('servers of one machine', () => {
  test('have a stream from one another, once it has come to one of them', () => {
    const onHost = (of: Snapshot, id: string): Snapshot => change(of, id, () => ({ host: 'machine' }));
    const before = ['edge-00', 'edge-01'].reduce(onHost, cluster(3));
    const ids = ['edge-00', 'edge-01', 'edge-02'];
    const watched = ids.reduce((of, id) => withViewers(of, id, 10), before);
    const parents = parentsIn(plan(watched), 'alice');
    expect(ids.map((id) => parents.get(id))).toEqual(['origin', 'edge-00', 'origin']);
  });
});

describe('a stream that nobody watches', () => {
  test('stays on its origin, and every server learns that it is to follow nothing', () => {
    expect(plan(cluster(2))).toEqual({
      'edge-00': { follows: [], successors: {} },
      'edge-01': { follows: [], successors: {} },
      origin: { follows: [], successors: {} },
    });
  });

  test('is copied once as soon as somebody asked a server for it', () => {
    const now = settled(withViewers(cluster(5), 'edge-03', 1));
    expect(holdersOf(now)).toEqual(['edge-03']);
    expect(now.plan['edge-03']!.follows).toEqual([
      {
        stream: 'alice',
        rendition: 'source',
        parents: [{ id: 'origin', relayUrl: 'http://origin.example:8082' }],
      },
    ]);
  });
});

describe('growth', () => {
  test('a crowd that fills 16 servers has 20 within five plans, in a tree of at most four levels', () => {
    let now = settled(withViewers(cluster(30), 'edge-00', 5, 10));
    let plans = 1;
    for (let watching = 5; holdersOf(now).length < 20; plans++) {
      watching += 70;
      expect(plans).toBeLessThan(6);
      const holders = holdersOf(now);
      for (const id of holders)
        now = withViewers(now, id, Math.min(18, Math.ceil(watching / holders.length)), 50 / holders.length);
      now = settled(now);
    }
    expect(plans).toBeLessThanOrEqual(5);
    expect(depthOf(now)).toBeLessThanOrEqual(4);
    expect(changesOf(now.plan, plan(now))).toEqual({});
  });

  test('arrivals alone bring the copies that they will fill by the time that these are made', () => {
    // (1 viewer + 20 arrivals per second x 5.2) x 4 Mbps are 420 Mbps; each has 85, and the origin feeds four.
    const now = settled(withViewers(cluster(10), 'edge-00', 1, 20));
    expect(holdersOf(now)).toHaveLength(5);
  });

  test('takes no more servers than carry the crowd, the strongest first', () => {
    const strong = change(cluster(5), 'edge-04', () => ({ egressMbps: 1_000 }));
    const now = settled(withViewers(strong, 'edge-00', 1, 20));
    expect(holdersOf(now)).toEqual(['edge-00', 'edge-04']);
  });

  test('counts an origin that serves viewers, and leaves the others alone as long as it carries them', () => {
    const both = change(cluster(5), 'origin', () => ({ roles: ['origin', 'edge'] }));
    expect(holdersOf(settled(withViewers(both, 'origin', 15)))).toEqual([]);
    expect(holdersOf(settled(withViewers(both, 'origin', 15, 3)))).toHaveLength(1);
  });

  test('does not promise to two streams what a server has once', () => {
    const bob = stream('bob', 'origin');
    let now: Snapshot = { ...cluster(4), streams: [stream('alice', 'origin'), bob] };
    const crowd = (name: string) => holding(name, 1, { arrivalsPerS: 2.8 });
    now = change(now, 'origin', () => ({ holdings: [holding('alice'), holding('bob')] }));
    now = change(now, 'edge-00', () => ({ sentMbps: 8, holdings: [crowd('alice'), crowd('bob')] }));
    const made = plan(now);
    // Each wants 60 of the 80 Mbps of one server: the first stays where it is, the second needs one more.
    expect([...parentsIn(made, 'alice').keys()]).toEqual(['edge-00']);
    expect([...parentsIn(made, 'bob').keys()]).toHaveLength(2);
  });
});

describe('shrinking', () => {
  const crowded = settled(withViewers(cluster(10), 'edge-00', 10, 20));

  /** How many hold the stream after each of so many turns. */
  function turns(of: Snapshot, count: number): { counts: number[]; now: Snapshot } {
    const memory = new PlanMemory();
    const counts: number[] = [];
    let now = of;
    for (let turn = 0; turn < count; turn++) {
      now = later(carriedOut(now, plan(now, { memory })), PLAN_MS);
      counts.push(holdersOf(now).length);
    }
    return { counts, now };
  }

  test('takes one copy at a time, never one with viewers, and none before it was of no use for a while', () => {
    expect(holdersOf(crowded)).toHaveLength(6);
    const watched = holdersOf(crowded)[2]!;
    const { counts, now } = turns(withViewers(withViewers(crowded, 'edge-00', 10), watched, 1), 600);
    expect(counts.slice(0, 20)).toEqual(Array(20).fill(6));
    expect(counts.every((count, turn) => count >= (counts[turn - 1] ?? 6) - 1)).toBe(true);
    expect(holdersOf(now)).toEqual(['edge-00', watched].sort());
  });

  test('is the slower, the fewer copies there are too many', () => {
    const { counts } = turns(withViewers(crowded, 'edge-00', 10), 600);
    const steps = [5, 4, 3, 2, 1].map((count) => counts.indexOf(count));
    const waits = steps.map((step, at) => step - (steps[at - 1] ?? 0));
    expect(waits).toEqual(waits.toSorted((one, other) => one - other));
    expect(waits.at(-1)).toBe(60_000 / PLAN_MS);
  });

  test('does not begin for a pause of the crowd, nor for a demand that sways', () => {
    const { length } = holdersOf(crowded);
    expect(turns(withViewers(crowded, 'edge-00', 10, 1), 16).counts).toEqual(Array(16).fill(length));
    let now = crowded;
    for (const arrivals of [16, 20, 15, 19, 16]) {
      now = turns(withViewers(now, 'edge-00', 10, arrivals), 240).now;
      expect(holdersOf(now)).toHaveLength(length);
    }
  });
});

describe('two sites', () => {
  test('a crowd at both crosses between them once, also when the gateway dies', () => {
    let now = cluster(16, ['ams1', 'fra1']);
    for (let index = 0; index < 16; index++)
      now = withViewers(now, `edge-${String(index).padStart(2, '0')}`, 15);
    now = settled(now);
    const site = (id: string): string => now.servers.find((each) => each.id === id)!.site;
    const gateways = (): string[] =>
      [...parentsIn(now.plan, 'alice')].filter(([id, parent]) => site(id) !== site(parent)).map(([id]) => id);
    expect(holdersOf(now)).toHaveLength(16);
    const [gateway, ...more] = gateways();
    expect(more).toEqual([]);
    expect(site(gateway!)).toBe('fra1');
    now = settled(change(now, gateway!, () => ({ beatAtMs: NOW_MS - 3_000 })));
    expect(gateways()).toHaveLength(1);
    expect(gateways()).not.toContain(gateway);
    expect(holdersOf(now)).toHaveLength(15);
  });

  test('the next copy is made where the viewers are, before a stronger server elsewhere', () => {
    let now = change(cluster(8, ['ams1', 'fra1']), 'edge-02', () => ({ egressMbps: 110 }));
    now = settled(withViewers(now, 'edge-01', 10, 3));
    expect(holdersOf(now)).toEqual(['edge-01', 'edge-03']);
  });
});

describe('a server that drains', () => {
  function twelve(): Snapshot {
    let now = cluster(12);
    for (let index = 0; index < 12; index++)
      now = withViewers(now, `edge-${String(index).padStart(2, '0')}`, 10);
    return settled(now);
  }

  test('loses its children at once, each to another parent, and those alone move', () => {
    const before = twelve();
    const was = parentsIn(before.plan, 'alice');
    const inner = [...was.values()].find((id) => id !== 'origin')!;
    const after = settled(change(before, inner, () => ({ drain: DRAIN })));
    const is = parentsIn(after.plan, 'alice');
    expect(is.has(inner)).toBe(true);
    const moved = [...is].filter(([id, parent]) => id !== inner && parent !== was.get(id)).map(([id]) => id);
    expect(moved.sort()).toEqual(
      [...was]
        .filter(([, parent]) => parent === inner)
        .map(([id]) => id)
        .sort(),
    );
    expect(moved.length).toBeGreaterThan(0);
    expect([...is.values()]).not.toContain(inner);
  });

  test('has its viewers counted as demand for others', () => {
    const now = settled(change(withViewers(cluster(4), 'edge-00', 18), 'edge-00', () => ({ drain: DRAIN })));
    expect(holdersOf(now)).toEqual(['edge-00', 'edge-01']);
  });

  test('sends its viewers to whoever has the stream and room, once that is so, and stays with it', () => {
    let now = change(withViewers(cluster(4), 'edge-00', 18), 'edge-00', () => ({ drain: DRAIN }));
    const successor = (): unknown => plan(now)['edge-00']!.successors['alice'];
    expect(successor()).toBeUndefined();
    now = settled(now);
    expect(successor()).toEqual({ id: 'edge-01', mediaUrl: 'https://edge-01.example:8081' });
    now = withViewers(settled(now), 'edge-02', 1);
    now = change(withViewers(now, 'edge-01', 17), 'edge-00', () => ({ holdings: [holding('alice', 8)] }));
    expect(successor()).toMatchObject({ id: 'edge-01' });
    now = withViewers(now, 'edge-01', 25);
    expect(successor()).toMatchObject({ id: 'edge-02' });
  });

  test('is heard to drain from operators before it says so itself', () => {
    const now = { ...withViewers(cluster(2), 'edge-00', 5), drains: { 'edge-00': DRAIN } };
    expect(holdersOf(settled(now))).toEqual(['edge-00', 'edge-01']);
  });

  test('goes from the tree with its last viewer, and its successors are no longer spoken of', () => {
    let now = settled(change(withViewers(cluster(4), 'edge-00', 18), 'edge-00', () => ({ drain: DRAIN })));
    now = settled(withViewers(withViewers(now, 'edge-01', 18), 'edge-00', 0));
    expect(holdersOf(now)).toEqual(['edge-01']);
    expect(now.plan['edge-00']).toEqual({ follows: [], successors: {} });
  });

  test('is given back its place when it drains no more', () => {
    const drained = settled(
      change(withViewers(cluster(4), 'edge-00', 5), 'edge-00', () => ({ drain: DRAIN })),
    );
    const now = change(drained, 'edge-00', () => ({ drain: null }));
    expect(plan(now)['edge-00']!.successors).toEqual({});
    expect(parentsIn(plan(now), 'alice').get('edge-00')).toBe('origin');
  });

  test('feeds on as the origin: nobody else has the stream first', () => {
    const now = settled(change(withViewers(cluster(4), 'edge-00', 5), 'origin', () => ({ drain: DRAIN })));
    expect(parentsIn(now.plan, 'alice')).toEqual(new Map([['edge-00', 'origin']]));
  });
});

describe('a tree that somebody else has left', () => {
  /** Twelve watched edges whose parents are as given. */
  function left(parentOf: (index: number) => string): Snapshot {
    let now = cluster(12);
    const plan = now.servers.slice(0, 12).map(({ id }, index) => {
      const parents = [{ id: parentOf(index), relayUrl: `http://${parentOf(index)}.example:8082` }];
      return [id, { follows: [{ stream: 'alice', rendition: 'source', parents }], successors: {} }] as const;
    });
    for (const [id] of plan) now = withViewers(now, id, 5);
    return { ...now, plan: Object.fromEntries(plan) };
  }

  test('as a chain of twelve keeps its upper levels, and the rest comes up', () => {
    const chain = left((index) => (index === 0 ? 'origin' : `edge-${String(index - 1).padStart(2, '0')}`));
    const now = settled(chain);
    expect(depthOf(chain)).toBe(12);
    expect(depthOf(now)).toBe(4);
    const kept = [...parentsIn(now.plan, 'alice')].filter(
      ([id, parent]) => parentsIn(chain.plan, 'alice').get(id) === parent,
    );
    expect(kept.map(([id]) => id).slice(0, 4)).toEqual(['edge-00', 'edge-01', 'edge-02', 'edge-03']);
    expect(changesOf(now.plan, plan(now))).toEqual({});
  });

  test('with all below the origin keeps four there', () => {
    const star = left(() => 'origin');
    const parents = [...parentsIn(settled(star).plan, 'alice').values()];
    expect(parents).toHaveLength(12);
    expect(parents.filter((id) => id === 'origin')).toHaveLength(4);
  });

  test('as a circle without the origin is opened at one place', () => {
    const circle = left((index) => `edge-${String((index + 1) % 12).padStart(2, '0')}`);
    const parents = parentsIn(settled(circle).plan, 'alice');
    expect([...parents.values()]).toContain('origin');
    expect(parents.size).toBe(12);
  });
});

test('the children of one parent have different second parents, so that no one is asked by all', () => {
  let now = cluster(4);
  for (const id of ['edge-00', 'edge-01', 'edge-02', 'edge-03']) now = withViewers(now, id, 5);
  const made = plan(now);
  const seconds = ['edge-00', 'edge-01', 'edge-02', 'edge-03'].map(
    (id) => made[id]!.follows[0]!.parents[1]!.id,
  );
  expect(seconds).toEqual(['edge-01', 'edge-02', 'edge-03', 'edge-00']);
});

describe('when the origin fails', () => {
  const before = settled(withViewers(withViewers(cluster(6), 'edge-00', 10), 'edge-01', 10));

  test('the tree stays as it is, and dead servers are no longer spoken of', () => {
    const dead = change(before, 'origin', () => ({ beatAtMs: NOW_MS - 3_000 }));
    expect(changesOf(dead.plan, plan(dead))).toEqual({ origin: null });
  });

  test('the server that claimed the stream becomes its root, and those below it stay', () => {
    const claimed = change(before, 'origin', () => ({ beatAtMs: NOW_MS - 3_000 }));
    const after = settled({ ...claimed, streams: [stream('alice', 'edge-00', { term: 2 })] });
    expect(parentsIn(after.plan, 'alice')).toEqual(new Map([['edge-01', 'edge-00']]));
  });

  test('a broadcast that was claimed and is not yet announced changes nothing', () => {
    const claimed = { ...before, streams: [stream('alice', 'edge-05', { renditions: [] })] };
    expect(changesOf(claimed.plan, plan(claimed))).toEqual({});
  });
});

test('a plan that was lost is made again as it was, with copies that nobody watches yet', () => {
  let now = cluster(8, ['ams1', 'fra1']);
  for (const index of [1, 3, 5, 7]) now = withViewers(now, `edge-0${index}`, 15);
  now = settled(now);
  now = settled(change(now, 'edge-01', () => ({ beatAtMs: NOW_MS - 3_000 })));
  now = settled(change(now, 'edge-01', () => ({ beatAtMs: NOW_MS - 400 })));
  now = settled(withViewers(now, 'edge-03', 0));
  expect(parentsIn(now.plan, 'alice').get('edge-01')).toBe('edge-03');
  expect(plan({ ...now, plan: {} })).toEqual(now.plan);
});

test('renditions have trees of their own, each by its own bitrate', () => {
  const small = { ...SOURCE, name: '360p', averageBps: 500_000 };
  let now: Snapshot = {
    ...cluster(10),
    streams: [stream('alice', 'origin', { renditions: [SOURCE, small] })],
  };
  now = change(now, 'origin', () => ({
    holdings: [holding('alice'), holding('alice', 0, { rendition: '360p' })],
  }));
  const crowd = [
    holding('alice', 1, { arrivalsPerS: 10 }),
    holding('alice', 1, { arrivalsPerS: 10, rendition: '360p' }),
  ];
  const made = plan(change(now, 'edge-00', () => ({ holdings: crowd })));
  expect(parentsIn(made, 'alice').size).toBe(3);
  expect(parentsIn(made, 'alice', '360p').size).toBe(2);
});

test('a server whose egress is spent feeds nobody new', () => {
  let now = cluster(6);
  for (const id of ['edge-00', 'edge-01', 'edge-02', 'edge-03']) now = withViewers(now, id, 24);
  now = settled(withViewers(now, 'edge-04', 5));
  const fed = new Set(parentsIn(now.plan, 'alice').values());
  expect([...fed].filter((id) => ['edge-00', 'edge-01', 'edge-02', 'edge-03'].includes(id))).toEqual([]);
});
