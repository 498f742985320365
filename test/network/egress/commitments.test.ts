import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Commitment, Commitments, type Use } from '../../../network/egress/commitments.ts';
import { commitmentsOf } from '../../tools/cluster/commitments.ts';
import { ManualClock } from '../../tools/world/manual-clock.ts';

const viewer: Use = { stream: 'alice', rendition: 'source', by: 'viewer', uplink: 'transit' };
const server: Use = { ...viewer, by: 'server', uplink: undefined };
const cache: Use = { ...viewer, by: 'cache', uplink: '' };

function fill(commitments: Commitments, use: Use): number {
  let taken = 0;
  while (commitments.take(use)) taken++;
  return taken;
}

test('a rendition is pulled as long as a cache takes it, and of no other', () => {
  const commitments = commitmentsOf(100, 4);
  commitments.take(server);
  commitments.take({ ...cache, rendition: '720p' });
  expect(commitments.isPulled('alice', 'source')).toBe(false);
  const taken = commitments.take(cache)!;
  expect(commitments.isPulled('alice', 'source')).toBe(true);
  taken.end();
  expect(commitments.isPulled('alice', 'source')).toBe(false);
});

describe('room', () => {
  test('is for viewers up to one copy less than all, and for a server or a cache in any case', () => {
    const commitments = commitmentsOf(100, 4);
    expect(fill(commitments, viewer)).toBe(24);
    expect(commitments.mbps).toBe(100);
    expect(commitments.take(server)).toBeDefined();
    expect(commitments.mbps).toBe(100);
    expect(commitments.take(server)).toBeUndefined();
    expect(commitments.take(cache)).toBeUndefined();
  });

  test('that servers have taken is not for viewers', () => {
    const commitments = commitmentsOf(100, 4);
    for (let child = 0; child < 20; child++) expect(commitments.take(server)).toBeDefined();
    expect(fill(commitments, viewer)).toBe(5);
    expect(commitments.mbps).toBe(100);
  });

  test('is not all kept for servers by a server that could hardly feed one', () => {
    expect(fill(commitmentsOf(10, 4), viewer)).toBe(2);
  });

  test('is kept for one copy of the heaviest stream that is here, and for a usual one while none is', () => {
    let heaviest = 0;
    const clock = new ManualClock();
    const commitments = new Commitments({
      egressMbps: 1_000,
      clock,
      bitrateMbps: () => 4,
      heaviestMbps: () => heaviest,
    });
    expect(commitments.mbps).toBe(6);
    heaviest = 11;
    clock.advance(1_000);
    expect(commitments.mbps).toBe(11);
    commitments.take(viewer);
    expect(commitments.mbps).toBe(15);
  });

  test('comes back once, however often a commitment is ended', () => {
    const commitments = commitmentsOf(100, 4);
    const one = commitments.take(viewer)!;
    commitments.take(viewer);
    one.end();
    one.end();
    one.move('720p30');
    expect(commitments.uplinks).toEqual({ transit: 4 });
  });
});

test('bitrates that change are followed, and one that is not known yet is taken as soon as it is', () => {
  const clock = new ManualClock();
  let mbps = 0;
  const heaviestMbps = (): number => mbps;
  const commitments = new Commitments({ egressMbps: 100, clock, bitrateMbps: () => mbps, heaviestMbps });
  for (let came = 0; came < 10; came++) commitments.take(viewer);
  expect(commitments.uplinks).toEqual({ transit: 0 });
  mbps = 4;
  clock.advance(1_000);
  expect(commitments.uplinks).toEqual({ transit: 40 });
  mbps = 5;
  clock.advance(1_000);
  expect(commitments.uplinks).toEqual({ transit: 40 });
  clock.advance(4_000);
  expect(commitments.uplinks).toEqual({ transit: 50 });
  mbps = 0;
  clock.advance(5_000);
  expect(commitments.uplinks).toEqual({ transit: 50 });
});

test('whoever comes and goes and switches: never more is committed than may be sent, and uplinks and viewers agree', () => {
  const rates: Readonly<Record<string, number>> = { source: 6.3, '720p30': 2.9, '480p30': 1.1 };
  const use = fc.record({
    stream: fc.constantFrom('alice', 'bob'),
    rendition: fc.constantFrom(...Object.keys(rates)),
    by: fc.constantFrom('viewer', 'server', 'cache' as const),
    uplink: fc.constantFrom('', 'transit', 'peers'),
  });
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('take' as const), use }) },
    fc.record({ kind: fc.constant('end' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(7_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const clock = new ManualClock();
      const commitments = new Commitments({
        egressMbps: 100,
        clock,
        bitrateMbps: (_, rendition) => rates[rendition]!,
        heaviestMbps: () => 10.3,
      });
      const held: { readonly use: Use; readonly commitment: Commitment }[] = [];
      for (const one of steps) {
        if (one.kind === 'wait') clock.advance(one.ms);
        else if (one.kind === 'end') held.splice(one.at % (held.length || 1), 1)[0]?.commitment.end();
        else {
          const commitment = commitments.take(one.use);
          if (commitment) held.push({ use: one.use, commitment });
        }
        expect(commitments.mbps).toBeLessThanOrEqual(100 + 10 + 1e-6);
        const sent = held.reduce((sum, { use: { rendition } }) => sum + rates[rendition]!, 0);
        expect(sent).toBeLessThanOrEqual(100 + 1e-6);
      }
      const uplinks = Object.values(commitments.uplinks).reduce((sum, mbps) => sum + mbps, 0);
      const overUplinks = held.reduce((sum, { use: { rendition } }) => sum + rates[rendition]!, 0);
      expect(uplinks).toBeCloseTo(overUplinks, 6);
    }),
    { seed: 1 },
  );
});
