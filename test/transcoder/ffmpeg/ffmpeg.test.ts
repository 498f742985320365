// ffmpeg as a child: what is left of it when the process that started it is killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { clip, sources } from '../../tools/media/media.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Starts two that encode what they are given, the second on a leash, gives them all but the end, and says their pids once pictures have come out. */
const PARENT = `
import { systemClock as clock } from '${ROOT}/network/clock.ts';
import { findLeash, startFfmpeg } from '${ROOT}/transcoder/ffmpeg/ffmpeg.ts';
const args = ['-loglevel', 'error', '-f', 'flv', '-i', 'pipe:0', '-c:v', 'mjpeg', '-an', '-f', 'mjpeg', 'pipe:3'];
const options = { program: 'ffmpeg', args, outputs: 1, clock, maxBytes: 2e9 };
const both = [startFfmpeg(options), startFfmpeg({ ...options, leash: await findLeash() })];
for (const { input } of both) process.stdin.pipe(input, { end: false });
await Promise.all(both.map(({ outputs: [output] }) => new Promise((resolve) => output.once('data', resolve))));
console.log(both.map(({ pid }) => pid).join(' '));
setInterval(() => {}, 1000);
`;

test('an ffmpeg ends when the process that started it is killed, also one that stands still', async () => {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e', PARENT];
  const parent = spawn(process.execPath, flags, { stdio: ['pipe', 'pipe', 'inherit'] });
  parent.stdin.write(
    clip('flv', [...sources({ seconds: 3 }), '-c:v', 'libx264', '-c:a', 'aac', '-f', 'flv']),
  );
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  const pids = said.toString().split(' ').map(Number);
  const living = (): boolean[] => pids.map((pid) => existsSync(`/proc/${pid}`));
  expect(living()).toEqual([true, true]);
  process.kill(pids[1]!, 'SIGSTOP');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await expect.poll(living).toEqual([false, false]);
});
