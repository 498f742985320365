// The recording that benchmarks publish: 4 Mbps, 30 frames a second, H.264 and AAC, made by ffmpeg once.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'output');
const SECONDS = 20;

/** Path of the FLV file. The picture is noise, so that the bit rate is what it is set to. A key frame begins a segment. */
export function recordingFile(keyFrameEveryS = 1): string {
  const file = join(FOLDER, `benchmark-4mbps${keyFrameEveryS === 1 ? '' : `-${keyFrameEveryS}s`}.flv`);
  if (existsSync(file)) return file;
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = `${file}.part`;
  const frames = keyFrameEveryS * 30;
  const picture = 'testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t';
  const video = `-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g ${frames} -keyint_min ${frames} -sc_threshold 0`;
  const rate = '-b:v 3840k -minrate 3840k -maxrate 3840k -bufsize 1920k';
  const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const outputs = `${video} ${rate} -c:a aac -b:a 128k -ac 2 -t ${SECONDS} -f flv`.split(' ');
  execFileSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...inputs, ...outputs, unfinished], {
    stdio: 'inherit',
  });
  renameSync(unfinished, file);
  return file;
}
