// ffmpeg as a child: what is left of it when the process that started it is killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clip, sources } from '../tools/media/media.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Starts an ffmpeg that encodes what it is given, gives it all but the end, and says its pid once a picture has come out. */
const PARENT = `
import { systemClock as clock } from '${ROOT}/network/clock.ts';
import { startFfmpeg } from '${ROOT}/transcoder/ffmpeg.ts';
const args = ['-loglevel', 'error', '-f', 'flv', '-i', 'pipe:0', '-c:v', 'mjpeg', '-an', '-f', 'mjpeg', 'pipe:3'];
const ffmpeg = startFfmpeg({ program: 'ffmpeg', args, outputs: 1, clock, maxBytes: 2e9 });
ffmpeg.outputs[0].once('data', () => console.log(ffmpeg.pid));
process.stdin.pipe(ffmpeg.input, { end: false });
setInterval(() => {}, 1000);
`;

test('an ffmpeg ends when the process that started it is killed', async () => {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', PARENT];
  const parent = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  parent.stdin.write(
    clip('flv', [...sources({ seconds: 3 }), '-c:v', 'libx264', '-c:a', 'aac', '-f', 'flv']),
  );
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  expect(existsSync(`/proc/${pid}`)).toBe(true);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5_000 }).toBe(false);
});
