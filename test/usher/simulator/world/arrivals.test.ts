import { expect, test } from 'vitest';
import type { Scenario } from '../../../../usher/simulator/scenario.ts';
import { type Arrival, arrivalsIn } from '../../../../usher/simulator/world/arrivals.ts';
import { prepareGround } from '../../../../usher/simulator/world/ground.ts';
import { scenario } from '../../../tools/media/scenarios.ts';

function arrivals(changes: Partial<Scenario>, seed = 1): Arrival[] {
  return [...arrivalsIn(prepareGround(scenario(changes), seed))];
}

/** How many watch at a minute after the warm-up of one. */
function watching(all: readonly Arrival[], minute: number): number {
  const atMs = (minute + 1) * 60_000;
  return all.filter((each) => each.atMs <= atMs && each.leavesAtMs > atMs).length;
}

test('they come in order of time, and the same for one seed', () => {
  const changes = { arrivals: [{ kind: 'steady', viewers: 500, minutes: 5 }] } as const;
  const all = arrivals(changes);
  const times = all.map(({ atMs }) => atMs);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  const described = (seed: number): string =>
    arrivals(changes, seed)
      .map(({ atMs, stream, group, leavesAtMs }) => [atMs, stream.name, group.index, leavesAtMs].join(' '))
      .join('\n');
  expect(described(1)).toBe(described(1));
  expect(described(1)).not.toBe(described(2));
});

test('a steady audience is there from the end of the warm-up on', () => {
  const all = arrivals({ arrivals: [{ kind: 'steady', viewers: 2_000, minutes: 4 }] });
  for (const minute of [0, 5, 10]) expect(watching(all, minute) / 2_000).toBeCloseTo(1, 1);
});

test('a day has the mean and the peak that it is given', () => {
  const asked = { kind: 'day', meanViewers: 1_000, peakViewers: 2_400, peakHour: 20, minutes: 15 } as const;
  const all = arrivals({ minutes: 1_440, warmupMinutes: 1, arrivals: [asked] });
  const byHour = Array.from({ length: 24 }, (_, hour) => watching(all, hour * 60));
  expect(byHour.indexOf(Math.max(...byHour))).toBe(20);
  expect(byHour[20]! / 2_400).toBeCloseTo(1, 1);
  expect(byHour.reduce((sum, count) => sum + count, 0) / 24 / 1_000).toBeCloseTo(1, 1);
});

test('a crowd comes to one stream within its rise, slowly first and last', () => {
  const asked = {
    kind: 'crowd',
    stream: 2,
    atS: 60,
    riseS: 60,
    viewers: 10_000,
    shape: 'logistic',
    minutes: 60,
  } as const;
  const all = arrivals({ arrivals: [asked] });
  const seconds = all.map(({ atMs }) => atMs / 1000 - 60);
  expect(all.length / 10_000).toBeCloseTo(1, 1);
  expect(Math.min(...seconds)).toBeGreaterThanOrEqual(60);
  expect(Math.max(...seconds)).toBeLessThan(120);
  expect(seconds.filter((second) => second < 80).length / all.length).toBeLessThan(0.05);
  expect(new Set(all.map(({ stream }) => stream.name))).toEqual(new Set(['stream-0002']));
});

test('the first streams are watched most, and more by the audience of their broadcaster', () => {
  const all = arrivals({
    streams: { count: 100, zipf: 1, bitrates: [{ mbps: 2, share: 1 }], homeShare: 0.8 },
    arrivals: [{ kind: 'steady', viewers: 5_000, minutes: 5 }],
  });
  const ofRank = (rank: number): Arrival[] => all.filter(({ stream }) => stream.index === rank - 1);
  expect(ofRank(1).length / ofRank(10).length).toBeCloseTo(10, -1);
  const first = ofRank(1);
  const home = first.filter(({ stream, group }) => group.audience === stream.home);
  expect(home.length / first.length).toBeCloseTo(0.9, 1);
});

test('a trace brings whom it says', () => {
  const rows = [
    { second: 30, stream: 3, audience: 'us', minutes: 2 },
    { second: 2.5, stream: 1, audience: 'nl', minutes: 1 },
  ];
  const all = arrivals({ arrivals: [{ kind: 'trace', rows }] });
  expect(
    all.map(({ atMs, stream, group, leavesAtMs }) => [atMs, stream.name, group.audience.name, leavesAtMs]),
  ).toEqual([
    [62_500, 'stream-0001', 'nl', 122_500],
    [90_000, 'stream-0003', 'us', 210_000],
  ]);
});
