// One address that asks usher for more than its players could ever watch: what it gets is bounded, and others notice nothing.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { FIRST_NUMBERING } from '../../network/feed/numbering.ts';
import { parsePrefix } from '../../network/map/address.ts';
import { MemoryState } from '../../network/state/state-memory.ts';
import { Newcomers } from '../../usher/placement/promises/newcomers.ts';
import { holding, server } from '../tools/cluster/clusters.ts';
import { UsherListener } from '../tools/cluster/usher-listener.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ManualClock } from '../tools/world/manual-clock.ts';

const LOOPBACK = [parsePrefix('127.0.0.0/8')!];
const VIEWER_MBPS = 4;
/** Room for 200 viewers. */
const EGRESS_MBPS = 800;
/** A crowd behind one address: more than what is promised to one that does not come. */
const CROWD = 150;
const rendition = {
  name: 'source',
  codecs: 'avc1.64001f,mp4a.40.2',
  width: 1280,
  height: 720,
  frameRate: 30,
  peakBps: VIEWER_MBPS * 1e6,
  averageBps: VIEWER_MBPS * 1e6,
};
const alice = {
  name: 'alice',
  origin: 'a',
  term: 1,
  startedAtMs: 1_700_000_000_000,
  live: true,
  epoch: 1,
  lastMsn: 0,
  numbering: { ...FIRST_NUMBERING, msn: 1 },
  renditions: [rendition],
};

const state = new MemoryState(new ManualClock());
const logger = keepingLogger();
let usher: UsherListener;
let strict: UsherListener;
beforeAll(async () => {
  await beat([]);
  usher = await UsherListener.start({ state, trustedProxies: LOOPBACK });
  strict = await UsherListener.start({ state, trustedProxies: LOOPBACK, newcomersPerAddress: 3, logger });
});
afterAll(() => Promise.all([usher, strict].map((listener) => listener?.[Symbol.asyncDispose]())));

test('an address that asks and never comes is promised 64 places, and others find the rest', async () => {
  const answers = await Promise.all(Array.from({ length: CROWD }, () => ask('203.0.113.7')));
  const served = answers.filter(({ status }) => status === 200);
  const refused = answers.filter(({ status }) => status === 429);
  expect([served.length, refused.length]).toEqual([64, CROWD - 64]);
  expect(refused[0]!.headers.get('retry-after')).toBe('1');
  expect(await refused[0]!.json()).toMatchObject({ detail: expect.stringContaining('at this address') });
  const others = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(`198.51.100.${at}`)));
  expect(new Set(others.map(({ status }) => status))).toEqual(new Set([200]));

  // As soon as its players have come, the next ones are placed.
  await beat(await Promise.all(served.map(sessionIn)));
  expect((await ask('203.0.113.7')).status).toBe(200);
});

test('beyond its limit of new viewers an address is told when to come again, and the log who that was; its IPv6 network is one address', async () => {
  const network = Array.from({ length: 4 }, (_, at) => `2001:db8:1:2::${at + 1}`);
  const answers: Response[] = [];
  for (const address of network) answers.push(await ask(address, strict));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
  expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(await answers[3]!.json()).toMatchObject({ detail: expect.stringContaining('2001:db8:1:2::/64') });
  const warned = logger.lines.filter(({ level }) => level === 'warn');
  expect(warned).toMatchObject([{ fields: { network: '2001:db8:1:2::/64', times: 1 } }]);
  expect((await ask('2001:db8:1:3::1', strict)).status).toBe(200);
});

test('who says that it comes from elsewhere each time is counted where its proxy saw it', async () => {
  const answers: number[] = [];
  for (let at = 0; at < 4; at++) answers.push((await ask(`192.0.2.${at}, 203.0.113.50`, strict)).status);
  expect(answers).toEqual([200, 200, 200, 429]);
});

test('an allowance comes back as time goes by, and no further than it was', () => {
  const newcomers = new Newcomers(10);
  expect(Array.from({ length: 11 }, () => newcomers.waitMs('a', 0))).toEqual([...Array(10).fill(0), 1_000]);
  expect(newcomers.waitMs('a', 500)).toBe(500);
  expect(newcomers.waitMs('a', 1_000)).toBe(0);
  expect(newcomers.waitMs('b', 1_000)).toBe(0);
  const later = Array.from({ length: 11 }, () => newcomers.waitMs('a', 900_000));
  expect(later.filter((waitMs) => waitMs === 0)).toHaveLength(10);
  expect(newcomers.waitMs('', 900_000)).toBe(0);
});

function ask(address: string, at = usher): Promise<Response> {
  return at.get('/live/alice.m3u8', { headers: { 'X-Forwarded-For': address } });
}

async function sessionIn(answer: Response): Promise<string> {
  return /\/play\/[^./]+\.([\w-]{12})/.exec(await answer.text())![1]!;
}

async function beat(arrived: readonly string[]): Promise<void> {
  const holdings = [holding('alice', 1)];
  const roles = ['origin', 'edge'] as const;
  await state.beat({ ...server('a', { roles, egressMbps: EGRESS_MBPS, holdings }), arrived }, [alice]);
}
