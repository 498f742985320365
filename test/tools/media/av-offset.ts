// How far sound and picture are apart in a file of one of the source kinds: when its beeps begin, by when its flashes do.

import { spawnSync } from 'node:child_process';
import { withFile } from './media.ts';

/** White, of 16 to 235. */
const FLASH_LUMA = 200;

/** A flash that has its beep. */
export interface AvMark {
  /** When the beep begins, on the file's timeline. */
  readonly beepMs: number;
  /** More than 0 where the sound is late. */
  readonly offsetMs: number;
}

export function avMarks(file: Uint8Array): AvMark[] {
  return withFile(file, (path) => {
    const beeps = beepsMs(path);
    return flashesMs(path).flatMap((flashMs) => {
      const beepMs = nearest(beeps, flashMs, (ms) => ms);
      return beepMs === undefined ? [] : [{ beepMs, offsetMs: beepMs - flashMs }];
    });
  });
}

/**
 * How much further than in the source a beep is from its flash, ms, at most: mark by mark, for where a source leaves frames out
 * its flashes come late.
 */
export function greatestOffsetMs(source: readonly AvMark[], rendition: readonly AvMark[]): number {
  const offsets = rendition.flatMap(({ beepMs, offsetMs }) => {
    const own = nearest(source, beepMs, (mark) => mark.beepMs);
    return own ? [Math.abs(offsetMs - own.offsetMs)] : [];
  });
  return Math.max(0, ...offsets);
}

function nearest<T>(all: readonly T[], ms: number, msOf: (one: T) => number): T | undefined {
  const distance = (one: T): number => Math.abs(msOf(one) - ms);
  const [first] = all.toSorted((one, other) => distance(one) - distance(other));
  return first !== undefined && distance(first) < 500 ? first : undefined;
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
