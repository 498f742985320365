// The recordings that benchmarks publish: 4 Mbps, 30 frames a second, H.264 and AAC, made by ffmpeg once.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '..', 'output');
const SECONDS = 20;
const FRAMES_PER_S = 30;
/** Noise, so that the bit rate is what it is set to. */
const NOISE = 'testsrc2=size=1280x720:rate=30,noise=alls=20:allf=t';

/** The number of a frame as it is drawn: a row of squares from the upper left corner on, the lowest bit first, white for 1. */
export const NUMBER = { bits: Math.ceil(Math.log2(SECONDS * FRAMES_PER_S)), squarePx: 32 } as const;

/** Path of the FLV file. A key frame begins a segment. */
export function recordingFile(keyFrameEveryS = 1): string {
  const name = `benchmark-4mbps${keyFrameEveryS === 1 ? '' : `-${keyFrameEveryS}s`}.flv`;
  return made(name, NOISE, keyFrameEveryS * FRAMES_PER_S);
}

/** Path of one with each frame's number in the picture, counted from 0, and a key frame every second. */
export function numberedRecordingFile(): string {
  return made('benchmark-4mbps-numbered.flv', `${NOISE},${numberFilter()}`, FRAMES_PER_S);
}

function numberFilter(): string {
  const { bits, squarePx } = NUMBER;
  const square = (at: number, count: number, color: string): string =>
    `drawbox=x=${at * squarePx}:y=0:w=${count * squarePx}:h=${squarePx}:color=${color}:t=fill`;
  const ones = Array.from(
    { length: bits },
    (_, bit) => `${square(bit, 1, 'white')}:enable='mod(floor(n/${2 ** bit}),2)'`,
  );
  return [square(0, bits, 'black'), ...ones].join();
}

function made(name: string, picture: string, frames: number): string {
  const file = join(FOLDER, name);
  if (existsSync(file)) return file;
  mkdirSync(FOLDER, { recursive: true });
  const unfinished = `${file}.part`;
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
