// One ffmpeg that somebody waits for, with files and addresses of its own for input and output.

import { systemClock as clock } from '../../network/clock.ts';
import { type Ffmpeg, findLeash, startFfmpeg } from './ffmpeg.ts';

const MAX_BYTES = 2_048e6;

export async function runFfmpeg(program: string, args: readonly string[]): Promise<Ffmpeg> {
  return startFfmpeg({ program, args, outputs: 0, leash: await findLeash(), clock, maxBytes: MAX_BYTES });
}
