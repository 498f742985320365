import { execFile } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { Broadcaster } from '../tools/rtmp/broadcaster.ts';
import { launchChromium, openPage, screenshot } from '../tools/viewers/chromium.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';

const run = promisify(execFile);

interface Recording {
  readonly id: string;
  readonly title: string;
  readonly isKept: boolean;
  readonly clipOf: string | null;
  readonly endedAt: string | null;
  readonly durationMs: number;
  readonly url: string;
  readonly gaps: unknown[];
  readonly thumbnail: string | null;
  readonly keepers: string[];
}

const data = lastingFolder();
const config = join(data, 'headwater.yaml');
writeFileSync(config, `archive: {storage: {directories: [${join(data, 'store')}]}}\n`);
let server: ServerProcess;

const start = (): Promise<ServerProcess> =>
  ServerProcess.start(['--no-sample', '--data', data, '--config', config]);

async function ask(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; value: Recording }> {
  const answer = await fetch(server.url + path, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: answer.status, value: (await answer.json()) as Recording };
}

async function recordingsOf(stream: string): Promise<Recording[]> {
  const { value } = await ask('GET', `/api/streams/${stream}/recordings`);
  return (value as unknown as { recordings: Recording[] }).recordings;
}

async function until<Value>(find: () => Promise<Value | undefined>): Promise<Value> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const value = await find();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never became so');
}

/** Once a recording of the stream, which is not a clip, is so. */
const recorded = (stream: string, fits: (recording: Recording) => boolean): Promise<Recording> =>
  until(async () => (await recordingsOf(stream)).find((each) => each.clipOf === null && fits(each)));

/** The media playlist of the only rendition. */
async function playlistOf(url: string): Promise<{ url: string; text: string }> {
  const variants = await (await fetch(server.url + url)).text();
  const media = variants.trim().split('\n').at(-1)!;
  return { url: media, text: await (await fetch(media)).text() };
}

/** Once so many segments of it are there. */
const playlistWith = (url: string, segments: number): Promise<{ url: string; text: string }> =>
  until(async () => {
    const playlist = await playlistOf(url);
    return countIn(playlist.text) >= segments ? playlist : undefined;
  });

const countIn = (playlist: string): number => playlist.match(/#EXTINF/g)?.length ?? 0;

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

async function dimensionsOf(url: string): Promise<object> {
  const shown = ['-show_entries', 'stream=codec_name,width,height'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...shown, '-of', 'json', '-f', 'mjpeg', url]);
  return (JSON.parse(stdout) as { streams: object[] }).streams[0]!;
}

/** Whatever ffmpeg has to say while it decodes all of it. */
async function decode(url: string): Promise<string> {
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-i', url, '-f', 'null', '-']);
  return stderr;
}

/** A second is the aim on a machine of its own. */
const SEEK_ALLOWANCE = 3;

/** Runs in the page: seeks to each place in turn, and waits until it shows what is there. */
async function seekTo(
  places: readonly number[],
): Promise<{ landedS: number; width: number; tookMs: number }[]> {
  const video = window.replay!;
  const seeks = [];
  for (const place of places) {
    const beganMs = performance.now();
    const seeked = new Promise((resolve) => video.addEventListener('seeked', resolve, { once: true }));
    video.currentTime = place;
    await seeked;
    seeks.push({ landedS: video.currentTime, width: video.videoWidth, tookMs: performance.now() - beganMs });
  }
  return seeks;
}

/** A first picture, then another one after a break; killed while it and another stream are live. */
let alice: Recording;
let event: string;
let liveClip: Recording;
let told: number;
beforeAll(async () => {
  server = await start();
  const first = new Broadcaster(`${server.rtmpUrl}/alice`);
  const { url } = await recorded('alice', () => true);
  await playlistWith(url, 3);
  await first[Symbol.asyncDispose]();
  await using _second = new Broadcaster(`${server.rtmpUrl}/alice`, { size: '480x270', profile: 'high' });
  await using _bob = new Broadcaster(`${server.rtmpUrl}/bob`);
  // The clip is to be of the second picture alone.
  event = await until(async () => {
    const { text } = await playlistOf(url);
    return countIn(text.split('#EXT-X-DISCONTINUITY\n')[1] ?? '') >= 3 ? text : undefined;
  });
  liveClip = (await ask('POST', `/api/recordings/${(await recordingsOf('alice'))[0]!.id}/clips`, { last: 2 }))
    .value;
  told = countIn((await playlistOf(url)).text);
  await server.end('SIGKILL');
  server = await start();
  alice = await recorded('alice', () => true);
});
afterAll(async () => {
  await server.end('SIGTERM');
});

describe('a broadcast that was interrupted, came back with another picture, and whose server was killed', () => {
  test('was there to be rewound while it was live, from its beginning', () => {
    expect(event).toContain('#EXT-X-PLAYLIST-TYPE:EVENT');
    expect(event).toContain('#EXT-X-MEDIA-SEQUENCE:0');
    expect(event).not.toContain('#EXT-X-ENDLIST');
  });

  test('is one recording, without a gap, with every segment that it had when it was killed', async () => {
    expect((await recordingsOf('alice')).filter(({ clipOf }) => clipOf === null)).toHaveLength(1);
    expect(alice.gaps).toEqual([]);
    const { text } = await playlistOf(alice.url);
    expect(countIn(text)).toBeGreaterThanOrEqual(told);
    const bob = await playlistOf((await recorded('bob', () => true)).url);
    expect(await decode(bob.url)).toBe('');
  });

  test('plays as VOD: both pictures, a discontinuity between them, and an end', async () => {
    const { url, text } = await playlistOf(alice.url);
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD');
    expect(text.match(/#EXT-X-DISCONTINUITY$/gm)).toHaveLength(1);
    expect(text.match(/#EXT-X-MAP/g)).toHaveLength(2);
    expect(text.trim().endsWith('#EXT-X-ENDLIST')).toBe(true);
    const { durationS, frames } = await probe(url);
    expect(Math.abs(durationS * 1000 - alice.durationMs)).toBeLessThan(200);
    expect(Math.abs(frames - (alice.durationMs / 1000) * 30)).toBeLessThan(5);
  });

  test('is downloaded as MP4 files that begin at 0 and can be sought in, one for each picture', async () => {
    const { url } = await playlistOf(alice.url);
    const file = (part: number): string => url.replace(/index\.m3u8$/, `${part}.mp4`);
    const parts = await Promise.all([probe(file(1)), probe(file(2))]);
    const durationMs = (parts[0]!.durationS + parts[1]!.durationS) * 1000;
    expect(Math.abs(durationMs - alice.durationMs)).toBeLessThan(200);
    // ffmpeg's HLS reader does not take another picture in the middle of a playlist; in files of their own both are whole.
    expect(await Promise.all([decode(file(1)), decode(file(2))])).toEqual(['', '']);
    const frame = ['-frames:v', '1', '-f', 'framecrc', '-'];
    const { stdout } = await run('ffmpeg', ['-v', 'error', '-ss', '1.5', '-i', file(1), ...frame]);
    expect(stdout).toContain('#dimensions 0: 640x360');
    const whole = Buffer.from(await (await fetch(file(1))).arrayBuffer());
    const from = Math.floor(whole.length / 2);
    const part = await fetch(file(1), { headers: { Range: `bytes=${from}-${from + 9_999}` } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(from, from + 10_000))).toBe(true);
    expect((await fetch(file(3))).status).toBe(404);
  });

  test('answers conditions and ranges, and refuses what makes no sense', async () => {
    const { url, text } = await playlistOf(alice.url);
    const name = text.split('\n').find((line) => line.endsWith('.mp4'))!;
    const file = new URL(name, url).href;
    const head = await fetch(file, { method: 'HEAD' });
    const etag = head.headers.get('etag')!;
    expect(head.headers.get('cache-control')).toContain('immutable');
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(file, { headers })).status;
    expect(await statusOf({ 'If-None-Match': etag })).toBe(304);
    expect(await statusOf({ Range: 'bytes=0-99', 'If-Range': etag })).toBe(206);
    expect(await statusOf({ Range: 'bytes=0-99', 'If-Range': '"another"' })).toBe(200);
    expect(await statusOf({ Range: 'bytes=999999999-' })).toBe(416);
    for (const path of ['..%2f..%2fsecrets', 'source.0000000099', '%2e%2e'])
      expect((await fetch(file.replace(/[^/]+\.mp4$/, `${path}.mp4`))).status).toBe(404);
    expect((await fetch(`${server.url}/vod/alice.${'z'.repeat(8)}.m3u8`)).status).toBe(404);
    expect((await fetch(`${server.url}/vod/..%2f..%2fetc.m3u8`)).status).toBe(404);
    expect((await fetch(file.replace(/\/vod\/[^/]+\//, '/vod/forged/'))).status).toBe(403);
  });

  test('plays in a browser over the change of picture, and is sought in anywhere', async () => {
    await using browser = await launchChromium();
    const { page, faults } = await openPage(browser, `${server.url}/watch/alice`);
    await page.locator('[data-recordings-list] a', { hasText: 'from the beginning' }).click();
    await page.waitForFunction(() => (window.replay?.duration ?? 0) > 5);
    const durationS = await page.evaluate(() => window.replay!.duration);
    expect(Math.abs(durationS * 1000 - alice.durationMs)).toBeLessThan(300);
    // Places that are spread and not in order.
    const places = Array.from({ length: 20 }, (_, at) => ((((at * 7) % 20) + 0.5) / 20) * durationS);
    const seeks = await page.evaluate(seekTo, places);
    await page.locator('[data-seek] input').hover();
    await page.locator('.seek-picture:not([hidden])').waitFor();
    await screenshot(page, 'replay-seeking');
    expect(seeks.map(({ landedS }, at) => Math.abs(landedS - places[at]!))).toEqual(
      places.map(() => expect.closeTo(0, 0)),
    );
    expect(new Set(seeks.map(({ width }) => width))).toEqual(new Set([640, 480]));
    expect(Math.max(...seeks.map(({ tookMs }) => tookMs))).toBeLessThan(SEEK_ALLOWANCE * 1_000);
    await page.locator('summary', { hasText: 'Clip' }).click();
    await page.getByLabel('Title').fill('By hand');
    await page.getByLabel('From (s)').fill('0.5');
    await page.getByLabel('To (s)').fill('2.5');
    await page.getByRole('button', { name: 'Cut the clip' }).click();
    await page.getByText('is 3.0 s long').waitFor();
    await page.getByRole('status').getByRole('link', { name: 'By hand' }).click();
    await page.waitForFunction(() => (window.replay?.duration ?? 0) > 2);
    expect(faults).toEqual([]);
  });

  test('has a picture, and a sprite with one of each two seconds in which both sizes of it are', async () => {
    const shown = await recorded('alice', ({ thumbnail }) => thumbnail !== null);
    const vtt = await until(async () => {
      const answer = await fetch(`${server.url}/vod/${alice.id}.vtt`);
      const text = await answer.text();
      return text.includes('xywh') ? { text, url: answer.url } : undefined;
    });
    const places = vtt.text.match(/^source\.\d+\.sprite\.jpg#xywh=.+$/gm)!;
    expect(places).toHaveLength(Math.ceil(Math.floor(alice.durationMs / 1000) / 2));
    expect(places[1]).toMatch(/#xywh=160,0,160,90$/);
    const sprite = await dimensionsOf(new URL(places[0]!.split('#')[0]!, vtt.url).href);
    expect(sprite).toEqual({ codec_name: 'mjpeg', width: 160 * Math.min(10, places.length), height: 90 });
    const thumbnail = await dimensionsOf(server.url + shown.thumbnail);
    expect(thumbnail).toEqual({ codec_name: 'mjpeg', width: 320, height: 180 });
  });

  test('goes to long-term storage', async () => {
    const stored = await recorded('alice', ({ keepers }) => keepers.includes('storage'));
    expect(stored.durationMs).toBe(alice.durationMs);
    const files = await until(async () => {
      const names = readdirSync(join(data, 'store', stored.id));
      return names.some((name) => name.endsWith('.sprite.jpg')) ? names : undefined;
    });
    expect(files).toContain('manifest.json');
  });
});

describe('clips', () => {
  test('of what was live are there after the server was killed, and play', async () => {
    expect(liveClip).toMatchObject({ clipOf: alice.id, isKept: true });
    const clip = await until(async () => (await recordingsOf('alice')).find(({ id }) => id === liveClip.id));
    expect(clip.durationMs).toBe(liveClip.durationMs);
    expect(clip.durationMs).toBeGreaterThanOrEqual(2_000);
    expect(await decode((await playlistOf(clip.url)).url)).toBe('');
  });

  test('are cut, play at once as HLS and MP4, are named, and are gone when their owner deletes them', async () => {
    const order = { from: 0.5, to: 2.2, title: 'The beginning' };
    const { status, value: clip } = await ask('POST', `/api/recordings/${alice.id}/clips`, order);
    expect([status, clip.title, clip.durationMs]).toEqual([201, 'The beginning', 3_000]);
    const { url } = await playlistOf(clip.url);
    const mp4 = url.replace(/index\.m3u8$/, '1.mp4');
    expect(await Promise.all([decode(url), decode(mp4)])).toEqual(['', '']);
    expect((await probe(mp4)).frames).toBe(90);
    const named = await ask('PATCH', `/api/recordings/${clip.id}`, { title: 'How it began' });
    expect(named.value).toMatchObject({ id: clip.id, title: 'How it began', isKept: true });
    expect((await ask('DELETE', `/api/recordings/${clip.id}`)).status).toBe(200);
    expect((await ask('GET', `/api/recordings/${clip.id}`)).status).toBe(404);
    expect((await fetch(mp4)).status).toBe(404);
  });

  test.each([
    ['that end before they begin', { from: 2, to: 1 }, 400],
    ['of what is no number', { from: 'a', to: 1 }, 400],
    ['with a word too many', { last: 3, fast: true }, 400],
    ['with a title that is too long', { last: 3, title: 'x'.repeat(201) }, 400],
  ])('%s are refused', async (_, order, status) => {
    expect((await ask('POST', `/api/recordings/${alice.id}/clips`, order)).status).toBe(status);
  });
});
