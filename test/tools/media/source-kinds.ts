// The kinds of broadcasts that renditions are made of: each with a white picture and a beep at the beginning of every second.

import type { RtmpMessage } from '../../../origin/media.ts';
import { readFlvFile } from './flv-file.ts';
import { hevcMessages } from './hevc.ts';
import { clip } from './media.ts';

/** How long the flash and the beep last. */
const MARK_S = 0.1;
const SIZE = '320x180';
const HEVC_SIZE = '160x90';

const X264 = [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-keyint_min', '30', '-sc_threshold', '0'],
  ...['-pix_fmt', 'yuv420p'],
];
const AAC = ['-c:a', 'aac', '-f', 'flv'];
const B_FRAMES = ['-bf', '2'];
/** Frames come at whole ms by RTMP, and at 0, 100, 133, 267, ... of 30 Hz here. */
const VARIABLE = ['-vf', "select='not(eq(mod(n,5),1)+eq(mod(n,7),2))'", '-fps_mode', 'passthrough'];

export type SourceKind = keyof typeof KINDS;

const KINDS = {
  'B-frames, sound at 48 kHz': (s: number) => flv(picture(s), beeps(s, 48_000), X264, B_FRAMES, AAC),
  'open GOPs, mono sound at 44.1 kHz': (s: number) =>
    flv(picture(s), beeps(s), X264, B_FRAMES, ['-x264-params', 'open-gop=1'], ['-ac', '1'], AAC),
  'a variable frame rate': (s: number) => flv(picture(s), beeps(s), VARIABLE, X264, AAC),
  'no sound': (s: number) => flv(picture(s), X264, ['-f', 'flv']),
  'no picture': (s: number) => flv(beeps(s), AAC),
  'MP3 sound': (s: number) => flv(picture(s), beeps(s), X264, ['-c:a', 'libmp3lame', '-f', 'flv']),
  HEVC: (s: number) => hevcMessages(s, { shown: picture(s, HEVC_SIZE), heard: beeps(s) }),
} as const satisfies Record<string, (seconds: number) => RtmpMessage[]>;

export const SOURCE_KINDS = Object.keys(KINDS) as readonly SourceKind[];

/** What a broadcaster of this kind sends: a key frame every second. */
export function sourceOf(kind: SourceKind, seconds: number): RtmpMessage[] {
  return KINDS[kind](seconds);
}

function picture(seconds: number, size = SIZE): string[] {
  const flash = `drawbox=color=white:t=fill:enable='lt(mod(t\\,1)\\,${MARK_S})'`;
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30:duration=${seconds},${flash}`];
}

function beeps(seconds: number, rate = 44_100): string[] {
  const wave = `0.8*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,${MARK_S})`;
  return ['-f', 'lavfi', '-i', `aevalsrc='${wave}|${wave}':s=${rate}:d=${seconds}`];
}

function flv(...args: readonly (readonly string[])[]): RtmpMessage[] {
  return readFlvFile(clip('flv', args.flat()));
}
