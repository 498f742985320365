import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../network/clock.ts';
import { publishCommand } from '../../../origin/commands/publish.ts';
import { runFfmpeg } from '../../../transcoder/ffmpeg/run-ffmpeg.ts';
import { run } from '../../tools/rtmp/rtmp-ffmpeg.ts';
import { startIngest } from '../../tools/rtmp/rtmp-ingest.ts';
import { ScratchFolder } from '../../tools/world/scratch-folder.ts';
import { typed } from '../../tools/world/typed.ts';

let scratch: ScratchFolder;
let [flv, mkv] = ['', ''];
beforeAll(async () => {
  scratch = await ScratchFolder.make();
  [flv, mkv] = [join(scratch.path, 'short.flv'), join(scratch.path, 'short.mkv')];
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=10:duration=1'];
  const sound = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=1'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];
  await run('ffmpeg', ['-v', 'error', ...picture, ...sound, ...codecs, flv, ...codecs, mkv]).exit;
});
afterAll(() => scratch[Symbol.asyncDispose]());

const never = () => new Promise<string>(() => {});
function publish(args: readonly string[], nextSignal = never) {
  const command = publishCommand({ clock: systemClock, runFfmpeg, nextSignal });
  return typed(command, [...args, '--data', scratch.path]);
}

test.each([['flv'], ['mkv']])(
  'a file in %s is pushed under its name and a key of the secret, to its end',
  async (kind) => {
    await using ingest = await startIngest();
    const file = kind === 'flv' ? flv : mkv;
    const pushing = publish([file, 'alice', '--to', `rtmp://127.0.0.1:${ingest.port}/live`]);
    const { request, messages } = await ingest.publications.find();
    expect(request).toMatchObject({
      app: 'live',
      name: 'alice',
      query: { key: expect.stringMatching(/^\w+\.\.\S{22}$/) },
    });
    expect(await pushing).toMatchObject({ code: 0, out: `${file} is over\n`, err: '' });
    const video = messages.all.filter(({ type }) => type === 'video');
    expect(video.length).toBeGreaterThanOrEqual(10);
  },
);

test('it goes round and round until it is stopped', async () => {
  await using ingest = await startIngest();
  const { promise, resolve } = Promise.withResolvers<string>();
  const args = [
    flv,
    'alice',
    '--loop',
    '--key',
    'k',
    '--json',
    '--to',
    `rtmp://127.0.0.1:${ingest.port}/live`,
  ];
  const pushing = publish(args, () => promise);
  const { request, messages } = await ingest.publications.find();
  expect(request.query).toEqual({ key: 'k' });
  await messages.find(({ timestampMs }) => timestampMs > 1_200);
  resolve('SIGINT');
  const { code, out } = await pushing;
  expect([code, JSON.parse(out)]).toEqual([0, { stream: 'alice', file: flv, isStopped: true }]);
});

test.each([
  [['/nowhere.flv', 'alice'], 3, /\/nowhere.flv can not be read/],
  [['FLV', '../x'], 2, /a stream's name is .*'..\/x'/],
  [['FLV', 'alice', '--to', 'http://x/live'], 2, /push to rtmp:.*got 'http:\/\/x\/live'/],
  [['FLV', 'alice', '--to', 'rtmp://127.0.0.1:1/live'], 1, /ECONNREFUSED/],
  [
    ['TEXT', 'alice', '--key', 'hush', '--to', 'rtmp://127.0.0.1:1/live'],
    1,
    /^error: ffmpeg ended with code/,
  ],
  [['TEXT', 'alice', '--ffmpeg', '/no/ffmpeg'], 1, /no such file/i],
])('says what is wrong with %j', async (args, code, words) => {
  const text = join(scratch.path, 'text');
  await writeFile(text, 'no video');
  const typedIn = args.map((word) => (word === 'FLV' ? flv : word === 'TEXT' ? text : word));
  const { code: exited, err } = await publish(typedIn);
  expect(exited).toBe(code);
  expect(err).toMatch(words);
  expect(err).not.toContain('hush');
});
