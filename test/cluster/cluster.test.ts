// A cluster of real processes: an usher, two origins and three edges in two sites, a real Redis, a broadcast from ffmpeg.

import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Snapshot } from '../../network/state/state.ts';
import { Broadcaster } from '../tools/broadcaster.ts';
import { FeedReader } from '../tools/feed-reader.ts';
import { RedisServer } from '../tools/redis-server.ts';
import { ServerProcess } from '../tools/server-process.ts';

const SECRET = 'the secret of a cluster under test';
const STREAM = 'alice';
const FOLDER = mkdtempSync(join(tmpdir(), 'headwater-cluster-'));

let redis: RedisServer;
let usher: ServerProcess;
const servers = new Map<string, ServerProcess>();

async function startOne(command: 'server' | 'usher', id: string, more: object): Promise<ServerProcess> {
  const file = join(FOLDER, `${id}.yaml`);
  const publish = { keys: [{ stream: STREAM, key: 'open sesame' }] };
  const state = { redis: { addresses: [redis.hostAndPort] } };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ id, host: id, secrets: [SECRET], publish, state, ...more }));
  return ServerProcess.start(['--config', file], {}, [command]);
}

beforeAll(async () => {
  redis = await RedisServer.start();
  usher = await startOne('usher', 'u1', {});
  for (const [id, site] of Object.entries({ o1: 'eu', o2: 'eu', e1: 'eu', e2: 'us', e3: 'us' })) {
    const roles = id.startsWith('o') ? ['origin', 'edge'] : ['edge'];
    servers.set(id, await startOne('server', id, { site, roles }));
  }
});

afterAll(async () => {
  await Promise.all([...servers.values(), usher].map((one) => one.end('SIGKILL')));
  await redis[Symbol.asyncDispose]();
});

const at = (id: string): ServerProcess => servers.get(id)!;
const urlOf = (id: string): string => `${at(id).rtmpUrl}/${STREAM}?key=open%20sesame`;

/** The path of a viewer's media, good on every server. */
async function viewersPath(): Promise<string> {
  const text = await untilAnswer(`${usher.url}/live/${STREAM}.m3u8`, (body) => body.includes('/play/'));
  return /\/play\/\S+\/(?=index\.m3u8)/.exec(text)![0];
}

async function untilAnswer(url: string, fits: (text: string) => boolean): Promise<string> {
  let text = '';
  for (let attempt = 0; attempt < 200; attempt++) {
    text = await fetch(url).then((answer) => answer.text(), String);
    if (fits(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} never answered what it should, but: ${text}`);
}

/** By server, the parent that is wanted for it first, once `fits` says so. */
async function untilPlanned(
  fits: (parents: Readonly<Record<string, string | undefined>>) => boolean,
): Promise<Readonly<Record<string, string | undefined>>> {
  let parents: Record<string, string | undefined> = {};
  await untilAnswer(`${usher.url}/api/cluster`, (text) => {
    const { plan } = JSON.parse(text) as Snapshot;
    parents = Object.fromEntries(
      Object.entries(plan).map(([id, { follows }]) => [id, follows[0]?.parents[0]?.id]),
    );
    return fits(parents);
  });
  return parents;
}

async function until(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 400 && !holds(); attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (!holds()) throw new Error(`never came true: ${holds}`);
}

const segmentsIn = (text: string): string[] => text.match(/^\d+\/\d+\.m4s$/gm) ?? [];
const numbersIn = (text: string): number[] =>
  segmentsIn(text).map((name) => Number(/\/(\d+)/.exec(name)![1]));

describe('a cluster', () => {
  let path: string;
  let broadcaster: Broadcaster;

  test('serves a stream, byte for byte the same, from servers that were never told of it', async () => {
    broadcaster = new Broadcaster(urlOf('o1'));
    path = await viewersPath();
    const lists = await Promise.all(
      [...servers.values()].map((server) =>
        untilAnswer(`${server.mediaUrl}${path}index.m3u8`, (text) => segmentsIn(text).length >= 3),
      ),
    );
    const name = segmentsIn(lists[0]!).at(-1)!;
    const bodies = await Promise.all(
      [...servers.values()].map(async (server) => {
        await untilAnswer(`${server.mediaUrl}${path}index.m3u8`, (text) => text.includes(name));
        return Buffer.from(await (await fetch(`${server.mediaUrl}${path}${name}`)).arrayBuffer());
      }),
    );
    expect(bodies[0]!.length).toBeGreaterThan(1000);
    for (const body of bodies) expect(body.equals(bodies[0]!)).toBe(true);
  });

  test('refuses a second broadcaster of the name on another server', async () => {
    const second = new Broadcaster(urlOf('o2'));
    await second.ended;
    expect(at('o2').lines.some((line) => line.msg === 'on air')).toBe(false);
    const refused = at('o2').lines.find((line) => /live on server o1/.test(String(line['reason'])));
    expect(refused).toBeDefined();
  });

  test('goes on when its state is lost and comes back empty', async () => {
    const cluster = (text: string): Snapshot => JSON.parse(text) as Snapshot;
    const { sinceMs } = cluster(await (await fetch(`${usher.url}/api/cluster`)).text());
    await redis.stop();
    const media = `${at('e1').mediaUrl}${path}index.m3u8`;
    const before = numbersIn(await (await fetch(media)).text()).at(-1)!;
    await untilAnswer(media, (text) => (numbersIn(text).at(-1) ?? 0) >= before + 3);
    const viewer = await fetch(`${usher.url}/live/${STREAM}.m3u8`);
    expect([viewer.status, await viewer.text()]).toEqual([200, expect.stringContaining('/play/')]);
    await redis.restart();
    await untilAnswer(`${usher.url}/api/cluster`, (text) => {
      const now = cluster(text);
      return now.sinceMs > sinceMs && now.servers.length === servers.size && now.streams[0]?.live === true;
    });
  });

  test('loses no chunk below a server of the tree that is killed', async () => {
    const readers = new Map(
      ['e1', 'e2', 'e3'].map((id) => [id, new FeedReader(`${at(id).mediaUrl}${path}live.mp4`)]),
    );
    const parents = await untilPlanned((parent) => parent.e2 === 'e3' || parent.e3 === 'e2');
    const [inner, below] = parents.e2 === 'e3' ? ['e3', 'e2'] : ['e2', 'e3'];
    await at(below!).logged((line) => line.msg === 'following' && line['parent'] === inner);
    const reader = readers.get(below!)!;
    const before = reader.sequences.length;
    await at(inner!).end('SIGKILL');
    await until(() => reader.sequences.length > before + 100);
    for (const id of ['e1', below!]) expect([id, readers.get(id)!.missing]).toEqual([id, 0]);
    // Wide enough for a machine that does much else; what it is here is printed.
    console.log(`inner server killed: longest gap below it ${Math.round(reader.longestGapMs)} ms`);
    expect(reader.longestGapMs).toBeLessThan(2_500);
    await Promise.all([...readers.values()].map((one) => one.close()));
    servers.delete(inner!);
  });

  test('is led by another usher when the one that leads dies', async () => {
    await using second = await startOne('usher', 'u2', {});
    await usher.end('SIGKILL');
    await second.logged((line) => line.msg === 'this usher leads');
    const viewer = await fetch(`${second.url}/live/${STREAM}.m3u8`);
    expect(viewer.status).toBe(200);
  });

  test('goes on at another origin when the first dies: the same numbering, a new epoch, a discontinuity', async () => {
    const media = `${at('e1').mediaUrl}${path}index.m3u8`;
    const before = await (await fetch(media)).text();
    await at('o1').end('SIGKILL');
    await broadcaster.ended;
    broadcaster = new Broadcaster(`${urlOf('o2')}&takeover=1`);
    await at('o2').logged((line) => line.msg === 'on air');
    const after = await untilAnswer(media, (text) => /#EXT-X-DISCONTINUITY\n[\s\S]*#EXTINF/.test(text));
    const numbers = numbersIn(after);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    expect(numbers).toEqual(expect.arrayContaining(numbersIn(before).slice(-1)));
    expect(new Set(segmentsIn(after).map((name) => name.split('/')[0])).size).toBe(2);
    await broadcaster[Symbol.asyncDispose]();
  });
});
