// Where a command prints. The door to picocolors: colours are for terminals, and for who does not say NO_COLOR.

import pico from 'picocolors';
import { type Paint, PLAIN } from './paint.ts';
import { openProgress, type Progress } from './progress.ts';

export interface Terminal {
  /** What was asked for. */
  out(text: string): void;
  /** What went wrong, and how far it has come. */
  err(text: string): void;
  readonly paint: Paint;
  /** A bar on the terminal; nothing where there is none. */
  progress(total: number): Progress;
}

interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

export function systemTerminal({ stdout, stderr }: Streams): Terminal {
  // `hasColors` of a terminal knows NO_COLOR, FORCE_COLOR and dumb terminals.
  const hasColors = stdout.isTTY && stdout.hasColors();
  return {
    out: (text) => stdout.write(text),
    err: (text) => stderr.write(text),
    paint: hasColors ? pico.createColors(true) : PLAIN,
    progress: (total) => openProgress(stderr, total),
  };
}
