// What operators load: metrics by the rules of Prometheus, dashboards whose panels all have data, alerts that fire when they should.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock as clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { signToken } from '../../network/token.ts';
import { startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import { type Parts, type Running, start } from '../../server.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { until } from '../tools/cluster/test-cluster.ts';
import { FeedReader } from '../tools/media/feed-reader.ts';
import { readMultivariant } from '../tools/viewers/read-multivariant.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { INSTALLED, Prometheus, promtool } from '../tools/world/prometheus.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';

const SECRET = 'the secret of a cluster that is watched';
const HOUR_MS = 3_600_000;
/** Everything that a label may say of, none of which grows with viewers. `stream` is of the most watched alone. */
const LABELS = [
  ...['change', 'cdn', 'code', 'disk', 'encoding', 'form', 'kind', 'listener', 'method', 'reason', 'result'],
  ...['site', 'state', 'status', 'stream', 'verb', 'version', 'le'],
];
/** By which Prometheus reads what is counted in base units; the others count things. */
const UNITS = /_(?:seconds|bytes|bytes_per_second|dollars|ratio|info)$/;
const ABBREVIATED = /_(?:ms|millis|us|kb|mb|gb|kbps|mbps|bps|bits|min|minutes|hours|percent)(?:_|$)/;

let opened: AsyncDisposableStack;
let folder: ScratchFolder;
let redis: RedisServer;
let origin: Running;
let edge: Running;
let usher: Running;
let prometheus: Prometheus;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  folder = opened.use(await ScratchFolder.make());
  redis = opened.use(await RedisServer.start());
  const worker = {
    roles: ['origin', 'edge', 'transcoder'],
    archive: { storage: { directories: [at('store')] } },
  };
  [origin, edge, usher] = (await Promise.all([
    open('origin', 'server', worker),
    open('edge', 'server', { roles: ['edge'] }),
    open('usher', 'usher', {
      metrics: { topStreams: 5 },
      transcode: { perStream: [{ stream: 'nobody', ladder: ['160p30'] }] },
    }),
  ])) as [Running, Running, Running];
  const ports = [origin.mediaPort, edge.mediaPort, usher.usherPort];
  prometheus = opened.use(await Prometheus.start(ports.map((port) => `127.0.0.1:${port}`)));
  const logger = keepingLogger();
  const push = {
    host: '127.0.0.1',
    port: origin.rtmpPort,
    name: 'alice',
    key: token('publish'),
    clock,
    logger,
  };
  const broadcast = startSampleBroadcast(push);
  opened.defer(() => broadcast.stop());
});
afterAll(() => opened.disposeAsync());

function at(name: string): string {
  return join(folder.path, name);
}

async function open(id: string, parts: Parts, more: object): Promise<Running> {
  const state = { redis: { addresses: [redis.hostAndPort] } };
  const ports = { rtmpPort: 0, mediaPort: 0, usherPort: 0 };
  const config = { id, host: id, state, secrets: [SECRET], data: at(id), ...ports, ...more };
  writeFileSync(at(`${id}.yaml`), JSON.stringify(config));
  const running = await start(readConfig({ config: at(`${id}.yaml`) }, {}), keepingLogger(), parts);
  opened.defer(() => running.stop());
  return running;
}

function token(purpose: 'publish' | 'play'): string {
  return signToken([SECRET], { purpose, stream: 'alice', expiresAtMs: Date.now() + HOUR_MS, session: '' });
}

describe('the metrics of each process', () => {
  const texts: string[] = [];
  beforeAll(async () => {
    for (const port of [origin.mediaPort, edge.mediaPort, usher.usherPort])
      texts.push(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  });

  test('please promtool', async () => {
    for (const text of texts)
      expect(await promtool(['check', 'metrics'], text)).toEqual({ isGood: true, text: '' });
  });

  test('say in their name what they count, in base units, and in a sentence what it is', () => {
    for (const { name, type, help } of texts.flatMap(describedIn)) {
      expect(name).not.toMatch(ABBREVIATED);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      if (type === 'histogram') expect(name).toMatch(UNITS);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('have no label that grows with viewers', () => {
    const samples = texts.flatMap((text) => [...text.matchAll(/^headwater_\w+\{(.*)\} /gm)]);
    for (const [sample, labels] of samples)
      for (const [, label] of labels!.matchAll(/(\w+)="/g)) expect(LABELS, sample).toContain(label);
  });

  test('are known to the dashboards and the alerts by the names that they have', () => {
    const known = new Set(texts.flatMap(describedIn).map(({ name }) => name));
    const rules = readFileSync(join(INSTALLED, 'prometheus/alerts.yaml'), 'utf8');
    const used = [...queries().map(({ expr }) => expr), rules].join('\n').match(/\bheadwater_\w+/g)!;
    const names = new Set(used.map((name) => name.replace(/_(?:bucket|sum|count)$/, '')));
    expect([...names].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe.concurrent('Prometheus', () => {
  test('takes the configuration and the rules', async () => {
    const { isGood, text } = await promtool([
      'check',
      'config',
      join(INSTALLED, 'prometheus/prometheus.yaml'),
    ]);
    expect(text).toContain('rules found');
    expect(isGood).toBe(true);
  });

  test('fires each alert when it should, and not before', async () => {
    const file = join(import.meta.dirname, 'alerts.yaml');
    expect(await promtool(['test', 'rules', file])).toMatchObject({ isGood: true });
    const named = (path: string, key: string): string[] =>
      [...readFileSync(path, 'utf8').matchAll(new RegExp(`^ +- ${key}: (\\w+)$`, 'gm'))].map(
        ([, name]) => name!,
      );
    const alerts = named(join(INSTALLED, 'prometheus/alerts.yaml'), 'alert');
    expect(named(file, 'name').toSorted()).toEqual(alerts.toSorted());
  });

  test('has data for every panel of every dashboard while somebody watches, and nothing to alert of', async () => {
    await until(() => 'somebody can watch', come);
    // There is more than one segment by now: what the edge has of it is a copy, and not a beginning.
    const url = `http://127.0.0.1:${edge.mediaPort}/play/${token('play')}/alice/source/live.mp4`;
    await using _ = new FeedReader(url);
    let missing = queries();
    await until(
      () => `there is data for ${missing.map(({ title, expr }) => `${title}: ${expr}`).join('\n')}`,
      async () => {
        await come();
        const values = await Promise.all(missing.map(({ expr }) => prometheus.query(expr)));
        missing = missing.filter((_, index) => !values[index]!.some(Number.isFinite));
        return missing.length === 0;
      },
    );
    const rules = await prometheus.rules();
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });
});

test('panels lie beside each other in the grid, and each has an id, a title and a unit of its own', () => {
  for (const { panels } of boards()) {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    for (const { title, type, fieldConfig } of panels)
      expect([title, type === 'row' || fieldConfig?.defaults.unit]).toEqual([
        expect.stringMatching(/./),
        expect.anything(),
      ]);
  }
  expect(new Set(boards().map(({ uid }) => uid)).size).toBe(boards().length);
});

/** A viewer comes, reads a playlist, and tells how it plays. False while there is nothing to watch. */
async function come(): Promise<boolean> {
  const url = `http://127.0.0.1:${usher.usherPort}`;
  const answer = await fetch(`${url}/live/alice.m3u8`);
  if (!answer.ok) return false;
  const playlistUrl = readMultivariant(await answer.text()).variants[0]!.url;
  await fetch(playlistUrl);
  const body = JSON.stringify({ playedMs: 900, stalledMs: 9, startupMs: 300 });
  const headers = { 'Content-Type': 'application/json' };
  const query = new URLSearchParams({ stream: 'alice', token: playlistUrl.split('/')[4]! });
  await fetch(`${url}/api/quality?${query}`, { method: 'POST', headers, body });
  return true;
}

interface Described {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}

function describedIn(text: string): Described[] {
  const described = text.matchAll(/^# HELP (headwater_\w+) (.*)\n# TYPE \w+ (\w+)$/gm);
  return [...described].map(([, name, help, type]) => ({ name: name!, help: help!, type: type! }));
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Board {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
}

function boards(): Board[] {
  const folder = join(INSTALLED, 'grafana/dashboards');
  return readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Board);
}

/** The queries of all dashboards, for all processes, with rates over a few looks. */
function queries(): { readonly title: string; readonly expr: string }[] {
  return boards().flatMap((board) =>
    board.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({
        title: `${board.title}, ${title}`,
        expr: expr.replaceAll('$__rate_interval', '5s').replaceAll('$instance', '.+'),
      })),
    ),
  );
}
