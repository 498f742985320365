import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BASELINES } from '../../../../usher/simulator/choosers/baselines.ts';
import type { Result } from '../../../../usher/simulator/measures/result.ts';
import type { Happening, Scenario } from '../../../../usher/simulator/scenario.ts';
import type { Meter } from '../../../../usher/simulator/world/meter.ts';
import { type Server, transitOf } from '../../../../usher/simulator/world/plant.ts';
import type { Viewer } from '../../../../usher/simulator/world/viewer.ts';
import { type MakeChooser, World } from '../../../../usher/simulator/world/world.ts';
import { comers, scenario, type Told, told } from '../../../tools/media/scenarios.ts';

function run(changes: Partial<Scenario>, policy: Told = {}): Result {
  return new World(scenario(changes), 1, told(policy)).run();
}

/** Six, of 200 ms each, with half a second between two. */
const TRIES_S = 3.7;

describe('a viewer', () => {
  test('is served for as long as it stays, less the time to join', () => {
    const { viewers, distance } = run({ arrivals: [comers(30)] });
    expect(viewers.arrived).toBe(30);
    expect(viewers.ownHours).toBeCloseTo((30 * (120 - 0.2)) / 3600, 9);
    expect(distance.meanKm).toBeCloseTo(33, 0);
  });

  test('is sent by the peering with its network, and by transit where there is none', () => {
    const world = new World(scenario({ arrivals: [comers(40)] }), 1, told());
    world.ground.events.runUntil(90_000);
    const [peers, transit] = world.ground.plant.sites[0]!.uplinks.map(({ meter }) => meter.loadKbps);
    expect(peers! + transit!).toBe(40 * 2_000);
    expect(peers! / 80_000).toBeCloseTo(0.5, 0);
  });

  test('is refused by a server with a guard that is full, while others without one send too much', () => {
    const guarded = run({ arrivals: [comers(60)] }, { hasGuard: true });
    expect(guarded.over).toMatchObject({ seconds: 0, worstPercent: 100 });
    expect(guarded.viewers.refusedWithRoom).toBe(10);
    expect(guarded.viewers.refusedHours).toBeCloseTo((10 * (120 - TRIES_S)) / 3600, 9);
    const open = run({ arrivals: [comers(60)] });
    expect(open.over.worstPercent).toBe(120);
    expect(open.over.secondsBy.server).toBeCloseTo(120 - 0.2, 6);
    expect(open.over.lostHours).toBeCloseTo((10 * (120 - 0.2)) / 3600, 9);
    expect(open.viewers.refused).toBe(0);
  });

  test('that was refused lacks what it would have watched until the end, and no more', () => {
    const { viewers } = run({ arrivals: [comers(60, { second: 300, minutes: 30 })] }, { hasGuard: true });
    expect(viewers.refusedHours).toBeCloseTo((10 * (300 - TRIES_S)) / 3600, 9);
    expect(viewers.unservedPercent).toBeCloseTo(16.5, 1);
  });

  test('of a server that is to send too much loads its uplinks with no more than it can send', () => {
    const world = new World(scenario({ arrivals: [comers(60)] }), 1, told());
    const { events, plant } = world.ground;
    const load = (): number => plant.sites[0]!.uplinks.reduce((sum, { meter }) => sum + meter.loadKbps, 0);
    events.runUntil(90_000);
    expect(plant.servers[0]!.card.loadKbps).toBe(120_000);
    expect(load()).toBe(100_000);
    events.runUntil(60_000 + 125_000);
    expect(load()).toBe(0);
  });

  test('goes to the next of its pathways when the first has no room', () => {
    const { viewers, over } = run(
      { arrivals: [comers(60)] },
      {
        hasGuard: true,
        choose: (_viewer, _avoid, { plant }) =>
          plant.servers.slice(0, 2).map((server) => ({ kind: 'server', server })),
      },
    );
    expect(viewers).toMatchObject({ refused: 0, turnedAway: 10 });
    expect(over.seconds).toBe(0);
  });

  test('may be served by a CDN, that pulls the stream once and is paid by volume', () => {
    const { viewers, cost } = run(
      { arrivals: [comers(30)] },
      {
        choose: (_viewer, _avoid, { plant }) => [
          { kind: 'cdn', cdn: plant.cdns[0]!, shields: [plant.servers[0]!] },
        ],
      },
    );
    expect(viewers.cdnHours).toBeCloseTo((30 * (120 - 0.2)) / 3600, 9);
    expect(viewers.onCdnWithRoom).toBe(30);
    expect(cost.cdn).toBeCloseTo(((30 * 2_000 * (120 - 0.2)) / 8e6) * 20_000, 3);
  });
});

describe('a copy', () => {
  test('takes its time, and its parent and the link to it carry it until a while after its last viewer', () => {
    const last: Told = {
      choose: (_viewer, _avoid, { plant }) => [{ kind: 'server', server: plant.servers[3]! }],
    };
    const world = new World(scenario({ arrivals: [comers(5)] }), 1, told(last));
    const { plant, streams, events } = world.ground;
    const [stream] = streams;
    const fromAms = stream!.origin!.site.site.name === 'ams';
    const link = plant.links.get(fromAms ? 'ams/nyc' : 'nyc/ams')!.meter;
    events.runUntil(61_000);
    const copy = plant.servers[3]!.copies.get(stream!)!;
    expect(copy.readyAtMs).toBe(61_200);
    expect(copy.viewers).toBe(5);
    expect(stream!.origin!.card.loadKbps).toBe(2_000);
    expect(link.loadKbps).toBe(fromAms ? 2_000 : 0);
    events.runUntil(60_000 + 120_000 + 900);
    expect(plant.servers[3]!.copies.has(stream!)).toBe(true);
    events.runUntil(60_000 + 120_000 + 1_001);
    expect(plant.servers[3]!.copies.has(stream!)).toBe(false);
    expect(stream!.origin!.card.loadKbps).toBe(0);
  });
});

describe('when a server', () => {
  const toOpen: Told = {
    choose: (_viewer, avoid, { plant }) => {
      const server = plant.servers.find((each) => each.isOpen && !avoid.includes(each));
      return server ? [{ kind: 'server', server }] : [];
    },
  };

  test('fails, its viewers ask again and its broadcasts come to another', () => {
    const events: Happening[] = [{ kind: 'server fails', server: 'ams-1', atS: 30, forS: 30 }];
    const world = new World(scenario({ arrivals: [comers(20)], events }), 1, told(toOpen));
    const { viewers } = world.run();
    expect(viewers.interruptedByFailures).toBe(20);
    expect(viewers.ownHours).toBeCloseTo((20 * (120 - 0.2 - 0.5 - 0.2)) / 3600, 9);
    expect(world.ground.streams.every(({ origin }) => origin?.isUp)).toBe(true);
  });

  test('is drained, those who are still there at the deadline are cut off', () => {
    const events: Happening[] = [{ kind: 'drain', server: 'ams-1', atS: 30, deadlineS: 60, downS: 30 }];
    const { viewers } = run({ arrivals: [comers(7), comers(5, { second: 40 })], events }, toOpen);
    expect(viewers.interruptedByDrains).toBe(7);
    expect(viewers.refused).toBe(0);
  });
});

test('a rolling restart takes every server once, so many at a time', () => {
  const events: Happening[] = [{ kind: 'rolling restart', atS: 0, atOnce: 2, deadlineS: 60, downS: 30 }];
  const world = new World(scenario({ events }), 1, told());
  const { events: time, plant } = world.ground;
  const down = (second: number): string[] => {
    time.runUntil(60_000 + second * 1000);
    return plant.servers.filter(({ isUp }) => !isUp).map(({ id }) => id);
  };
  expect([down(59), down(61), down(91), down(149), down(151), down(181)]).toEqual([
    [],
    ['ams-1', 'ams-2'],
    [],
    [],
    ['nyc-1', 'nyc-2'],
    [],
  ]);
});

const second = fc.nat(400);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constant('server fails' as const),
    server: fc.constantFrom('ams-1', 'ams-2', 'nyc-1', 'nyc-2'),
    atS: second,
    forS: second,
  }),
  fc.record({
    kind: fc.constant('site fails' as const),
    site: fc.constantFrom('ams', 'nyc'),
    atS: second,
    forS: second,
  }),
  fc.record({
    kind: fc.constant('link fails' as const),
    sites: fc.constant(['ams', 'nyc'] as [string, string]),
    atS: second,
    forS: second,
  }),
  fc.record({
    kind: fc.constant('drain' as const),
    server: fc.constantFrom('ams-1', 'nyc-2'),
    atS: second,
    deadlineS: fc.integer({ min: 1, max: 100 }),
    downS: second,
  }),
);

describe.each([...BASELINES])('whatever happens under %s', (_name, make) => {
  test('every viewer is asking, served, on a CDN, refused or gone, and all that is sent is to somebody', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(happening, { maxLength: 4 }), (seed, events) => {
        const arrivals: Scenario['arrivals'] = [
          { kind: 'steady', viewers: 150, minutes: 3 },
          { kind: 'crowd', stream: 2, atS: 50, riseS: 20, viewers: 100, shape: 'even', minutes: 2 },
        ];
        const asked = new Set<Viewer>();
        const world = new World(scenario({ minutes: 7, arrivals, events }), seed, noting(make, asked));
        world.run();
        expect(viewersAstray(world, asked)).toEqual([]);
        expect(loadsIn(world)).toEqual(loadsByHand(world));
      }),
      { numRuns: 5 },
    );
  });
});

function noting(make: MakeChooser, asked: Set<Viewer>): MakeChooser {
  return (ground) => {
    const chooser = make(ground);
    const choose = chooser.choose.bind(chooser);
    chooser.choose = (viewer, avoid) => {
      asked.add(viewer);
      return choose(viewer, avoid);
    };
    return chooser;
  };
}

function viewersAstray({ sessions, ground }: World, asked: ReadonlySet<Viewer>): string[] {
  const isRight = (viewer: Viewer): boolean => {
    const { state, server, cdn, stream } = viewer;
    if (sessions.here.has(viewer) !== viewer.isHere) return false;
    if (state === 'left') return viewer.leavesAtMs <= ground.events.nowMs;
    if (state === 'served')
      return server?.isUp === true && server.copies.get(stream)?.audience.has(viewer) === true && !cdn;
    return !server && (state === 'overflowed') === (cdn !== undefined);
  };
  return [...asked].filter((viewer) => !isRight(viewer)).map(({ id, state }) => `${id} ${state}`);
}

function loadsIn({ ground }: World): Record<string, number> {
  return Object.fromEntries([...ground.plant.meters()].map(({ name, loadKbps }) => [name, loadKbps]));
}

function loadsByHand({ ground, sessions }: World): Record<string, number> {
  const { plant, streams } = ground;
  const loads = Object.fromEntries([...plant.meters()].map(({ name }) => [name, 0]));
  const send = (meter: Meter, kbps: number): void => {
    loads[meter.name]! += kbps;
  };
  const wanted = new Map<Server, Map<Meter, number>>();
  for (const { server, group, stream } of sessions.here) {
    if (!server) continue;
    send(server.card, stream.kbps);
    const { meter } = group.roads[server.site.index]!.uplink;
    const ofServer = wanted.getOrInsertComputed(server, () => new Map());
    ofServer.set(meter, (ofServer.get(meter) ?? 0) + stream.kbps);
  }
  for (const { copies, kbps } of streams)
    for (const { parent, server } of copies) {
      if (!parent) continue;
      send(parent.server.card, kbps);
      const link = plant.linkFrom(parent.server, server);
      if (parent.server.site !== server.site)
        send((link ?? transitOf(parent.server.site.uplinks)).meter, kbps);
    }
  for (const [{ card }, uplinks] of wanted) {
    const share = Math.min(1, card.capacityKbps / loads[card.name]!);
    for (const [meter, kbps] of uplinks) send(meter, Math.round(kbps * share));
  }
  return loads;
}
