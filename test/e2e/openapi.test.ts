// The description of the API against the program that it describes: its routes, and what a running process answers.

import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EDGE_OPERATIONS } from '../../edge/operations.ts';
import { systemClock as clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import type { Route } from '../../network/http/http.ts';
import type { Operation } from '../../network/openapi/openapi.ts';
import { PROCESS_OPERATIONS } from '../../network/openapi/process.ts';
import { signToken } from '../../network/token.ts';
import { type SampleBroadcast, startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import { PROGRAM, type Running, start } from '../../server.ts';
import { TRANSCODER_OPERATIONS } from '../../transcoder/operations.ts';
import { USHER_OPERATIONS } from '../../usher/openapi/operations.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';
import { typed } from '../tools/world/typed.ts';
import { waitFor } from '../tools/world/wait.ts';

const OPERATIONS: readonly Operation[] = [
  ...[...USHER_OPERATIONS, ...EDGE_OPERATIONS],
  ...[...TRANSCODER_OPERATIONS, ...PROCESS_OPERATIONS],
];

/** Routes that no program from outside calls: pages with what they load, forms of pages, and what servers say to each other. */
const WITHIN = ['page', 'asset', 'sign-in', 'relay', 'recordings', 'recording-files'];
const CONSOLE_PAGES = /^\^\\\/console/;

type Listener = 'usher' | 'media';

const routesOf = vi.hoisted(() => new Map<string, readonly Route[]>());

vi.mock('../../network/http/http.ts', async (original) => {
  const http = await original<typeof import('../../network/http/http.ts')>();
  const listenHttp: typeof http.listenHttp = (options) => {
    routesOf.set(options.metrics.listener, options.routes);
    return http.listenHttp(options);
  };
  return { ...http, listenHttp };
});

const SECRET = 'a secret for the tests';
let scratch: ScratchFolder;
let running: Running;
let broadcast: SampleBroadcast;

beforeAll(async () => {
  scratch = await ScratchFolder.make();
  const free = { rtmpPort: '0', usherPort: '0', mediaPort: '0' };
  const config = readConfig({ ...free, data: scratch.path });
  const roles = ['origin', 'edge', 'transcoder'] as const;
  const own = { ...config, roles, id: 'ams-1', site: 'ams', sample: false, secrets: [SECRET] };
  running = await start(own, keepingLogger(), 'both');
  const address = { host: '127.0.0.1', port: running.rtmpPort };
  const key = tokenOf('publish', 'alice');
  broadcast = startSampleBroadcast({ ...address, name: 'alice', key, clock, logger: keepingLogger() });
  const recorded = async () => JSON.parse((await ask('/api/streams/alice/recordings')).text);
  await waitFor(async () => expect(await recorded()).toMatchObject({ recordings: [{}] }));
});
afterAll(async () => {
  await broadcast.stop();
  await running.stop();
  await scratch[Symbol.asyncDispose]();
});

function tokenOf(purpose: 'publish' | 'operate' | 'play', stream: string): string {
  return signToken([SECRET], { purpose, stream, expiresAtMs: clock.now() + 3_600_000, session: '' });
}

const portOf = (listener: Listener): number => (listener === 'usher' ? running.usherPort : running.mediaPort);

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** A path of usher's, or an address. */
async function ask(where: string, init: RequestInit = {}): Promise<Answered> {
  const url = where.startsWith('/') ? `http://127.0.0.1:${portOf('usher')}${where}` : where;
  const answer = await fetch(url, { ...init, redirect: 'manual' });
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  if (type === 'text/event-stream' || url.includes('/live.mp4')) {
    await answer.body?.cancel();
    return { status: answer.status, type, text: '' };
  }
  return { status: answer.status, type, text: await answer.text() };
}

test('it is valid OpenAPI 3.1, the same from the command and from a process', async () => {
  const printed = JSON.parse((await typed(PROGRAM, ['openapi'])).out);
  const { valid, errors } = await new Validator().validate(structuredClone(printed));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(JSON.parse((await ask('/api/openapi.json')).text)).toEqual(printed);
});

test('the page tells of every operation, and its links lead somewhere', async () => {
  const { text } = await ask('/api/docs');
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
  const links = [...text.matchAll(/href="#([^"]+)"/g)].map(([, to]) => to!);
  expect(ids).toEqual(expect.arrayContaining(OPERATIONS.map(({ id }) => id)));
  expect(links.filter((to) => !ids.includes(to))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
});

test('every operation has a name of its own', () => {
  expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
});

describe.each(['usher', 'media'] as const)('of the listener %s', (listener) => {
  const described = OPERATIONS.filter((each) => each.listener === listener || each.listener === 'both');

  test('every route that a program may call is described', () => {
    const undescribed = routesOf
      .get(listener)!
      .filter(({ kind, pattern }) => !WITHIN.includes(kind) && !CONSOLE_PAGES.test(pattern.source))
      .filter((route) => !described.some((operation) => isServedBy(operation, route)));
    expect(undescribed.map(({ method, pattern }) => `${method} ${pattern.source}`)).toEqual([]);
  });

  test('every operation is a route', () => {
    const routes = routesOf.get(listener)!;
    const unserved = described.filter((operation) => !routes.some((route) => isServedBy(operation, route)));
    expect(unserved.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });
});

/** Whether the template's path, with values that its parameters may have, is the route's. */
function isServedBy({ method, path, params }: Operation, route: Route): boolean {
  if (route.method !== method) return false;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => exampleOf(params?.shape[name]));
  return route.pattern.test(filled);
}

function exampleOf(schema: unknown): string {
  const { example } = (schema as { meta(): { example?: string } | undefined }).meta() ?? {};
  return example ?? (schema as { options?: string[] }).options?.[0] ?? 'anything';
}

describe('what a process answers is what is described', () => {
  let media: { playlist: string; segment: string; part: string; init: string };
  let recording: string;
  const asOwner = { headers: { Authorization: 'Bearer ' } };
  const asOperator = { headers: { Authorization: '' } };
  beforeAll(async () => {
    asOwner.headers.Authorization = `Bearer ${tokenOf('publish', 'alice')}`;
    asOperator.headers.Authorization = `Bearer ${tokenOf('operate', '*')}`;
    const [, playlist = ''] = /^(http.*)$/m.exec((await ask('/live/alice.m3u8')).text) ?? [];
    const { text } = await ask(playlist);
    const named = (pattern: RegExp): string => new URL(pattern.exec(text)![1]!, playlist).href;
    media = {
      playlist,
      segment: named(/^(\d+\/\d+\.m4s)$/m),
      part: named(/EXT-X-PART:.*?URI="([^"]+)"/),
      init: named(/EXT-X-MAP:URI="([^"]+)"/),
    };
    const { recordings } = JSON.parse((await ask('/api/streams/alice/recordings')).text);
    recording = recordings[0].id;
  });

  const json = (value: unknown, with_: object = {}): RequestInit => ({
    ...with_,
    method: 'POST',
    body: JSON.stringify(value),
  });
  const token = (): string => media.playlist.split('/')[4]!;
  const steering = (): Promise<string> =>
    ask('/live/alice.m3u8').then(({ text }) => /SERVER-URI="([^"]+)"/.exec(text)![1]!);
  const vod = async (name: string): Promise<string> => {
    const [, playlist = ''] = /^(http.*)$/m.exec((await ask(`/vod/${recording}.m3u8`)).text) ?? [];
    return new URL(name, playlist).href;
  };
  const key = { id: '0123456789abcdef', stream: 'alice', expiresAtMs: clock.now() + 60_000 };

  const CALLS: Readonly<Record<string, () => Promise<Answered>>> = {
    listStreams: () => ask('/api/streams'),
    getStream: () => ask('/api/streams/alice'),
    listIngests: () => ask('/ingests'),
    listRecordings: () => ask('/api/streams/alice/recordings'),
    listRecentRecordings: () => ask('/api/recordings'),
    getRecording: () => ask(`/api/recordings/${recording}`),
    changeRecording: () =>
      ask(`/api/recordings/${recording}`, { ...json({ title: 'A title' }, asOwner), method: 'PATCH' }),
    cutClip: () => ask(`/api/recordings/${recording}/clips`, json({ last: 1 }, asOwner)),
    deleteRecording: () => ask(`/api/recordings/${recording}`, { method: 'DELETE', ...asOwner }),
    watch: () => ask('/live/alice.m3u8'),
    watchProgressively: () => ask('/live/alice.mp4'),
    steer: async () => ask(await steering()),
    watchRecording: () => ask(`/vod/${recording}.m3u8`),
    getRecordingPicture: () => ask(`/vod/${recording}.jpg`),
    getRecordingTiles: () => ask(`/vod/${recording}.vtt`),
    steerRecording: async () =>
      ask(/SERVER-URI="([^"]+)"/.exec((await ask(`/vod/${recording}.m3u8`)).text)![1]!),
    reportQuality: () =>
      ask(`/api/quality?stream=alice&token=${token()}`, json({ playedMs: 1000, stalledMs: 0 })),
    getTime: () => ask('/api/time'),
    getCluster: () => ask('/api/cluster', asOperator),
    explain: () => ask('/api/explain?stream=alice&address=192.0.2.7', asOperator),
    drain: () => ask('/api/servers/nobody/drain', { method: 'POST', ...asOperator }),
    undrain: () => ask('/api/servers/ams-1/drain', { method: 'DELETE', ...asOperator }),
    listKeys: () => ask('/api/keys', asOperator),
    noteKey: () => ask('/api/keys', json(key, asOperator)),
    revokeKey: () => ask(`/api/keys/${key.id}`, { method: 'DELETE', ...asOperator }),
    whoAmI: () => ask('/api/console/me', asOperator),
    listen: () => ask('/api/console/live?stream=alice', asOperator),
    listEvents: () => ask('/api/console/events', asOperator),
    getHistory: () => ask('/api/console/history', asOperator),
    getHistoryOf: () => ask('/api/console/history/servers/ams-1', asOperator),
    getSpend: () => ask('/api/console/spend', asOperator),
    getServer: () => ask('/api/console/servers/ams-1', asOperator),
    getSite: () => ask('/api/console/sites/ams', asOperator),
    getStreamTrees: () => ask('/api/console/streams/alice', asOperator),
    getStreamPicture: () => ask('/api/console/streams/nobody/thumbnail', asOperator),
    getDescription: () => ask('/api/openapi.json'),
    getMediaPlaylist: () => ask(media.playlist),
    getSegment: () => ask(media.segment),
    getPart: () => ask(media.part),
    getInit: () => ask(media.init),
    playProgressively: () => ask(new URL('live.mp4', media.playlist).href),
    getRecordedPlaylist: async () => ask(await vod('index.m3u8')),
    getRecordedFile: async () => {
      const playlist = await vod('index.m3u8');
      const [, file = ''] = /EXT-X-MAP:URI="([^"]+)"/.exec((await ask(playlist)).text) ?? [];
      return ask(new URL(file, playlist).href, { headers: { Range: 'bytes=0-99' } });
    },
    downloadRecording: async () => ask(await vod('1.mp4')),
    getRecordedThumbnail: async () => ask(await vod('../thumbnail.jpg')),
    getSeekBarTiles: async () => ask(await vod('../thumbnails.vtt')),
    getSeekBarSprite: async () => ask(await vod('../source.0000000000.sprite.jpg')),
    getThumbnail: () =>
      ask(`http://127.0.0.1:${portOf('media')}/thumb/${tokenOf('play', 'alice')}/alice.jpg`),
    isAlive: () => ask('/healthz'),
    isReady: () => ask('/readyz'),
    getMetrics: () => ask('/metrics'),
  };

  /** Of these only a refusal is asked for: what they do else others need, or takes ten seconds to be made. */
  const REFUSED = [
    ...['deleteRecording', 'drain', 'getStreamPicture'],
    ...['getRecordingPicture', 'getRecordingTiles', 'getThumbnail'],
    ...['getRecordedThumbnail', 'getSeekBarTiles', 'getSeekBarSprite'],
  ];

  test('all of them are asked', () => {
    expect(Object.keys(CALLS).toSorted()).toEqual(OPERATIONS.map(({ id }) => id).toSorted());
  });

  test.each(OPERATIONS.map((operation) => [operation.id, operation] as const))(
    '%s',
    async (id, { answers, problems = [] }) => {
      const { status, type, text } = await CALLS[id]!();
      const answer = answers[status];
      if (REFUSED.includes(id)) expect([...problems, ...Object.keys(answers).map(Number)]).toContain(status);
      else expect(Object.keys(answers).map(Number), text.slice(0, 300)).toContain(status);
      if (status >= 400 && !answer) {
        const problem = { title: expect.any(String), status, detail: expect.any(String) };
        expect(JSON.parse(text)).toEqual(problem);
        expect(type).toBe('application/problem+json');
      } else if (answer?.type) {
        expect(type).toBe(answer.type);
        // What the schema does not know it leaves out: nothing that is not described is answered.
        if (type.endsWith('json') || type.includes('steering')) {
          const value: unknown = JSON.parse(text);
          expect(answer.schema!.parse(value)).toEqual(value);
        }
      }
    },
  );
});
