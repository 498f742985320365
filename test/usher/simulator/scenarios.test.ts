import { describe, expect, test } from 'vitest';
import { BASELINES } from '../../../usher/simulator/choosers/baselines.ts';
import { Headwater } from '../../../usher/simulator/choosers/headwater/headwater.ts';
import type { Result } from '../../../usher/simulator/measures/result.ts';
import type { ArrivalsAsked, Happening, Scenario } from '../../../usher/simulator/scenario.ts';
import { readScenario } from '../../../usher/simulator/scenario-file.ts';
import { type MakeChooser, World } from '../../../usher/simulator/world/world.ts';

const FOLDER = 'usher/simulator/scenarios';
/** Servers that are left of a scenario, of all sites together; of all else there is left as much of each. */
const SERVERS = 10;
const MINUTES = 4;

/** The others of the folder are networks, or small already. */
const NAMES = ['congested-peer', 'flash-crowd', 'justintv-day', 'lost-site', 'rolling-restart'];
/** Those who serve viewers from about as near as we do. */
const OTHERS = ['mist', 'catalyst', 'moq'];

const ours: MakeChooser = (ground) => new Headwater(ground, { name: 'headwater' });

describe.each(NAMES)('a small %s', (name) => {
  const scenario = small(readScenario(`${FOLDER}/${name}.yaml`));
  const result = new World(scenario, 1, ours).run();

  test('takes nothing over its capacity, and refuses nobody while there is room', () => {
    expect(result.viewers.arrived).toBeGreaterThan(100);
    expect([result.over.seconds, result.viewers.refusedWithRoom]).toEqual([0, 0]);
  });

  test('has at most half as many copies again as its viewers need where they are served', () => {
    expect(result.copies.overFewestAtSites).toBeLessThan(1.5);
  });

  test('costs less than with whoever serves viewers from as near, were a CDN to serve those whom they do not', () => {
    const others = OTHERS.map((other) => new World(scenario, 1, BASELINES.get(other)!).run());
    const cheaper = others.filter(
      (other) => isAsNear(other, result) && other.cost.perHourOfAll! <= result.cost.perHourOfAll!,
    );
    expect(cheaper.map(({ policy }) => policy)).toEqual([]);
  });
});

function isAsNear(other: Result, { distance }: Result): boolean {
  return other.distance.meanRttMs <= distance.meanRttMs;
}

function small(scenario: Scenario): Scenario {
  const { topology } = scenario;
  const scale = scenario.servers.reduce((sum, { count }) => sum + count, 0) / SERVERS;
  const sites = [...topology.sites].map(([name, site]) => {
    const uplinks = site.uplinks.map((uplink) => ({ ...uplink, capacityMbps: uplink.capacityMbps / scale }));
    return [name, { ...site, uplinks }] as const;
  });
  const links = topology.links.map((link) => ({ ...link, capacityMbps: link.capacityMbps / scale }));
  return {
    ...scenario,
    minutes: MINUTES,
    warmupMinutes: 2,
    topology: { ...topology, sites: new Map(sites), links },
    servers: scenario.servers.map((each) => ({ ...each, count: Math.ceil(each.count / scale) })),
    streams: { ...scenario.streams, count: Math.ceil(scenario.streams.count / scale) },
    arrivals: scenario.arrivals.map((asked) => fewer(asked, scale)),
    events: scenario.events.map((happening) => soon(happening)),
  };
}

/** A day is its busiest hour, and a crowd comes after half a minute. */
function fewer(asked: ArrivalsAsked, scale: number): ArrivalsAsked {
  switch (asked.kind) {
    case 'day':
      return { kind: 'steady', viewers: asked.peakViewers / scale, minutes: asked.minutes };
    case 'steady':
      return { ...asked, viewers: asked.viewers / scale };
    case 'crowd':
      return {
        ...asked,
        stream: Math.ceil(asked.stream / scale),
        atS: 30,
        riseS: Math.min(asked.riseS, 120),
        viewers: asked.viewers / scale,
      };
    case 'trace':
      return asked;
  }
}

function soon(happening: Happening): Happening {
  if (happening.kind === 'rolling restart') return { ...happening, atOnce: 1, deadlineS: 20 };
  return { ...happening, atS: 60, ...('forS' in happening ? { forS: 90 } : {}) };
}
