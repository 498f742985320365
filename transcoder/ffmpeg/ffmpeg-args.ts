// What ffmpeg is told: a list of arguments for one stream and its rungs. Nothing in it comes from outside. Pure.

import { VIDEO_TIMESCALE } from '../../network/media/fmp4.ts';
import type { Rung } from '../../network/state/state.ts';
import { type Encoder, type Encoders, isVaapi, usageOf } from './encoders.ts';

/** The first pipe that frames come from: 0 is ffmpeg's input, 2 its words. */
export const FIRST_OUTPUT = 3;

export interface VideoOutput {
  readonly rung: Rung;
  /** Frames per second of the source. */
  readonly sourceFrameRate: number;
  /** Frames up to this presentation time, in ticks of 90 kHz, are there already: none of them is encoded again. */
  readonly afterTicks: number | undefined;
}

export interface TranscodeSettings {
  readonly encoders: Encoders;
  /** Of the encoder in software: what it spends on a frame, by x264's names. */
  readonly preset: string;
}

/** A frame that the input holds is decoded, scaled and encoded at once. `audio`: the sound is made AAC in an output of its own. */
export function transcodeArgs(
  outputs: readonly VideoOutput[],
  audio: boolean,
  settings: TranscodeSettings,
): string[] {
  return [
    ...QUIETLY,
    ...deviceArgs(outputs.map(({ rung }) => settings.encoders[rung.codec])),
    // Probing takes seconds of media otherwise, and threads by frame keep some of them back.
    ...[
      '-probesize',
      '32',
      '-analyzeduration',
      '0',
      '-thread_type',
      'slice',
      '-copyts',
      '-f',
      'mp4',
      '-i',
      'pipe:0',
    ],
    ...outputs.flatMap((output, index) => videoArgs(output, FIRST_OUTPUT + index, settings)),
    ...(audio ? audioArgs(FIRST_OUTPUT + outputs.length) : []),
  ];
}

/** A picture of the first key frame, as JPEG on the first output. */
export function thumbnailArgs(): string[] {
  return [
    ...QUIETLY,
    ...['-probesize', '32', '-analyzeduration', '0', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
    ...['-map', '0:v', '-frames:v', '1', '-vf', `scale=-2:${THUMBNAIL_HEIGHT}`, '-q:v', '5'],
    ...['-pix_fmt', 'yuvj420p', '-f', 'mjpeg', `pipe:${FIRST_OUTPUT}`],
  ];
}

/** Each frame of the input as raw YUV 4:2:0 of one size, on the first output. */
export function tileArgs({ width, height }: Size): string[] {
  const inside = `scale=${width}:${height}:force_original_aspect_ratio=decrease`;
  return [
    ...QUIETLY,
    ...['-probesize', '32', '-analyzeduration', '0', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
    ...['-map', '0:v', '-fps_mode', 'passthrough'],
    ...['-vf', `${inside},pad=${width}:${height}:-1:-1,setsar=1`, '-pix_fmt', 'yuv420p'],
    ...['-f', 'rawvideo', `pipe:${FIRST_OUTPUT}`],
  ];
}

/** Tiles as `tileArgs` makes them, in rows, as one JPEG on the first output. */
export function spriteArgs({ width, height }: Size, columns: number, rows: number): string[] {
  return [
    ...QUIETLY,
    ...['-threads', '1'],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${width}x${height}`, '-i', 'pipe:0'],
    ...['-vf', `tile=${columns}x${rows}`, '-frames:v', '1', '-q:v', '6', '-pix_fmt', 'yuvj420p'],
    ...['-f', 'mjpeg', `pipe:${FIRST_OUTPUT}`],
  ];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Black pictures, of which one takes PROBE_FRAME_BYTES, encoded as those of a rung are. */
export function probeArgs(encoder: Encoder): string[] {
  const { codec } = usageOf(encoder);
  const output = { rung: { ...PROBE_RUNG, codec }, sourceFrameRate: PROBE_RUNG.maxFrameRate };
  const settings = { encoders: { [codec]: encoder }, preset: 'ultrafast' };
  const { width, height, maxFrameRate } = PROBE_RUNG;
  return [
    ...QUIETLY,
    ...deviceArgs([encoder]),
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${width}x${height}`],
    ...['-framerate', `${maxFrameRate}`, '-i', 'pipe:0'],
    ...videoArgs({ ...output, afterTicks: undefined }, FIRST_OUTPUT, settings),
  ];
}

/** Cards take no pictures that are much smaller. */
const PROBE_RUNG = { name: '180p30', width: 320, height: 180, maxFrameRate: 30, videoKbps: 200 };
/** Of 4:2:0. */
export const PROBE_FRAME_BYTES = (PROBE_RUNG.width * PROBE_RUNG.height * 3) / 2;

/** No single block of memory that ffmpeg takes is larger: a picture of 8K has 50 MB. */
const MAX_ALLOC_BYTES = 268_435_456;
const QUIETLY = [
  ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error'],
  ...['-max_alloc', `${MAX_ALLOC_BYTES}`],
];
const VAAPI_DEVICE = '/dev/dri/renderD128';
const THUMBNAIL_HEIGHT = 180;
const AUDIO_KBPS = 128;

function deviceArgs(encoders: readonly (Encoder | undefined)[]): string[] {
  return encoders.some(isVaapi) ? ['-vaapi_device', VAAPI_DEVICE] : [];
}

function videoArgs(output: VideoOutput, pipe: number, { encoders, preset }: TranscodeSettings): string[] {
  const { rung } = output;
  const encoder = encoders[rung.codec];
  if (!encoder) throw new Error(`no encoder for ${rung.codec}`);
  const { args, hasPreset = false, isCapped = false } = usageOf(encoder);
  const rate = `${rung.videoKbps}k`;
  return [
    ...['-map', '0:v', '-an', '-fps_mode', 'passthrough', '-vf', filters(output, encoder)],
    ...['-c:v', encoder, ...(hasPreset ? ['-preset', preset] : []), ...args],
    ...['-threads', `${threadsFor(rung)}`],
    ...[...(isCapped ? [] : ['-b:v', rate]), '-maxrate', rate, '-bufsize', rate],
    // Key frames are where the source has them and nowhere else: its segments begin there.
    ...['-force_key_frames', 'source', '-g', '9999'],
    // Encoders count in frames otherwise, and times that lie between are moved.
    ...['-enc_time_base', `1:${VIDEO_TIMESCALE}`],
    ...['-video_track_timescale', `${VIDEO_TIMESCALE}`, ...muxing(pipe)],
  ];
}

/** Who reads them is woken so much less often. It is what a frame is late by at most. */
const FRAGMENT_US = 100_000;

/** A fragment for a few frames, written at once, at the source's times. */
function muxing(pipe: number): string[] {
  return [
    ...['-movflags', '+empty_moov+default_base_moof+frag_discont', '-frag_duration', `${FRAGMENT_US}`],
    ...['-avoid_negative_ts', 'disabled', '-flush_packets', '1', '-f', 'mp4', `pipe:${pipe}`],
  ];
}

function audioArgs(pipe: number): string[] {
  return ['-map', '0:a', '-vn', '-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2', ...muxing(pipe)];
}

/** Whether a rung has fewer frames than the source. */
function isThinned({ maxFrameRate }: Rung, sourceFrameRate: number): boolean {
  return sourceFrameRate > maxFrameRate * RATE_SLACK;
}

function filters({ rung, sourceFrameRate, afterTicks }: VideoOutput, encoder: Encoder): string {
  const kept = [
    ...(afterTicks === undefined ? [] : [`gt(pts\\,${afterTicks})`]),
    ...(isThinned(rung, sourceFrameRate) ? [everyFrameOf(rung)] : []),
  ];
  const scale = `scale=${rung.width}:${rung.height},setsar=1,format=${isVaapi(encoder) ? 'nv12,hwupload' : 'yuv420p'}`;
  return kept.length > 0 ? `select=${kept.join('*')},${scale}` : scale;
}

/** 29.97 measured as 30.02 is no more than 30. */
const RATE_SLACK = 1.02;

/** Frames are left out and none is moved: those that stay have the source's times. Every key frame stays. */
function everyFrameOf({ maxFrameRate }: Rung): string {
  const leastS = (0.95 / maxFrameRate).toFixed(5);
  return `(key+isnan(prev_selected_t)+gte(t-prev_selected_t\\,${leastS}))`;
}

/** Each thread is a slice of its own, which costs bits: small pictures have one. */
function threadsFor({ width, height }: Rung): number {
  const pixels = width * height;
  return pixels <= 640 * 360 ? 1 : pixels <= 1280 * 720 ? 2 : 4;
}
