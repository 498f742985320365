// The encoders that rungs are made with: what each of them is told, and which of them goes before another. Pure.

import type { Rung } from '../../network/state/state.ts';

/** The encoder that a worker has for each codec. */
export type Encoders = Readonly<Partial<Record<Rung['codec'], Encoder>>>;
export type Encoder = keyof typeof ENCODERS;

interface Usage {
  readonly codec: Rung['codec'];
  /** What makes it give out each frame at once, and make key frames where it is told to and nowhere else. */
  readonly args: readonly string[];
  /** Whether it takes the configured preset, by x264's names. */
  readonly hasPreset?: boolean;
  /** It is told of a quality, and of the rate only as what that may take at most. */
  readonly isCapped?: boolean;
}

const ENCODERS = {
  libx264: {
    codec: 'h264',
    args: ['-tune', 'zerolatency', '-bf', '0', '-sc_threshold', '0', '-profile:v', 'high'],
    hasPreset: true,
  },
  libx265: {
    codec: 'hevc',
    args: [
      ...['-tune', 'zerolatency', '-bf', '0', '-forced-idr', '1', '-tag:v', 'hvc1'],
      ...['-x265-params', 'scenecut=0:open-gop=0:repeat-headers=0:log-level=error'],
    ],
    hasPreset: true,
  },
  'libaom-av1': {
    codec: 'av1',
    args: ['-usage', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', '-row-mt', '1'],
  },
  // It forces key frames only where it knows frames to come: a rung is 12 frames later than with the others.
  libsvtav1: {
    codec: 'av1',
    args: [
      ...['-preset', '10', '-crf', '35'],
      ...['-svtav1-params', 'enable-force-key-frames=1:scd=0:lookahead=0:hierarchical-levels=3:enable-tf=0'],
    ],
    isCapped: true,
  },
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
} as const satisfies Record<string, Usage>;

/** What does the same work on a card goes before what does it in software only where somebody says so. */
const IN_SOFTWARE: readonly Encoder[] = ['libx264', 'libx265', 'libaom-av1', 'libsvtav1'];

export function usageOf(encoder: Encoder): Usage {
  return ENCODERS[encoder];
}

export function isVaapi(encoder: Encoder | undefined): boolean {
  return encoder?.endsWith('_vaapi') ?? false;
}

/** Those that ffmpeg was built with, in order: what is wished for, then what does it in software. */
export function candidatesOf(present: ReadonlySet<string>, wished: readonly string[]): readonly Encoder[] {
  const isKnown = (name: string): name is Encoder => Object.hasOwn(ENCODERS, name);
  const all = new Set([...wished.filter(isKnown), ...IN_SOFTWARE]);
  return [...all].filter((name) => present.has(name));
}

/** For each codec the first one. */
export function chooseEncoders(candidates: readonly Encoder[]): Encoders {
  return Object.fromEntries(candidates.toReversed().map((name) => [ENCODERS[name].codec, name]));
}
