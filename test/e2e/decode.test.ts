import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../network/clock.ts';
import { type SampleBroadcast, startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { writeFlvFile } from '../tools/media/flv-file.ts';
import { hevcMessages } from '../tools/media/hevc.ts';
import { clip, picture, sources, tone } from '../tools/media/media.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { lastingFile } from '../tools/world/scratch-folder.ts';

/** What each viewer decodes, in real time, all of them at once, and more than once around: `WATCH_S=60 npm test` for a minute. */
const WATCHED_S = Number(process.env['WATCH_S'] ?? 15);
const CLIP_S = 8;
const H264 = [
  '-c:v',
  'libx264',
  '-preset',
  'veryfast',
  '-pix_fmt',
  'yuv420p',
  '-b:v',
  '300k',
  '-sc_threshold',
  '0',
];
const AAC = ['-c:a', 'aac', '-b:a', '64k'];

const CLIPS: Readonly<Record<string, () => Uint8Array>> = {
  'h264-b-frames-aac-44100': () =>
    clip('flv', [...sources({ seconds: CLIP_S }), ...H264, '-g', '30', '-bf', '2', ...AAC, '-ar', '44100']),
  'h264-60-fps': () =>
    clip('flv', [
      ...sources({ seconds: CLIP_S, rate: '60', sampleRate: 48_000 }),
      ...H264,
      '-g',
      '60',
      '-bf',
      '0',
      ...AAC,
    ]),
  'video-only': () => clip('flv', [...picture({ seconds: CLIP_S }), ...H264, '-g', '30']),
  'audio-only': () => clip('flv', [...tone({ seconds: CLIP_S }), ...AAC]),
  'hevc-enhanced-rtmp': () => writeFlvFile(hevcMessages(CLIP_S)),
};

let server: ServerProcess;
const broadcasts: SampleBroadcast[] = [];

beforeAll(async () => {
  server = await ServerProcess.start();
  for (const [name, make] of Object.entries(CLIPS)) {
    const file = lastingFile(`${name}.flv`, make());
    const options = { host: '127.0.0.1', port: server.rtmpPort, name, file };
    broadcasts.push(startSampleBroadcast({ ...options, clock: systemClock, logger: keepingLogger() }));
    await server.logged((line) => line.msg === 'on air' && line['stream'] === name);
  }
}, 120_000);

afterAll(async () => {
  await Promise.all(broadcasts.map((broadcast) => broadcast.stop()));
  expect(await server.end('SIGTERM')).toBe(0);
});

/** Everything that ffmpeg says while it decodes, and how many seconds of media that were. */
function watch(url: string): Promise<{ complaints: string; seconds: number }> {
  const args = [
    '-nostdin',
    '-v',
    'warning',
    '-progress',
    'pipe:1',
    '-t',
    String(WATCHED_S),
    '-i',
    url,
    '-f',
    'null',
    '-',
  ];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaints = '';
  let progress = '';
  child.stdout.on('data', (bytes: Buffer) => {
    progress += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    complaints += bytes.toString();
  });
  return new Promise((resolve) => {
    child.on('close', () => {
      const microseconds = [...progress.matchAll(/out_time_us=(\d+)/g)].map((match) => Number(match[1]));
      resolve({ complaints: withoutKnown(complaints), seconds: Math.max(0, ...microseconds) / 1e6 });
    });
  });
}

/** ffmpeg reads the init again at each reload of a live playlist, and wonders about it. */
function withoutKnown(complaints: string): string {
  return complaints.replace(
    /.*Found duplicated MOOV Atom\. Skipped it\n(?: +Last message repeated \d+ times\n)?/g,
    '',
  );
}

describe.concurrent('ffmpeg decodes all that it watches without a complaint', () => {
  for (const name of Object.keys(CLIPS)) {
    test.each(['m3u8', 'mp4'])(
      `${name}.%s`,
      async (kind) => {
        const { complaints, seconds } = await watch(`${server.url}/live/${name}.${kind}`);
        expect(complaints).toBe('');
        expect(seconds).toBeGreaterThan(WATCHED_S - 1);
      },
      WATCHED_S * 1000 + 50_000,
    );
  }
});
