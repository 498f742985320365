// How far sound and picture are apart in a file of one of the source kinds: when its beeps begin, by when its flashes do.

import { spawnSync } from 'node:child_process';
import { withFile } from './media.ts';

/** White, of 16 to 235. */
const FLASH_LUMA = 200;

/** For each flash that has its beep, in ms: more than 0 where the sound is late. */
export function avOffsetsMs(file: Uint8Array): number[] {
  return withFile(file, (path) => {
    const beeps = beepsMs(path);
    return flashesMs(path).flatMap((flashMs) => {
      const nearest = beeps.toSorted((one, other) => Math.abs(one - flashMs) - Math.abs(other - flashMs))[0];
      return nearest !== undefined && Math.abs(nearest - flashMs) < 500 ? [nearest - flashMs] : [];
    });
  });
}

function flashesMs(path: string): number[] {
  const filter = 'signalstats,metadata=mode=print:key=lavfi.signalstats.YAVG:file=-';
  const { stdout } = decode(path, ['-vf', filter, '-fps_mode', 'passthrough']);
  const frames = [...stdout.matchAll(/pts_time:(\S+)\s+\S+YAVG=(\S+)/g)].map(([, atS, luma]) => ({
    atMs: Number(atS) * 1000,
    isWhite: Number(luma) > FLASH_LUMA,
  }));
  // What the first frame begins with may have begun before it.
  return frames.flatMap(({ atMs, isWhite }, index) =>
    isWhite && frames[index - 1]?.isWhite === false ? [atMs] : [],
  );
}

function beepsMs(path: string): number[] {
  const { stderr } = decode(path, ['-af', 'silencedetect=noise=-25dB:d=0.3']);
  return [...stderr.matchAll(/silence_end: (\S+)/g)].map(([, atS]) => Number(atS) * 1000);
}

function decode(path: string, filters: readonly string[]): { stdout: string; stderr: string } {
  const args = ['-hide_banner', '-nostats', '-copyts', '-i', path, ...filters, '-f', 'null', '-'];
  return spawnSync('ffmpeg', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}
