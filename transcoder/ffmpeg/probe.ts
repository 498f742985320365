// Which encoders work here: one that ffmpeg was built with may need a card, or a driver, that this machine does not have.

import type { Clock } from '../../network/clock.ts';
import type { Encoder } from './encoders.ts';
import type { Ffmpeg } from './ffmpeg.ts';
import { PROBE_FRAME_BYTES, probeArgs } from './ffmpeg-args.ts';

export interface ProbeOptions {
  readonly startFfmpeg: (args: readonly string[], outputs: number) => Ffmpeg;
  readonly clock: Clock;
}

export type Probed =
  | { readonly encoder: Encoder; readonly works: true }
  | { readonly encoder: Encoder; readonly works: false; readonly reason: string };

const PATIENCE_MS = 10_000;
const FRAMES = 3;

/** Has it encode a few black pictures. */
export async function probeEncoder(encoder: Encoder, { startFfmpeg, clock }: ProbeOptions): Promise<Probed> {
  const ffmpeg = startFfmpeg(probeArgs(encoder), 1);
  const patience = clock.after(PATIENCE_MS, () => ffmpeg.kill(`nothing came within ${PATIENCE_MS / 1000} s`));
  let bytes = 0;
  ffmpeg.outputs[0]!.on('data', (piece: Buffer) => {
    bytes += piece.length;
  });
  ffmpeg.input.end(Buffer.alloc(FRAMES * PROBE_FRAME_BYTES));
  const end = await ffmpeg.ended;
  patience.cancel();
  if (end.kind === 'failed') return { encoder, works: false, reason: end.reason };
  return bytes > 0 ? { encoder, works: true } : { encoder, works: false, reason: 'nothing came of it' };
}
