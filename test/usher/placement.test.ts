import { describe, expect, test } from 'vitest';
import type { KnownServer, Snapshot } from '../../network/state/state.ts';
import { place } from '../../usher/placement.ts';
import { carriedOut, DRAIN, holding, NOW_MS, server, snapshot, stream } from '../tools/clusters.ts';

/** Alice's stream on its origin and on what follows it. */
function cluster(
  origin: Partial<KnownServer>,
  others: Readonly<Record<string, Partial<KnownServer>>>,
): Snapshot {
  const follows = Object.entries(others).filter(([, { holdings }]) => holdings);
  const all = Object.entries(others).map(([id, changes]) => server(id, changes));
  const root = server('origin', { roles: ['origin', 'edge'], holdings: [holding('alice')], ...origin });
  const parents = [{ id: 'origin', relayUrl: root.relayUrl }];
  const follow = { stream: 'alice', rendition: 'source', parents };
  const plan = Object.fromEntries(follows.map(([id]) => [id, { follows: [follow], successors: {} }]));
  return snapshot([root, ...all], [stream('alice', 'origin')], { plan });
}

const held = [holding('alice')];

function placedAt(of: Snapshot, viewer = 'v'): string | undefined {
  const decision = place(of, { stream: 'alice', viewer });
  return decision.kind === 'serve' ? decision.server.id : undefined;
}

describe('a viewer is sent', () => {
  test('to the holder with the most free egress relative to its capacity', () => {
    const of = cluster(
      { sentMbps: 600 },
      {
        big: { egressMbps: 10_000, sentMbps: 5_000, holdings: held },
        small: { egressMbps: 100, sentMbps: 10, holdings: held },
      },
    );
    expect(placedAt(of)).toBe('small');
  });

  test.each([
    ['is dead', { beatAtMs: NOW_MS - 3_000 }],
    ['drains', { drain: DRAIN }],
    ['is no edge', { roles: ['transcoder' as const] }],
  ])('to no server that %s', (_, fault) => {
    expect(placedAt(cluster({ sentMbps: 900 }, { a: { holdings: held, ...fault } }))).toBe('origin');
  });

  test('to no server that still has the stream but no place in the plan any more', () => {
    const of = cluster({ sentMbps: 500 }, { a: { holdings: held } });
    expect(placedAt({ ...of, plan: {} })).toBe('origin');
  });

  test('to a server that is only about to have it when those that have it are full', () => {
    expect(placedAt(cluster({ sentMbps: 890 }, { a: { holdings: [] } }))).toBe('origin');
    expect(placedAt(cluster({ sentMbps: 950 }, { a: { holdings: [] } }))).toBe('a');
  });

  test('to the origin when nobody else holds the stream', () => {
    expect(placedAt(cluster({ sentMbps: 999 }, { a: {} }))).toBe('origin');
  });

  test('to the freest edge, which will follow it, when the only holder is an origin that serves no viewers', () => {
    expect(placedAt(cluster({ roles: ['origin'] }, { a: { sentMbps: 500 }, b: {} }))).toBe('b');
    expect(placedAt(cluster({ drain: DRAIN }, { a: {} }))).toBe('a');
    expect(placedAt(cluster({ roles: ['origin'] }, {}))).toBe('origin');
  });

  test('to a holder also while the origin is gone: it has the window, and the next origin will come', () => {
    const dead = { beatAtMs: NOW_MS - 9_000 };
    expect(placedAt(cluster(dead, { a: { holdings: held } }))).toBe('a');
    expect(placedAt(cluster(dead, { a: {} }))).toBeUndefined();
  });

  test('nowhere when the stream is unknown', () => {
    expect(place(snapshot([server('a')], []), { stream: 'alice', viewer: 'v' })).toEqual({ kind: 'unknown' });
  });
});

test('equals share: 3,000 viewers on three servers, within a tenth of a third each', () => {
  const of = cluster(
    { sentMbps: 110 },
    { a: { sentMbps: 130, holdings: held }, b: { sentMbps: 190, holdings: held } },
  );
  const counts = Map.groupBy(
    Array.from({ length: 3_000 }, (_, viewer) => placedAt(of, `viewer-${viewer}`)!),
    (id) => id,
  );
  expect([...counts.keys()].sort()).toEqual(['a', 'b', 'origin']);
  for (const viewers of counts.values()) expect(Math.abs(viewers.length - 1_000)).toBeLessThan(100);
});

test('one of three equals that leaves moves its own viewers alone', () => {
  const three = cluster({}, { a: { holdings: held }, b: { holdings: held } });
  const two = cluster({}, { a: { holdings: held } });
  for (let viewer = 0; viewer < 200; viewer++) {
    const was = placedAt(three, `viewer-${viewer}`);
    if (was !== 'b') expect(placedAt(two, `viewer-${viewer}`)).toBe(was);
  }
});

test('a plan that is carried out is what viewers are placed by', () => {
  const before = cluster({ sentMbps: 950 }, { a: {} });
  const follow = {
    stream: 'alice',
    rendition: 'source',
    parents: [{ id: 'origin', relayUrl: 'http://origin' }],
  };
  expect(placedAt(carriedOut(before, { a: { follows: [follow], successors: {} } }))).toBe('a');
});
