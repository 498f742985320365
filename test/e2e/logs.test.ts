// The log of a cluster: one id follows a viewer from usher to the edge, one a broadcast into its recording, and no secret is in it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock as clock } from '../../network/clock.ts';
import { type SampleBroadcast, startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import type { LogLine, ServerProcess } from '../tools/cluster/server-process.ts';
import { STREAM, TestCluster } from '../tools/cluster/test-cluster.ts';
import { readMultivariant } from '../tools/viewers/read-multivariant.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { waitUntil } from '../tools/world/wait.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';
const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'shop=1' };
const WRONG_KEY = 'a key that was guessed';

let cluster: TestCluster;
let origin: ServerProcess;
let edge: ServerProcess;
let usher: ServerProcess;
const broadcasts: SampleBroadcast[] = [];
const said = (process: ServerProcess, message: string): Promise<LogLine> =>
  process.logged(({ msg }) => msg === message);

function publish(key: string): SampleBroadcast {
  const push = {
    host: '127.0.0.1',
    port: origin.rtmpPort,
    name: STREAM,
    key,
    clock,
    logger: keepingLogger(),
  };
  const broadcast = startSampleBroadcast(push);
  broadcasts.push(broadcast);
  return broadcast;
}

beforeAll(async () => {
  const log = 'debug';
  cluster = await TestCluster.start({
    servers: { origin: { site: 'ams', roles: ['origin'], log }, edge: { site: 'ams', roles: ['edge'], log } },
    ushers: ['usher'],
    usherConfig: { log },
  });
  [origin, edge, usher] = [cluster.server('origin'), cluster.server('edge'), cluster.usher('usher')];
});
afterAll(async () => {
  await Promise.all(broadcasts.map((broadcast) => broadcast.stop()));
  await cluster?.[Symbol.asyncDispose]();
});

test('lines of a broadcast and of its recording have the id of that recording', async () => {
  const guessed = publish(WRONG_KEY);
  await said(origin, 'RTMP connection refused or broken off');
  await guessed.stop();
  const key = new URL(cluster.publishUrl('origin')).searchParams.get('key')!;
  const broadcast = publish(key);
  const { recording, stream } = await said(origin, 'on air');
  expect(stream).toBe(STREAM);
  expect(await said(origin, 'recording begins')).toMatchObject({ recording, stream });
  await waitUntil(async () => (await fetch(cluster.playUrl)).ok);
  await broadcast.stop();
  expect(await said(origin, 'off air')).toMatchObject({ recording, stream });
  const kept = await fetch(`${usher.url}/api/streams/${STREAM}/recordings`);
  expect(JSON.stringify(await kept.json())).toContain(`"${recording}"`);
  publish(key);
});

test('lines of a viewer have one session at usher and at the edge, and the trace that the player is part of', async () => {
  await waitUntil(async () => (await fetch(cluster.playUrl)).ok);
  const answer = await fetch(cluster.playUrl, { headers });
  const { url } = readMultivariant(await answer.text()).variants[0]!;
  expect((await fetch(url, { headers })).status).toBe(200);
  const isTraced = ({ traceId }: LogLine): boolean => traceId === TRACE;
  const placed = await usher.logged(isTraced);
  const begun = await edge.logged((line) => isTraced(line) && line.msg === 'viewer begins to watch');
  expect(placed).toMatchObject({ level: 30, msg: 'viewer is placed', stream: STREAM, server: 'edge' });
  expect(placed['session']).toMatch(/^[\w-]{12}$/);
  expect(begun).toMatchObject({ level: 30, session: placed['session'], stream: STREAM });
  expect(new Set([CALLER, placed['spanId'], begun['spanId']]).size).toBe(3);
  for (const line of [placed, begun]) expect(line['spanId']).toMatch(/^[0-9a-f]{16}$/);
});

test('a traceparent that makes no sense is as none', async () => {
  const before = usher.lines.length;
  const broken = { traceparent: `00-${'0'.repeat(32)}-${CALLER}-01` };
  expect((await fetch(cluster.playUrl, { headers: broken })).status).toBe(200);
  await waitUntil(() => usher.lines.slice(before).some(({ msg }) => msg === 'viewer is placed'));
  for (const line of usher.lines.slice(before)) expect(line['traceId']).toBeUndefined();
});

test('no line of a viewer is without the session, and none of a broadcast without the recording', () => {
  const lines = [origin, edge, usher].flatMap((process) => process.lines);
  const ofViewers = lines.filter(({ msg }) => msg.startsWith('viewer '));
  expect(ofViewers.length).toBeGreaterThan(2);
  expect(ofViewers.filter((line) => line['session'] === undefined || line['stream'] !== STREAM)).toEqual([]);
  const ofBroadcasts = origin.lines.filter(
    (line) => line['stream'] === STREAM && line['session'] === undefined,
  );
  expect(ofBroadcasts.length).toBeGreaterThan(2);
  expect(ofBroadcasts.filter((line) => line['recording'] === undefined)).toEqual([]);
});

test('no line has a secret, a key or a token in it', async () => {
  const { steering, variants } = readMultivariant(await (await fetch(cluster.playUrl)).text());
  const steeringToken = steering.uri.split('/')[2]!;
  const playToken = variants[0]!.url.split('/')[4]!;
  await fetch(new URL(`${steering.uri}&_HLS_pathway=${steering.pathway}`, usher.url));
  await fetch(variants[0]!.url);
  const text = JSON.stringify([origin, edge, usher].flatMap(({ lines }) => lines));
  const key = new URL(cluster.publishUrl('origin')).searchParams.get('key')!;
  for (const secret of [WRONG_KEY, key, encodeURIComponent(key), cluster.secret, steeringToken, playToken])
    expect(text).not.toContain(secret);
  expect(text).not.toMatch(/Bearer |[?&]key=/);
});
