// What somebody outside asks a running server for, and must not get: files, other sites' addresses, its log and its metrics.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signToken } from '../../network/token.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { command } from '../tools/rtmp/rtmp-bytes.ts';
import { RawRtmpClient } from '../tools/rtmp/rtmp-client.ts';
import { readMultivariant } from '../tools/viewers/read-multivariant.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';

const SECRETS = ['the secret of a server under test'];
let server: ServerProcess;
/** Of the sample broadcast. */
let media: string;
let token: string;
let steering: string;

beforeAll(async () => {
  const file = join(lastingFolder(), 'config.yaml');
  const publish = { keys: [{ stream: 'alice', key: 'open-sesame' }] };
  writeFileSync(file, JSON.stringify({ secrets: SECRETS, publish, map: { cityDb: [], routes: [] } }));
  server = await ServerProcess.start(['--config', file]);
  await server.logged(({ msg }) => msg === 'on air');
  const playlist = readMultivariant(await (await fetch(`${server.url}/live/sample.m3u8`)).text());
  media = playlist.variants[0]!.url;
  token = media.split('/')[4]!;
  steering = playlist.steering.uri;
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** What is known of the recordings of a stream that there never was, by whatever name. */
const NO_RECORDINGS = '{"recordings":[]}';

describe('a path', () => {
  const UP = ['..', '%2e%2e', '%252e%252e', '..%2f', '..%5c', '..\\', '..;', '%c0%ae%c0%ae', '%00'];
  const BEHIND = (way: string): string[] => [
    `/assets/${`${way}/`.repeat(6)}etc/passwd`,
    `/assets/usher/${way}/${way}/package.json`,
    `/watch/${way}/${way}/etc/passwd`,
    `/replay/${way}%2fetc`,
    `/api/recordings/${way}%2f${way}%2fetc%2fpasswd`,
    `/api/streams/${way}/recordings`,
    `/vod/${way}%2fetc.m3u8`,
    `/vod/${token}/sample/${way}/source/index.m3u8`,
    `/vod/${token}/sample/${way}%2f${way}/source.0.mp4`,
    `/play/${token}/sample/${way}/index.m3u8`,
    `/play/${token}/${way}/source/live.mp4`,
    `/play/${way}/sample/source/index.m3u8`,
    `/recordings/${token}/${way}/files/${way}%2fpasswd`,
    `/relay/${way}/source?as=${way}`,
    `/thumb/${token}/${way}.jpg`,
    `/steer/${way}/sample`,
    `//evil.example/${way}/x`,
    `http://evil.example/${way}/etc/passwd`,
  ];

  test.each(UP)('with %j leads to nothing at any listener, and is no fault of ours', async (way) => {
    for (const listener of [server.url, server.mediaUrl]) {
      const answers = await askAll(listener, BEHIND(way));
      for (const { path, status, body } of answers) {
        expect([path, (status >= 400 && status < 500) || body.endsWith(NO_RECORDINGS)]).toEqual([path, true]);
        expect(body).not.toMatch(/root:|"headwater"/);
      }
    }
    expect(server.lines.filter(({ level }) => level >= 50)).toEqual([]);
  });
});

describe('nobody is sent to another site', () => {
  test('by the host, or the forwarded host, of a request', async () => {
    const headers = {
      Host: 'evil.example',
      'X-Forwarded-Host': 'evil.example',
      Forwarded: 'host=evil.example',
    };
    for (const path of ['/live/sample.m3u8', '/live/sample.mp4', '/console', steering]) {
      const { text } = await ask(server.url, path, headers);
      expect(text).toMatch(/^HTTP\/1\.1 [23]/);
      expect(text).not.toContain('evil');
      expect(text).toMatch(/cache-control: no-store/i);
    }
  });

  test.each([
    '//evil.example',
    '/\\evil.example',
    '/console/..//evil.example',
    '/console%0d%0aX-Evil:1',
    'javascript:evil',
  ])('by %j as where to go after signing in', async (next) => {
    const operate = {
      purpose: 'operate',
      stream: '*',
      expiresAtMs: Date.now() + 60_000,
      session: '',
    } as const;
    const answer = await fetch(`${server.url}/console/sign-in`, {
      method: 'POST',
      body: new URLSearchParams({ token: signToken(SECRETS, operate), next }),
      headers: { Origin: server.url },
      redirect: 'manual',
    });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console']);
    expect(answer.headers.get('x-evil')).toBeNull();
  });

  test('by pathways that it says it is at, or was given', async () => {
    const own = /pathways=([^&]+)/.exec(steering)![1]!;
    for (const id of ['//evil.example', 'http://evil.example', `${own}x`, '../..', 'server-000000']) {
      const path = steering.replace(own, encodeURIComponent(id));
      const answer = await fetch(`${server.url}${path}&_HLS_pathway=${encodeURIComponent(id)}`);
      const list = await answer.text();
      expect([answer.status, list.includes('evil')]).toEqual([200, false]);
      expect(list).toContain('PATHWAY-PRIORITY');
    }
  });

  test('with a header of somebody’s own behind a line break', async () => {
    for (const path of ['/live/sample.mp4?from=1%0d%0aX-Evil:1', '/console/x%0d%0aX-Evil:1'])
      expect((await ask(server.url, path)).text).not.toMatch(/^x-evil/im);
  });
});

describe('a range', () => {
  test.each([
    ['of nothing but numbers', 'bytes=0-99999999999999999999', 206],
    ['below nothing', 'bytes=-0', 416],
    ['beyond the end', 'bytes=99999999999-', 416],
    ['the wrong way round', 'bytes=5-2', 416],
    ['of something else', 'lines=1-2', 200],
    ['without a number', 'bytes=-', 200],
    ['that is no number', 'bytes=0x1-0x2', 200],
    ['one of two that overlap', 'bytes=0-100,50-150', 200],
    ['one of a thousand', `bytes=${Array.from({ length: 1_000 }, (_, at) => `${at}-`).join(',')}`, 200],
  ])('%s of a live segment gets no more than the segment', async (_, range, status) => {
    const name = /#EXT-X-MAP:URI="([^"]+)"/.exec(await (await fetch(media)).text())![1]!;
    const url = new URL(name, media);
    const whole = await (await fetch(url)).arrayBuffer();
    const answer = await fetch(url, { headers: { Range: range } });
    expect(answer.status).toBe(status);
    expect((await answer.arrayBuffer()).byteLength).toBe(status === 416 ? 0 : whole.byteLength);
  });
});

test('thousands of paths, methods, names and browsers are no more series than there were', async () => {
  const before = await series();
  for (let batch = 0; batch < 10; batch++) {
    const paths = Array.from({ length: 200 }, (_, at) => `/live/x${batch}.${at}.m3u8?a=${at}`);
    const others = Array.from({ length: 50 }, (_, at) => `/${batch}/${at}`);
    await askAll(server.url, [...paths, ...others], (at) => ({ 'User-Agent': `u${batch}.${at}` }));
  }
  for (const method of ['PUT', 'PROPFIND', 'LINK', 'TRACE', 'QUERY']) await ask(server.url, '/', {}, method);
  const after = await series();
  const grown = after.filter((name) => !before.includes(name));
  expect(grown.filter((name) => /x\d\.|PROPFIND|u\d\./.test(name))).toEqual([]);
  expect(grown.length).toBeLessThan(40);
});

test('a name with a line break and a terminal’s codes in it is one line of the log, in which they do nothing', async () => {
  const name = `alice\n{"level":60,"msg":"forged"}\u001b[2J${'x'.repeat(5_000)}`;
  const client = await RawRtmpClient.connected(server.rtmpPort);
  client.write(command('createStream', 2, null), command('publish', 3, null, name, 'live'));
  const { description } = await client.refusal();
  expect(description).toMatch(/^[ -~]{1,300}$/);
  await ask(server.url, `/live/${encodeURIComponent(name).slice(0, 2_000)}.m3u8`);
  const line = await server.logged(({ reason }) => String(reason).includes('alice\\u{a}'));
  expect(JSON.stringify(line).length).toBeLessThan(1_000);
  expect(server.lines.filter(({ msg, level }) => msg === 'forged' || level >= 60)).toEqual([]);
});

test('who publishes needs the stream’s key, and no other stream’s or a viewer’s', async () => {
  for (const key of ['', 'open-sesam', token, 'open-sesame']) {
    const client = await RawRtmpClient.connected(server.rtmpPort);
    const stream = key === 'open-sesame' ? 'sample' : 'alice';
    client.write(
      command('createStream', 2, null),
      command('publish', 3, null, `${stream}?key=${key}`, 'live'),
    );
    expect((await client.refusal()).level).toBe('error');
  }
  expect(server.lines.some((line) => JSON.stringify(line).includes('open-sesam'))).toBe(false);
});

test('a body that is packed, deep, or said to be another form is refused as what it is', async () => {
  const url = `${server.url}/api/quality?stream=sample&token=${token}`;
  const bodies = [
    { 'Content-Encoding': 'gzip', body: new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]) },
    { 'Content-Type': 'application/json', body: '['.repeat(8_000) },
    { 'Content-Type': 'application/json', body: '{"__proto__":{"playedMs":1},"playedMs":"x"}' },
    { 'Content-Type': 'multipart/form-data; boundary=a', body: '--a\r\n' },
  ];
  for (const { body, ...headers } of bodies)
    expect(
      (await fetch(url, { method: 'POST', body, headers: headers as Record<string, string> })).status,
    ).toBe(400);
  expect((await fetch(url, { method: 'POST', body: 'x'.repeat(9_000) })).status).toBe(413);
});

interface Answered {
  readonly path: string;
  readonly status: number;
  readonly body: string;
}

/** Over one connection, one after another, each path as it stands. */
async function askAll(
  url: string,
  paths: readonly string[],
  headersOf: (at: number) => Readonly<Record<string, string>> = () => ({}),
): Promise<Answered[]> {
  return Promise.all(
    paths.map(async (path, at) => {
      const { text } = await ask(url, path, headersOf(at));
      return { path, status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), body: text };
    }),
  );
}

/** As no client would: nothing is normalised. */
async function ask(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<{ text: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = Object.entries({ Host: 'headwater', Connection: 'close', ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
  socket.write(`${method} ${path} HTTP/1.1\r\n${head}\r\n`);
  await once(socket, 'close');
  return { text: Buffer.concat(pieces).toString('latin1') };
}

/** Names and labels of all that Prometheus would keep. */
async function series(): Promise<string[]> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return text
    .split('\n')
    .flatMap((line) => (line === '' || line.startsWith('#') ? [] : [line.replace(/ \S+$/, '')]));
}
