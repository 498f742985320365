// A machine with a server on each of two cores, beside an origin and an usher: real processes, a real Redis, a broadcast from ffmpeg.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { STREAM, TestCluster, until } from '../tools/cluster/test-cluster.ts';
import { FeedReader } from '../tools/media/feed-reader.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';

const SERVERS = {
  o1: { site: 'eu', roles: ['origin'] },
  // Room for some ten viewers on each of the two.
  m: { site: 'eu', roles: ['edge'], cores: 2, egressMbps: 30 },
} as const;
const VIEWERS = 14;
const SOME_CHUNKS = 100;

let cluster: TestCluster;
let broadcaster: Broadcaster;
const readers: FeedReader[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start({ servers: SERVERS, ushers: ['u1'] });
  broadcaster = new Broadcaster(cluster.publishUrl('o1'));
  await until(
    () => 'both are ready',
    () => portOf(1) !== undefined && portOf(2) !== undefined,
  );
});
afterAll(async () => {
  for (const reader of readers) await reader[Symbol.asyncDispose]();
  await broadcaster?.[Symbol.asyncDispose]();
  await cluster?.server('m').end('SIGINT');
  await cluster?.[Symbol.asyncDispose]();
});

test('viewers are spread over the servers of a machine, into which a stream comes once', async () => {
  while (readers.length < VIEWERS) readers.push(new FeedReader(await placed()));
  const ports = new Set(readers.map(({ url }) => Number(new URL(url).port)));
  expect(ports).toEqual(new Set([portOf(1), portOf(2)]));
  await until(
    () => `one of the two follows the origin, and the other that one: ${parents()}`,
    () => parents().includes('o1') && parents().some((parent) => ['m', 'm-2'].includes(parent)),
  );
  const { plan } = await cluster.snapshot();
  const planned = ['m', 'm-2'].map(
    (id) => plan[id]!.follows.find(({ stream }) => stream === STREAM)!.parents[0]!.id,
  );
  expect(planned.filter((id) => id === 'o1')).toHaveLength(1);
});

test('a server that is killed is started again, and viewers of the other notice nothing', async () => {
  // Of the two the one that the other follows stays: what else there is to see is for the test of a parent that dies.
  const stays = parents()[0] === 'o1' ? 1 : 2;
  const dies = 3 - stays;
  const others = readers.filter(({ url }) => Number(new URL(url).port) === portOf(stays));
  for (const reader of others) reader.begin();
  const before = started(dies);
  process.kill(before.at(-1)!, 'SIGKILL');
  await until(
    () => 'it is there again',
    () => started(dies).length > before.length && readies(dies) > before.length,
  );
  await until(
    () => 'viewers of the other go on',
    () => others.every(({ chunks }) => chunks > SOME_CHUNKS),
  );
  expect(others.map(({ lost }) => lost)).toEqual(others.map(() => 0));
});

test('its servers say in one log who they are, and answer for their own metrics', async () => {
  for (const worker of [1, 2]) {
    const text = await (await fetch(`http://127.0.0.1:${portOf(worker)}/metrics`)).text();
    expect(text).toContain('headwater_viewers');
  }
});

test('SIGTERM empties all of them, and then the machine has none', async () => {
  for (const reader of readers) await reader[Symbol.asyncDispose]();
  expect(await cluster.server('m').end('SIGTERM')).toBe(0);
  const stopped = cluster.server('m').lines.filter(({ msg }) => msg === 'stopped');
  expect(stopped.map(({ worker }) => worker).sort()).toEqual([1, 2]);
});

/** Where usher sends a viewer, once it has somewhere. */
async function placed(): Promise<string> {
  let location: string | null = null;
  await until(
    () => 'usher has a server',
    async () => {
      const url = `${cluster.usher('u1').url}/live/${STREAM}.mp4`;
      location = (await fetch(url, { redirect: 'manual' })).headers.get('location');
      return location !== null;
    },
  );
  return location!;
}

function linesOf(worker: number, msg: string) {
  return cluster.server('m').lines.filter((line) => line.msg.startsWith(msg) && line['worker'] === worker);
}

function portOf(worker: number): number | undefined {
  return linesOf(worker, 'ready').at(-1)?.['mediaPort'] as number | undefined;
}

function readies(worker: number): number {
  return linesOf(worker, 'ready').length;
}

function started(worker: number): number[] {
  return linesOf(worker, 'a server of this machine is started').map(({ pid }) => Number(pid));
}

/** Whom each of the two follows, by their own words. */
function parents(): string[] {
  return [1, 2].map((worker) => String(linesOf(worker, 'following').at(-1)?.['parent']));
}
