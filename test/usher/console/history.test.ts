import { describe, expect, test } from 'vitest';
import { tallyOf } from '../../../usher/console/figures/tally.ts';
import { Curve, STEP_MS } from '../../../usher/console/history/curve.ts';
import { History } from '../../../usher/console/history/history.ts';
import { CdnAudience } from '../../../usher/console/watch/cdn-audience.ts';
import { CdnRates } from '../../../usher/console/watch/cdn-rates.ts';
import { RecordingGaps } from '../../../usher/console/watch/recording-gaps.ts';
import { Stalls } from '../../../usher/console/watch/stalls.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';
import { lookAt } from '../../tools/cluster/looks.ts';

const COST = { transitMicroUsd: 12.5, linksMicroUsd: 0, cdnMicroUsd: 3 };
const point = (viewers: number) => ({ viewers, sentMbps: 1, cost: COST, stallRatio: undefined });

describe('a curve', () => {
  test('has what was seen, and nothing where nothing was', () => {
    const curve = new Curve();
    curve.add(100, point(1));
    curve.add(102, { ...point(3), stallRatio: 0.25 });
    expect(curve.read(103, NOW_MS)).toEqual({
      stepMs: STEP_MS,
      endMs: NOW_MS,
      viewers: [1, null, 3, null],
      sentMbps: [1, null, 1, null],
      transitMicroUsd: [12.5, null, 12.5, null],
      linksMicroUsd: [0, null, 0, null],
      cdnMicroUsd: [3, null, 3, null],
      stallRatio: [null, null, 0.25, null],
    });
  });

  test('goes back an hour', () => {
    const curve = new Curve();
    for (let step = 0; step < 1_000; step++) curve.add(step, point(step));
    const { viewers } = curve.read(999, NOW_MS);
    expect([viewers.length, viewers[0], viewers.at(-1)]).toEqual([360, 640, 999]);
    curve.add(5_000, point(7));
    expect(curve.read(5_000, NOW_MS).viewers).toEqual([7]);
  });
});

describe('the history', () => {
  const clusterWith = (viewers: number, names: readonly string[]) =>
    snapshot(
      [server('a', { sentMbps: 9, holdings: names.map((name) => holding(name, viewers)) })],
      names.map((name) => stream(name, 'a')),
    );
  const record = (
    history: History,
    step: number,
    viewers: number,
    names: readonly string[],
    stalls = new Stalls(),
  ) => {
    const look = lookAt(clusterWith(viewers, names));
    history.record(look, tallyOf(look.snapshot, look.topology), stalls.take(), step * STEP_MS);
  };

  test('has curves of the whole, of sites, servers and streams, with what players report', () => {
    const history = new History();
    const stalls = new Stalls();
    stalls.report({ stream: 'alice', server: 'a', site: 'fra1', playedMs: 30, stalledMs: 10 });
    record(history, 1, 5, ['alice'], stalls);
    record(history, 2, 6, ['alice']);
    for (const [kind, id] of [
      ['streams', 'alice'],
      ['servers', 'a'],
      ['sites', 'fra1'],
      ['cluster', undefined],
    ] as const)
      expect(history.of(kind, id)).toMatchObject({ viewers: [5, 6], stallRatio: [0.25, null] });
    expect(history.of('servers', 'a')?.sentMbps).toEqual([9, 9]);
    expect(history.of('streams', 'alice')?.sentMbps).toEqual([20, 24]);
    expect(history.of('streams', 'nobody')).toBeUndefined();
  });

  test('lets go of who was gone for an hour, and of streams that are gone when others come', () => {
    const history = new History();
    const names = (from: number) =>
      Array.from({ length: 500 }, (_, at) => `s${String(from + at).padStart(5, '0')}`);
    record(history, 1, 1, names(0));
    record(history, 2, 1, names(10_000));
    expect([history.of('streams', 's00000'), history.of('streams', 's10000')?.viewers]).toEqual([
      undefined,
      [1],
    ]);
    record(history, 400, 1, ['alice']);
    expect(history.of('streams', 's10000')).toBeUndefined();
  });
});

describe('viewers of CDNs', () => {
  const watching = (name: string, untilMs: number) => ({ stream: name, cdn: 'cdn', untilMs });

  test('are counted by stream while they ask again, also a little late, and go when they watch elsewhere', () => {
    const audience = new CdnAudience();
    audience.watch('v', watching('alice', 10_000));
    audience.watch('w', watching('alice', 12_000));
    audience.watch('w', watching('bob', 12_000));
    expect(audience.viewers(14_000)).toEqual(
      new Map([
        ['alice', new Map([['cdn', 1]])],
        ['bob', new Map([['cdn', 1]])],
      ]),
    );
    expect(audience.byCdn(15_000)).toEqual({ cdn: 1 });
    audience.leave('w');
    expect(audience.viewers(15_000).size).toBe(0);
  });
});

describe('what is spent on a CDN now', () => {
  const spent = (atS: number, microUsd: number) =>
    snapshot([], [], { nowMs: NOW_MS + atS * 1_000, spentMicroUsd: { cdn: microUsd } });

  test('is what the last minute added, by the hour', () => {
    const rates = new CdnRates();
    expect(rates.read(spent(0, 1_000)).get('cdn')).toBe(0);
    expect(rates.read(spent(30, 1_500)).get('cdn')).toBe(500 * 60);
    expect(rates.read(spent(60, 1_600)).get('cdn')).toBe(600 * 60);
    expect(rates.read(spent(90, 1_600)).get('cdn')).toBe(100 * 60);
    expect(rates.read(spent(150, 1_600)).get('cdn')).toBe(0);
  });

  test('begins anew with the month', () => {
    const rates = new CdnRates();
    rates.read(spent(0, 9_000));
    expect(rates.read(spent(1, 10)).get('cdn')).toBe(0);
    expect(rates.read(spent(2, 20)).get('cdn')).toBe(600);
  });
});

describe('gaps of recordings', () => {
  test('are looked up a few streams at a time, all in turn', async () => {
    const asked: string[] = [];
    const gaps = new RecordingGaps({
      list: async (name) => {
        asked.push(name);
        return [];
      },
    });
    const streams = Array.from({ length: 30 }, (_, at) => stream(`s${String(at).padStart(2, '0')}`, 'a'));
    for (let turn = 0; turn < 3; turn++) await gaps.look(streams);
    expect(asked).toHaveLength(20 + 10 + 20);
    expect(new Set(asked).size).toBe(30);
  });
});
