import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { type Run, run, source } from '../tools/rtmp/rtmp-ffmpeg.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

const SECRET = 'a secret for the tests only';
let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start(['--no-sample'], { HEADWATER_SECRETS: SECRET });
});
afterAll(() => server.end('SIGTERM'));

async function keyFor(purpose: string, stream: string): Promise<string> {
  const { output } = await ServerProcess.run(['keys', 'make', purpose, stream, '--no-record'], {
    HEADWATER_SECRETS: SECRET,
  });
  return output.trim();
}

function push(target: string, size?: string): Run {
  return run('ffmpeg', ['-v', 'verbose', ...source({ size }), `${server.rtmpUrl}/${target}`]);
}

const onAir = (stream: string, count: number) =>
  server.logged(
    () => server.lines.filter((line) => line.msg === 'on air' && line['stream'] === stream).length >= count,
  );

/** The playlist when it fits; asked again at each of its changes. */
async function playlist(stream: string, fits: (text: string) => boolean): Promise<string> {
  const variants = await (await fetch(`${server.url}/live/${stream}.m3u8`)).text();
  const url = variants.trim().split('\n').at(-1)!;
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = await (await fetch(url)).text();
    if (fits(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the playlist never became what it should');
}

describe('publishing with ffmpeg', () => {
  test('a broadcaster without a key, or with one for another stream, is told so', async () => {
    const [without, foreign] = await Promise.all([
      push('alice').exit,
      push(`alice?key=${await keyFor('publish', 'bob')}`).exit,
    ]);
    expect(without.code).not.toBe(0);
    expect(without.output).toContain('needs a key');
    expect(foreign.output).toContain('not for publishing');
  });

  test('one name has one broadcaster: the second is refused, or takes over when it says so', async () => {
    const key = await keyFor('publish', 'carol');
    const first = push(`carol?key=${key}`);
    await onAir('carol', 1);
    await playlist('carol', (text) => text.includes('#EXTINF'));

    const second = await push(`carol?key=${key}`).exit;
    expect(second.output).toContain('takeover=1');

    const third = push(`carol?key=${key}&takeover=1`, '480x270');
    await onAir('carol', 2);
    expect((await first.exit).code).not.toBe(0);
    const text = await playlist('carol', (now) => /#EXT-X-DISCONTINUITY\n[\s\S]*#EXTINF/.test(now));
    expect(text.match(/#EXT-X-MAP/g)).toHaveLength(2);
    third.kill();
    await third.exit;
  });

  test('a broadcaster who drops and comes back goes on in the same playlist, behind a discontinuity', async () => {
    const key = await keyFor('publish', 'dave');
    const first = push(`dave?key=${key}`);
    await onAir('dave', 1);
    const before = await playlist('dave', (text) => (text.match(/#EXTINF/g) ?? []).length >= 2);
    first.kill();
    await first.exit;
    await server.logged((line) => line.msg === 'off air' && line['stream'] === 'dave');
    expect(await (await fetch(`${server.url}/api/streams/dave`)).json()).toMatchObject({ live: false });

    const second = push(`dave?key=${key}`);
    await onAir('dave', 2);
    const after = await playlist('dave', (text) => /#EXT-X-DISCONTINUITY\n[\s\S]*#EXTINF/.test(text));
    const segmentsOf = (text: string) =>
      [...text.matchAll(/^\d+\/(\d+)\.m4s$/gm)].map((match) => Number(match[1]));
    const numbers = segmentsOf(after);
    expect(numbers).toEqual(numbers.map((_, index) => numbers[0]! + index));
    expect(numbers).toEqual(expect.arrayContaining(segmentsOf(before).slice(-1)));
    second.kill();
    await second.exit;
  });

  test('metrics tell what came in and who was refused', async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/headwater_ingest_bytes_total\{kind="video"\} [1-9]/);
    expect(text).toMatch(/headwater_ingest_refused_total\{reason="taken"\} 1/);
    expect(text).toMatch(/headwater_ingest_discontinuities_total 2/);
    expect(text).toMatch(/nodejs_eventloop_lag_p99_seconds /);
  });
});

describe('the end of the grace time', () => {
  test('ends the stream: the playlist says so, then the name is unknown', async () => {
    const config = lastingFile('config.yaml', 'publish: { graceS: 1 }\n');
    await using brief = await ServerProcess.start(['--no-sample', '--config', config]);
    const pushing = run('ffmpeg', ['-v', 'error', ...source({ seconds: 3 }), `${brief.rtmpUrl}/erin`]);
    await brief.logged((line) => line.msg === 'on air');
    const watched = fetch(`${brief.url}/live/erin.mp4`).then(async (answer) => (await answer.bytes()).length);
    await pushing.exit;
    await brief.logged((line) => line.msg === 'stream ended');
    expect(await watched).toBeGreaterThan(10_000);
    expect((await fetch(`${brief.url}/live/erin.m3u8`)).status).toBe(404);
  });
});
