import { describe, expect, test } from 'vitest';
import { BASELINES } from '../../../../usher/simulator/choosers/baselines.ts';
import type { Scenario } from '../../../../usher/simulator/scenario.ts';
import { World } from '../../../../usher/simulator/world/world.ts';
import { scenario } from '../../../tools/media/scenarios.ts';

/** One stream of 3 Mbps at one site, viewers who come evenly and stay. */
function crowded(servers: number, perS: number, seconds: number, egressMbps = 1_000): Scenario {
  const { topology } = scenario();
  const ams = topology.sites.get('ams')!;
  const uplinks = ams.uplinks.map((uplink) => ({ ...uplink, capacityMbps: 1e6 }));
  return scenario({
    topology: { ...topology, sites: new Map([['ams', { ...ams, uplinks }]]), links: [] },
    servers: [{ site: 'ams', count: servers, egressMbps, perHost: 1 }],
    streams: { count: 1, zipf: 1, bitrates: [{ mbps: 3, share: 1 }], homeShare: 0 },
    minutes: seconds / 60,
    arrivals: [
      {
        kind: 'crowd',
        stream: 1,
        atS: 0,
        riseS: seconds,
        viewers: perS * seconds,
        shape: 'even',
        minutes: 1e6,
      },
    ],
  });
}

function play(name: string, of: Scenario): World {
  return new World(of, 1, BASELINES.get(name)!);
}

describe('mist', () => {
  test('sprays a stream at 50 viewers a second over 40 idle servers within a quarter of a minute', () => {
    const world = play('mist', crowded(40, 50, 30, 1_073.7));
    world.ground.events.runUntil(75_000);
    expect(world.ground.streams[0]!.copies.size).toBe(40);
    const fills = world.ground.plant.servers.map(({ card }) => card.utilisation);
    expect(fills.reduce((sum, fill) => sum + fill, 0) / 40).toBeLessThan(0.06);
  });

  test('says that all is full while a fifth is free, when 500 viewers come a second', () => {
    const { viewers } = play('mist', crowded(40, 500, 30, 1_073.7)).run();
    const possible = (40 * 1_073.7) / 3;
    expect(viewers.refusedWithRoom).toBe(viewers.refused);
    expect(viewers.refused).toBeGreaterThan(1_000);
    expect((viewers.arrived - viewers.refused) / possible).toBeLessThan(0.9);
  });
});

describe('catalyst', () => {
  test.each([
    [20, 60, 110, 170],
    [200, 15, 200, 600],
  ])(
    'sends %i viewers a second to one server until it sees what became of it',
    (perS, seconds, least, most) => {
      const { over, viewers } = play('catalyst', crowded(10, perS, seconds)).run();
      expect(over.worstPercent).toBeGreaterThan(least);
      expect(over.worstPercent).toBeLessThan(most);
      expect(viewers.refused).toBe(0);
    },
  );
});

test('livekit-lowest sends all who come within its statistics’ age to one server, two choices share them', () => {
  const worst = (name: string): number => play(name, crowded(40, 400, 20)).run().over.worstPercent;
  expect(worst('livekit-lowest')).toBeGreaterThan(2 * worst('livekit-twochoice'));
});

test('moq follows the nearest copy, and crosses to another site once', () => {
  const all = scenario({ arrivals: [{ kind: 'steady', viewers: 60, minutes: 5 }] });
  const world = play('moq', all);
  world.ground.events.runUntil(5 * 60_000);
  for (const { copies } of world.ground.streams) {
    const crossings = [...copies].filter(
      (copy) => copy.parent && copy.parent.server.site !== copy.server.site,
    );
    expect(crossings.length).toBeLessThanOrEqual(1);
  }
});
