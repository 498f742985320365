import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Broadcaster } from '../tools/broadcaster.ts';
import { ServerProcess } from '../tools/server-process.ts';

const run = promisify(execFile);

interface Recording {
  readonly id: string;
  readonly endedAt: string | null;
  readonly durationMs: number;
  readonly url: string;
  readonly gaps: unknown[];
}

const data = mkdtempSync(join(tmpdir(), 'headwater-archive-'));
let server: ServerProcess;
beforeAll(async () => {
  server = await start();
});
afterAll(async () => {
  await server.end('SIGTERM');
  rmSync(data, { recursive: true, force: true });
});

function start(): Promise<ServerProcess> {
  return ServerProcess.start(['--no-sample', '--data', data]);
}

async function recordingsOf(stream: string): Promise<Recording[]> {
  const answer = await fetch(`${server.url}/api/streams/${stream}/recordings`);
  return ((await answer.json()) as { recordings: Recording[] }).recordings;
}

async function until<Value>(ask: () => Promise<Value | undefined>): Promise<Value> {
  for (let attempt = 0; attempt < 150; attempt++) {
    const value = await ask();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it never became so');
}

const recorded = (stream: string, fits: (recording: Recording) => boolean): Promise<Recording> =>
  until(async () => (await recordingsOf(stream)).find(fits));

/** The media playlist of the only rendition. */
async function playlistOf(url: string): Promise<{ url: string; text: string }> {
  const variants = await (await fetch(`${server.url}${url}`)).text();
  const media = variants.trim().split('\n').at(-1)!;
  return { url: media, text: await (await fetch(media)).text() };
}

async function probe(url: string): Promise<{ durationS: number; frames: number }> {
  const shown = ['-show_entries', 'format=duration:stream=nb_read_packets', '-count_packets'];
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    ...shown,
    '-select_streams',
    'v',
    '-of',
    'json',
    url,
  ]);
  const { format, streams } = JSON.parse(stdout) as {
    format: { duration: string };
    streams: { nb_read_packets: string }[];
  };
  return { durationS: Number(format.duration), frames: Number(streams[0]!.nb_read_packets) };
}

/** Whatever ffmpeg has to say while it decodes all of it. */
async function decode(url: string): Promise<string> {
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', url, '-f', 'null', '-']);
  return stderr;
}

describe('a broadcast that was interrupted, and came back with another picture', () => {
  let recording: Recording;
  beforeAll(async () => {
    const first = new Broadcaster(`${server.rtmpUrl}/alice`);
    await server.logged((line) => line.msg === 'on air');
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    await first[Symbol.asyncDispose]();
    const second = new Broadcaster(`${server.rtmpUrl}/alice`, { size: '480x270', profile: 'high' });
    await server.logged(() => server.lines.filter(({ msg }) => msg === 'on air').length === 2);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const { text } = await playlistOf((await recorded('alice', () => true)).url);
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    expect(text).not.toContain('#EXT-X-ENDLIST');
    await second[Symbol.asyncDispose]();
    await server.end('SIGTERM');
    server = await start();
    recording = await recorded('alice', () => true);
  });

  test('is one recording, without a gap', async () => {
    expect(await recordingsOf('alice')).toHaveLength(1);
    expect(recording.gaps).toEqual([]);
    expect(recording.durationMs).toBeGreaterThan(6_000);
  });

  test('plays as VOD: both pictures, a discontinuity between them, and an end', async () => {
    const { url, text } = await playlistOf(recording.url);
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(text.match(/#EXT-X-DISCONTINUITY$/gm)).toHaveLength(1);
    expect(text.match(/#EXT-X-MAP/g)).toHaveLength(2);
    expect(text.trim().endsWith('#EXT-X-ENDLIST')).toBe(true);
    const { durationS, frames } = await probe(url);
    expect(Math.abs(durationS * 1000 - recording.durationMs)).toBeLessThan(200);
    expect(Math.abs(frames - (recording.durationMs / 1000) * 30)).toBeLessThan(5);
  });

  test('is downloaded as MP4 files that begin at 0 and can be sought in, one for each picture', async () => {
    const { url } = await playlistOf(recording.url);
    const file = (run: number): string => url.replace(/index\.m3u8$/, `${run}.mp4`);
    const parts = await Promise.all([probe(file(1)), probe(file(2))]);
    const durationMs = (parts[0]!.durationS + parts[1]!.durationS) * 1000;
    expect(Math.abs(durationMs - recording.durationMs)).toBeLessThan(200);
    // ffmpeg's HLS reader does not take another picture in the middle of a playlist; in files of their own both are whole.
    expect(await Promise.all([decode(file(1)), decode(file(2))])).toEqual(['', '']);
    const { stdout } = await run('ffmpeg', [
      '-v',
      'error',
      '-ss',
      '1.5',
      '-i',
      file(1),
      '-frames:v',
      '1',
      '-f',
      'framecrc',
      '-',
    ]);
    expect(stdout).toContain('#dimensions 0: 640x360');
    const whole = Buffer.from(await (await fetch(file(1))).arrayBuffer());
    const from = Math.floor(whole.length / 2);
    const part = await fetch(file(1), { headers: { Range: `bytes=${from}-${from + 9_999}` } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(from, from + 10_000))).toBe(true);
    expect((await fetch(file(3))).status).toBe(404);
  });

  test('answers conditions and ranges, and refuses what makes no sense', async () => {
    const { url, text } = await playlistOf(recording.url);
    const name = text.split('\n').find((line) => line.endsWith('.mp4'))!;
    const file = new URL(name, url).href;
    const head = await fetch(file, { method: 'HEAD' });
    const etag = head.headers.get('etag')!;
    expect(head.headers.get('cache-control')).toContain('immutable');
    const ask = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(file, { headers })).status;
    expect(await ask({ 'If-None-Match': etag })).toBe(304);
    expect(await ask({ Range: 'bytes=0-99', 'If-Range': etag })).toBe(206);
    expect(await ask({ Range: 'bytes=0-99', 'If-Range': '"another"' })).toBe(200);
    expect(await ask({ Range: 'bytes=999999999-' })).toBe(416);
    for (const path of ['..%2f..%2fsecrets', 'source.0000000099', '%2e%2e'])
      expect((await fetch(file.replace(/[^/]+\.mp4$/, `${path}.mp4`))).status).toBe(404);
    expect((await fetch(`${server.url}/vod/alice.${'z'.repeat(8)}.m3u8`)).status).toBe(404);
    expect((await fetch(`${server.url}/vod/..%2f..%2fetc.m3u8`)).status).toBe(404);
    expect((await fetch(file.replace(/\/vod\/[^/]+\//, '/vod/forged/'))).status).toBe(403);
  });
});

test('a server that is killed leaves a recording that plays to its last whole segment', async () => {
  await using broadcaster = new Broadcaster(`${server.rtmpUrl}/bob`);
  await server.logged((line) => line.msg === 'on air' && line['stream'] === 'bob');
  await new Promise((resolve) => setTimeout(resolve, 4_300));
  await server.end('SIGKILL');
  await broadcaster.ended;
  server = await start();
  const { url, text } = await playlistOf((await recorded('bob', () => true)).url);
  expect(text.match(/#EXTINF/g)!.length).toBeGreaterThanOrEqual(3);
  expect(text).toContain('#EXT-X-ENDLIST');
  expect(await decode(url)).toBe('');
});
