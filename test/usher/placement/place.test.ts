import { describe, expect, test } from 'vitest';
import type { KnownServer, Snapshot } from '../../../network/state/state.ts';
import { place } from '../../../usher/placement/place.ts';
import type { Decision, PlaceRequest } from '../../../usher/placement/request.ts';
import { sceneOf } from '../../../usher/placement/scene/scene.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

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

function decide(of: Snapshot, changes: Partial<PlaceRequest> = {}): Decision {
  return place(sceneOf(of), { stream: 'alice', viewer: 'v', whence: {}, allowCdn: false, ...changes });
}

function placesAt(of: Snapshot, changes: Partial<PlaceRequest> = {}): string[] {
  const decision = decide(of, changes);
  const choices = decision.kind === 'serve' ? decision.choices : [];
  return choices.map((choice) => (choice.kind === 'server' ? choice.server.id : choice.cdn.name));
}

describe('a viewer is sent', () => {
  test('to the holder that is least full for its size', () => {
    const of = cluster(
      { sentMbps: 600 },
      {
        big: { egressMbps: 10_000, sentMbps: 5_000, holdings: held },
        small: { egressMbps: 100, sentMbps: 10, holdings: held },
      },
    );
    expect(placesAt(of)).toEqual(['small', 'big', 'origin']);
  });

  test.each([
    ['is dead', { beatAtMs: NOW_MS - 3_000 }],
    ['drains', { drain: { sinceMs: 1, deadlineMs: null, wished: true } }],
    ['is no edge', { roles: ['transcoder' as const] }],
    ['is full', { sentMbps: 997 }],
    ['has admitted as much as it may send', { committedMbps: 997 }],
  ])('to no server that %s', (_, fault) => {
    expect(placesAt(cluster({ sentMbps: 900 }, { a: { holdings: held, ...fault } }))).toEqual(['origin']);
  });

  test('to no server that operators want emptied, also before it has heard of that', () => {
    const of = cluster({ sentMbps: 900 }, { a: { holdings: held } });
    const drains = { a: { sinceMs: 1, deadlineMs: null } };
    expect(placesAt({ ...of, drains })).toEqual(['origin']);
  });

  test('rather to a server that keeps the stream than to one that lets it go', () => {
    const of = cluster({ sentMbps: 500 }, { a: { holdings: held } });
    expect(placesAt({ ...of, plan: {} })).toEqual(['origin', 'a']);
  });

  test('to a server that is to have the stream when those that have it are full', () => {
    expect(placesAt(cluster({ sentMbps: 500 }, { a: { holdings: [] } }))[0]).toBe('origin');
    expect(placesAt(cluster({ sentMbps: 998 }, { a: { holdings: [] } }))).toEqual(['a']);
  });

  test('to a server that would follow the stream before the last holder gives away what it keeps back for copies', () => {
    expect(placesAt(cluster({ sentMbps: 946 }, { a: {} }))).toEqual(['origin', 'a']);
    expect(placesAt(cluster({ sentMbps: 947 }, { a: {} }))).toEqual(['a']);
  });

  test('to the last holder’s last room when nobody else could follow the stream', () => {
    expect(placesAt(cluster({ sentMbps: 996 }, { a: { sentMbps: 999 } }))).toEqual(['origin']);
  });

  test('to an edge, which will follow it, when the only holder is an origin that serves no viewers', () => {
    expect(placesAt(cluster({ roles: ['origin'] }, { a: { sentMbps: 500 }, b: {} }))[0]).toBe('b');
    const drain = { sinceMs: 1, deadlineMs: null, wished: false };
    expect(placesAt(cluster({ drain }, { a: {} }))).toEqual(['a']);
  });

  test('to a holder also while the origin is gone: it has the window, and the next origin will come', () => {
    const dead = { beatAtMs: NOW_MS - 9_000 };
    expect(placesAt(cluster(dead, { a: { holdings: held } }))[0]).toBe('a');
  });

  test('away from what it just lost', () => {
    const of = cluster({ sentMbps: 10 }, { a: { sentMbps: 900, holdings: held } });
    expect(placesAt(of, { avoid: ['origin'] })).toEqual(['a']);
  });

  test('nowhere when the stream is unknown, and nowhere now when all are full', () => {
    expect(decide(cluster({}, {}), { stream: 'bob' })).toEqual({ kind: 'unknown' });
    const full = cluster({ sentMbps: 999 }, { a: { sentMbps: 998 } });
    expect(decide(full)).toMatchObject({ kind: 'full', retryAfterS: 5 });
  });
});

test('equals share: 3,000 viewers on three servers, within a tenth of a third each', () => {
  const of = cluster({}, { a: { holdings: held }, b: { holdings: held } });
  const counts = Map.groupBy(
    Array.from({ length: 3_000 }, (_, viewer) => placesAt(of, { viewer: `viewer-${viewer}` })[0]!),
    (id) => id,
  );
  expect([...counts.keys()].sort()).toEqual(['a', 'b', 'origin']);
  for (const viewers of counts.values()) expect(Math.abs(viewers.length - 1_000)).toBeLessThan(100);
});

test('one of three equals that leaves moves its own viewers alone', () => {
  const three = cluster({}, { a: { holdings: held }, b: { holdings: held } });
  const two = cluster({}, { a: { holdings: held } });
  for (let viewer = 0; viewer < 200; viewer++) {
    const [was] = placesAt(three, { viewer: `viewer-${viewer}` });
    if (was !== 'b') expect(placesAt(two, { viewer: `viewer-${viewer}` })[0]).toBe(was);
  }
});
