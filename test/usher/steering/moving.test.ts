import { describe, expect, test } from 'vitest';
import type { KnownServer } from '../../../network/state/state.ts';
import type { Choice } from '../../../usher/placement/request.ts';
import { type Scene, sceneOf } from '../../../usher/placement/scene/scene.ts';
import { isChanging, paceOf, placeAgain, reasonToMove } from '../../../usher/steering/moving.ts';
import type { Destination } from '../../../usher/steering/pathway-ids.ts';
import { DRAIN, holding, NOW_MS, server, snapshot, stream } from '../../tools/cluster/clusters.ts';

const CDN = { name: 'c', urlTemplate: 'u{path}', microUsdPerGb: 1, capMicroUsdPerMonth: 1, shields: 1 };
const offered = { mbps: 4, microUsdPerHour: 0 };

/** `a`, of 1,000 Mbps, as a test says it, and `b`; both have the stream. */
function sceneWith(changes: Partial<KnownServer>, other: Partial<KnownServer> = {}): Scene {
  const held = { holdings: [holding('alice', 1)] };
  const servers = [server('a', { ...held, ...changes }), server('b', { ...held, ...other })];
  return sceneOf(snapshot(servers, [stream('alice', 'a')]));
}

const at = (id: string): Destination => ({ kind: 'server', server: server(id) });
const byCdn = (shield: string): Destination => ({ kind: 'cdn', cdn: CDN, shield: server(shield) });
const to = (id: string): Choice => ({
  kind: 'server',
  server: server(id),
  uplink: '',
  stays: false,
  ...offered,
});
const toCdn: Choice = { kind: 'cdn', cdn: CDN, shields: [server('b')], ...offered };

describe('a viewer has a reason to go', () => {
  test.each([
    ['who is nowhere that is known', {}, undefined, to('b'), 'lost'],
    ['whose server is gone', {}, at('z'), to('b'), 'lost'],
    ['whose server is dead', { beatAtMs: NOW_MS - 9_000 }, at('a'), to('b'), 'lost'],
    ['whose server serves no viewers any more', { roles: ['origin'] }, at('a'), to('b'), 'lost'],
    ['whose server is emptied', { drain: DRAIN }, at('a'), to('b'), 'drain'],
    ['whose server is emptied, also to a CDN', { drain: DRAIN }, at('a'), toCdn, 'drain'],
    ['whose server sends too much', { sentMbps: 1_001 }, at('a'), to('b'), 'over'],
    ['when another server is better', {}, at('a'), to('b'), 'better'],
    ['of a CDN when a server has room', {}, byCdn('b'), to('b'), 'room'],
    ['of a CDN whose shield is one no more', {}, byCdn('a'), toCdn, 'lost'],
    ['not where the best is where it is', {}, at('a'), to('a'), undefined],
    ['not to a CDN because that is cheaper', {}, at('a'), toCdn, undefined],
    ['not within a CDN', {}, byCdn('b'), toCdn, undefined],
  ] as const)('%s', (_, changes, here, best, reason) => {
    expect(reasonToMove(sceneWith(changes as Partial<KnownServer>), here, best)).toBe(reason);
  });

  test('and its server is not asked for again when that sends too much', () => {
    expect(placeAgain(sceneWith({ sentMbps: 900 }), at('a'))).toEqual({ now: 'a' });
    expect(placeAgain(sceneWith({ sentMbps: 1_001 }), at('a'))).toEqual({ avoid: ['a'] });
    expect(placeAgain(sceneWith({}), byCdn('a'))).toEqual({});
  });
});

describe('so many may go at a time', () => {
  const pace = (
    scene: Scene,
    here: Destination | undefined,
    reason: 'lost' | 'drain' | 'over' | 'room' | 'better',
  ) => paceOf(scene, here, to('b'), reason)?.mbpsPerS;

  test('all who have lost their server, or whose server is emptied', () => {
    expect(pace(sceneWith({}), at('a'), 'lost')).toBeUndefined();
    expect(pace(sceneWith({ drain: DRAIN }), at('a'), 'drain')).toBeUndefined();
  });

  test('what a server sends too much in two seconds', () => {
    expect(pace(sceneWith({ sentMbps: 1_100 }), at('a'), 'over')).toBe(50);
  });

  test('a fiftieth of a server’s capacity in a second, to a better one', () => {
    expect(pace(sceneWith({}), at('a'), 'better')).toBe(20);
  });

  test('from a CDN a tenth in a second of the room beyond a reserve, and nobody into the reserve', () => {
    const rooms = [0, 500, 880, 900, 950].map(
      (sentMbps) => pace(sceneWith({}, { sentMbps }), byCdn('a'), 'room')!,
    );
    expect(rooms.map((mbps) => Math.round(mbps * 1e6) / 1e6)).toEqual([90, 40, 2, 0, 0]);
  });
});

test('players ask soon at a server that a crowd on their stream will fill before they would ask again', () => {
  const crowd = (arrivalsPerS: number, sentMbps: number): boolean =>
    isChanging(sceneWith({ sentMbps, holdings: [holding('alice', 9, { arrivalsPerS })] }), 'alice', at('a'));
  expect(crowd(10, 500)).toBe(false);
  expect(crowd(20, 500)).toBe(true);
  expect(crowd(10, 700)).toBe(true);
  expect(crowd(1, 980)).toBe(false);
});

test('players ask soon while their server is silent, over its limit, emptied, or hot while a copy comes', () => {
  const soon = (changes: Partial<KnownServer>, here = at('a')) =>
    isChanging(sceneWith(changes), 'alice', here);
  expect(soon({})).toBe(false);
  expect(soon({}, byCdn('a'))).toBe(false);
  expect(soon({ sentMbps: 950 })).toBe(false);
  for (const changes of [{ beatAtMs: NOW_MS - 2_000 }, { sentMbps: 1_001 }, { drain: DRAIN }])
    expect(soon(changes)).toBe(true);
  const follow = { stream: 'alice', rendition: 'source', parents: [] };
  const plan = { c: { follows: [follow], successors: {} } };
  const growing = (sentMbps: number): Scene => {
    const { snapshot: before } = sceneWith({ sentMbps });
    return sceneOf({ ...before, servers: [...before.servers, server('c')], plan });
  };
  expect([growing(950), growing(500)].map((scene) => isChanging(scene, 'alice', at('a')))).toEqual([
    true,
    false,
  ]);
});
