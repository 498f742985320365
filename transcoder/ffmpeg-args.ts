// What ffmpeg is told: a list of arguments for one stream and its rungs. Nothing in it comes from outside. Pure.

import { VIDEO_TIMESCALE } from '../network/media/fmp4.ts';
import type { Rung } from '../network/state/state.ts';

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

/** The encoder that a worker has for each codec. */
export type Encoders = Readonly<Partial<Record<Rung['codec'], Encoder>>>;
export type Encoder = keyof typeof ENCODERS;

/** Before the codec's arguments, in the filters, and what makes the encoder give out each frame at once. */
const ENCODERS = {
  libx264: {
    codec: 'h264',
    args: ['-tune', 'zerolatency', '-bf', '0', '-sc_threshold', '0', '-profile:v', 'high'],
  },
  libx265: {
    codec: 'hevc',
    args: [
      '-tune',
      'zerolatency',
      '-bf',
      '0',
      '-tag:v',
      'hvc1',
      '-x265-params',
      'scenecut=0:repeat-headers=0:log-level=warning',
    ],
  },
  libsvtav1: { codec: 'av1', args: ['-svtav1-params', 'pred-struct=1:scd=0'] },
  h264_nvenc: {
    codec: 'h264',
    args: ['-tune', 'ull', '-zerolatency', '1', '-bf', '0', '-no-scenecut', '1', '-forced-idr', '1'],
  },
  hevc_nvenc: {
    codec: 'hevc',
    args: ['-tune', 'ull', '-zerolatency', '1', '-bf', '0', '-forced-idr', '1', '-tag:v', 'hvc1'],
  },
  h264_vaapi: { codec: 'h264', args: ['-bf', '0'] },
  hevc_vaapi: { codec: 'hevc', args: ['-bf', '0', '-tag:v', 'hvc1'] },
} as const satisfies Record<string, { codec: Rung['codec']; args: readonly string[] }>;

/** What does the same work on a card goes before what does it in software only where somebody says so. */
const IN_SOFTWARE: readonly Encoder[] = ['libx264', 'libx265', 'libsvtav1'];

/** For each codec one encoder of those that ffmpeg has: the one that is wished for if it has it, else the one in software. */
export function chooseEncoders(present: ReadonlySet<string>, wished: readonly string[]): Encoders {
  const isKnown = (name: string): name is Encoder => name in ENCODERS;
  const candidates = [...wished.filter(isKnown), ...IN_SOFTWARE].filter((name) => present.has(name));
  return Object.fromEntries(candidates.toReversed().map((name) => [ENCODERS[name].codec, name]));
}

/** A frame that the input holds is decoded, scaled and encoded at once. `audio`: the sound is made AAC in an output of its own. */
export function transcodeArgs(
  outputs: readonly VideoOutput[],
  audio: boolean,
  settings: TranscodeSettings,
): string[] {
  const usesVaapi = outputs.some(({ rung }) => settings.encoders[rung.codec]?.endsWith('_vaapi'));
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-max_alloc', `${MAX_ALLOC_BYTES}`],
    ...(usesVaapi ? ['-vaapi_device', VAAPI_DEVICE] : []),
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
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-max_alloc', `${MAX_ALLOC_BYTES}`],
    ...['-probesize', '32', '-analyzeduration', '0', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
    ...['-map', '0:v', '-frames:v', '1', '-vf', `scale=-2:${THUMBNAIL_HEIGHT}`, '-q:v', '5'],
    ...['-pix_fmt', 'yuvj420p', '-f', 'mjpeg', `pipe:${FIRST_OUTPUT}`],
  ];
}

/** Each frame of the input as raw YUV 4:2:0 of one size, on the first output. */
export function tileArgs({ width, height }: Size): string[] {
  const inside = `scale=${width}:${height}:force_original_aspect_ratio=decrease`;
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-max_alloc', `${MAX_ALLOC_BYTES}`],
    ...['-probesize', '32', '-analyzeduration', '0', '-threads', '1', '-f', 'mp4', '-i', 'pipe:0'],
    ...['-map', '0:v', '-fps_mode', 'passthrough'],
    ...['-vf', `${inside},pad=${width}:${height}:-1:-1,setsar=1`, '-pix_fmt', 'yuv420p'],
    ...['-f', 'rawvideo', `pipe:${FIRST_OUTPUT}`],
  ];
}

/** Tiles as `tileArgs` makes them, in rows, as one JPEG on the first output. */
export function spriteArgs({ width, height }: Size, columns: number, rows: number): string[] {
  return [
    ...['-hide_banner', '-nostdin', '-nostats', '-loglevel', 'error', '-threads', '1'],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-video_size', `${width}x${height}`, '-i', 'pipe:0'],
    ...['-vf', `tile=${columns}x${rows}`, '-frames:v', '1', '-q:v', '6', '-pix_fmt', 'yuvj420p'],
    ...['-f', 'mjpeg', `pipe:${FIRST_OUTPUT}`],
  ];
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** No single block of memory that ffmpeg takes is larger: a picture of 8K has 50 MB. */
const MAX_ALLOC_BYTES = 268_435_456;
const VAAPI_DEVICE = '/dev/dri/renderD128';
const THUMBNAIL_HEIGHT = 180;
const AUDIO_KBPS = 128;

function videoArgs(output: VideoOutput, pipe: number, { encoders, preset }: TranscodeSettings): string[] {
  const { rung } = output;
  const encoder = encoders[rung.codec];
  if (!encoder) throw new Error(`no encoder for ${rung.codec}`);
  const rate = `${rung.videoKbps}k`;
  return [
    ...['-map', '0:v', '-an', '-fps_mode', 'passthrough', '-vf', filters(output, encoder)],
    ...['-c:v', encoder, ...presetArgs(encoder, preset), ...ENCODERS[encoder].args],
    ...['-threads', `${threadsFor(rung)}`],
    ...['-b:v', rate, '-maxrate', rate, '-bufsize', rate],
    // Key frames are where the source has them and nowhere else: its segments begin there.
    ...['-force_key_frames', 'source', '-g', '9999'],
    // Encoders count in frames otherwise, and times that lie between are moved.
    ...['-enc_time_base', `1:${VIDEO_TIMESCALE}`],
    ...['-video_track_timescale', `${VIDEO_TIMESCALE}`, ...muxing(pipe)],
  ];
}

/** One fragment for each frame, written at once, at the source's times. */
function muxing(pipe: number): string[] {
  const flags = '+frag_every_frame+empty_moov+default_base_moof+frag_discont';
  return [
    '-movflags',
    flags,
    '-avoid_negative_ts',
    'disabled',
    '-flush_packets',
    '1',
    '-f',
    'mp4',
    `pipe:${pipe}`,
  ];
}

function audioArgs(pipe: number): string[] {
  return ['-map', '0:a', '-vn', '-c:a', 'aac', '-b:a', `${AUDIO_KBPS}k`, '-ac', '2', ...muxing(pipe)];
}

function presetArgs(encoder: Encoder, preset: string): string[] {
  if (encoder === 'libsvtav1') return ['-preset', '10'];
  return IN_SOFTWARE.includes(encoder) ? ['-preset', preset] : [];
}

/** Whether a rung has fewer frames than the source. */
export function isThinned({ maxFrameRate }: Rung, sourceFrameRate: number): boolean {
  return sourceFrameRate > maxFrameRate * RATE_SLACK;
}

function filters({ rung, sourceFrameRate, afterTicks }: VideoOutput, encoder: Encoder): string {
  const kept = [
    ...(afterTicks === undefined ? [] : [`gt(pts\\,${afterTicks})`]),
    ...(isThinned(rung, sourceFrameRate) ? [everyFrameOf(rung)] : []),
  ];
  const scale = `scale=${rung.width}:${rung.height},setsar=1,format=${encoder.endsWith('_vaapi') ? 'nv12,hwupload' : 'yuv420p'}`;
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
