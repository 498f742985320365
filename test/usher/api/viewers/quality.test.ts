import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readTopology } from '../../../../network/map/topology-file.ts';
import { signToken } from '../../../../network/token.ts';
import type { Explained } from '../../../../usher/explained/explained.ts';
import { Presence } from '../../../../usher/quality/presence.ts';
import { readReport } from '../../../../usher/quality/report-body.ts';
import { holding, NOW_MS, server, snapshot, stream } from '../../../tools/cluster/clusters.ts';
import { SECRETS, UsherListener } from '../../../tools/cluster/usher-listener.ts';
import { readMultivariant } from '../../../tools/viewers/read-multivariant.ts';
import { ManualClock } from '../../../tools/world/manual-clock.ts';

const topology = readTopology(`
sites:
  ams: { position: { latitude: 52, longitude: 5 }, uplinks: { transit: { kind: transit, capacityMbps: 10000, pricePerGb: 0.001 } } }
`);
const cluster = snapshot(
  [server('ams-1', { site: 'ams', holdings: [holding('alice', 1)] })],
  [stream('alice', 'ams-1')],
);

let clock: ManualClock;
let usher: UsherListener;
beforeAll(async () => {
  clock = new ManualClock(NOW_MS);
  usher = await UsherListener.start({
    state: { snapshot: async () => cluster },
    clock,
    topology,
    site: 'ams',
    locate: () => ({ position: { latitude: 52, longitude: 5 }, asn: 64_500 }),
  });
});
afterAll(() => usher[Symbol.asyncDispose]());
beforeEach(() => clock.advance(60_000));

/** The token of a viewer who was placed. */
async function join(): Promise<string> {
  const { variants } = readMultivariant(await (await usher.get('/live/alice.m3u8')).text());
  return variants[0]!.url.split('/play/')[1]!.split('/')[0]!;
}

function report(token: string, body: string, type = 'application/json'): Promise<Response> {
  return usher.get(`/api/quality?stream=alice&token=${token}`, {
    method: 'POST',
    headers: { 'Content-Type': type },
    body,
  });
}

/** What placement takes from reports: the prices of the way and of stalls, per viewer-hour. */
async function priced(): Promise<{ latency: number; stall: number }> {
  const answer = await usher.get('/api/explain?stream=alice&address=198.51.100.1', {
    headers: { Authorization: `Bearer ${usher.operators.tokenUntil(Number.MAX_SAFE_INTEGER)}` },
  });
  const { servers } = (await answer.json()) as Explained;
  const { latency, stall } = servers[0]!.terms!;
  return { latency, stall };
}

describe('what players report', () => {
  test('counts for the site that they were sent to, and their network: in JSON', async () => {
    const before = await priced();
    const token = await join();
    for (let at = 0; at < 5; at++) {
      const answer = await report(token, '{"playedMs":20000,"stalledMs":10000,"rttMs":80}');
      expect([answer.status, await answer.text()]).toEqual([204, '']);
    }
    const after = await priced();
    expect(after.stall).toBeGreaterThan(before.stall + 10_000);
    expect(after.latency).toBe(80 * 70);
  });

  test('counts as hls.js sends it: changes of state of CMCD version 2', async () => {
    const token = await join();
    const before = await priced();
    const event = (sta: string, s: number): string => `e=ps,sid="x",sta=${sta},ts=${NOW_MS + s * 1000},v=2`;
    const first = await report(token, `${event('s', 0)}\n${event('p', 1)}\n`, 'application/cmcd');
    expect(first.status).toBe(204);
    await report(token, `${event('r', 5)}\n${event('p', 45)}\n`, 'application/cmcd');
    expect((await priced()).stall).toBeGreaterThan(before.stall);
  });

  test('is not counted more often than once a second', async () => {
    const token = await join();
    for (let at = 0; at < 70; at++) await report(token, '{"playedMs":1,"stalledMs":0}');
    const before = await priced();
    expect((await report(token, '{"playedMs":0,"stalledMs":100000}')).status).toBe(204);
    expect((await priced()).stall).toBe(before.stall);
  });

  const tokenOf = (purpose: 'play' | 'steer', session: string) =>
    signToken(SECRETS, { purpose, stream: 'alice', expiresAtMs: NOW_MS + 1e9, session });

  test('of a session that usher does not know of is not counted', async () => {
    const before = await priced();
    const stranger = tokenOf('play', 'strangerstra');
    expect((await report(stranger, '{"playedMs":0,"stalledMs":100000}')).status).toBe(204);
    expect((await priced()).stall).toBeLessThanOrEqual(before.stall);
  });

  test.each([
    ['without a token', '', 403],
    ['with a token for something else', tokenOf('steer', 'x'), 403],
    ['with one that is malformed', '../..', 403],
  ])('%s is refused', async (_, token, status) => {
    expect((await report(token, '{"playedMs":1,"stalledMs":0}')).status).toBe(status);
  });

  test.each([
    '',
    '{',
    '[]',
    '{"playedMs":-1,"stalledMs":0}',
    '{"playedMs":1e9,"stalledMs":0}',
    '{"playedMs":1}',
    '{"playedMs":1,"stalledMs":0,"more":1}',
  ])('that makes no sense is refused: %s', async (body) => {
    expect((await report(await join(), body)).status).toBe(400);
  });

  test('that is long is refused', async () => {
    expect((await report(await join(), ' '.repeat(100_000))).status).toBe(413);
  });
});

describe('a body of CMCD', () => {
  test('is read line by line, and what says nothing of a state is left out', () => {
    const body = 'e=t,sta=p,ts=5\nbl=3,ts=6\ngarbage\ne=ps,ts=7,sta=r,msd=850\nsta=p,ts=-1\nsta=d,ts=9\n';
    expect(readReport('application/cmcd', body)).toEqual({
      kind: 'states',
      states: [
        { state: 'playing', atMs: 5 },
        { state: 'stalled', atMs: 7 },
        { state: 'other', atMs: 9 },
      ],
      startupMs: 850,
    });
  });

  test('adds up between states, over reports, but for times that make no sense', () => {
    const presence = new Presence();
    presence.see('v', { kind: 'server', server: { id: 'a', site: 'ams' } }, 0);
    const state = (name: 'playing' | 'stalled' | 'other', atMs: number) => ({ state: name, atMs });
    expect(presence.watched('v', [state('playing', 0), state('stalled', 4_000)])).toEqual({
      playedMs: 4_000,
      stalledMs: 0,
    });
    expect(
      presence.watched('v', [state('playing', 5_000), state('playing', 1_000), state('other', 900_000)]),
    ).toEqual({
      playedMs: 0,
      stalledMs: 1_000,
    });
  });
});
