// Makes clips with ffmpeg, and has ffmpeg and ffprobe judge what was made of them.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLIPS = join(tmpdir(), 'headwater-clips');
/** Far more than a run of all tests asks for, which makes again what was dropped. */
const MAX_CLIPS_BYTES = 512 * 1024 * 1024;

/** A clip that ffmpeg makes from these arguments, as a file of this kind; made once and kept for later runs, the newest of them. */
export function clip(extension: string, args: readonly string[]): Uint8Array {
  const name = createHash('sha256').update(args.join('\n')).digest('hex').slice(0, 16);
  const path = join(CLIPS, `${name}.${extension}`);
  if (!existsSync(path)) makeClip(path, extension, args);
  return readFileSync(path);
}

/** Test picture and test tone, ready to be encoded. */
export function sources(options: {
  seconds: number;
  rate?: string;
  size?: string;
  sampleRate?: number;
}): string[] {
  const { seconds, rate = '30', size = '320x180', sampleRate = 44_100 } = options;
  return [...picture({ seconds, rate, size }), ...tone({ seconds, sampleRate })];
}

export function picture({
  seconds,
  rate = '30',
  size = '320x180',
}: {
  seconds: number;
  rate?: string;
  size?: string;
}): string[] {
  return ['-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`];
}

export function tone({ seconds, sampleRate = 44_100 }: { seconds: number; sampleRate?: number }): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${sampleRate}:duration=${seconds}`];
}

/** Everything that ffmpeg says when it decodes a file to the end: nothing, when the file is right. */
export function decodeComplaints(file: Uint8Array): string {
  return withFile(file, (path) => {
    const args = ['-hide_banner', '-nostdin', '-v', 'warning', '-xerror', '-i', path, '-f', 'null', '-'];
    const { stderr, status } = spawnSync('ffmpeg', args, { encoding: 'utf8' });
    return status === 0 ? stderr : `exit ${status}: ${stderr}`;
  });
}

export interface ProbedPacket {
  readonly codec_type: 'video' | 'audio';
  readonly pts: number;
  readonly dts: number;
  readonly duration: number;
  readonly size: string;
  readonly flags: string;
}

export interface ProbedStream {
  readonly codec_type: 'video' | 'audio';
  readonly codec_name: string;
  readonly time_base: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
  readonly channels?: number;
}

/** What ffprobe sees in a file. */
export function probe(file: Uint8Array): { streams: ProbedStream[]; packets: ProbedPacket[] } {
  return withFile(file, (path) => {
    const args = ['-v', 'error', '-show_streams', '-show_packets', '-of', 'json', path];
    return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }));
  });
}

function makeClip(path: string, extension: string, args: readonly string[]): void {
  mkdirSync(CLIPS, { recursive: true });
  const unfinished = `${path}.${process.pid}.${extension}`;
  const options = ['-hide_banner', '-nostdin', '-v', 'error', '-y', '-threads', '2'];
  execFileSync('ffmpeg', [...options, ...args, unfinished], { stdio: ['ignore', 'ignore', 'inherit'] });
  renameSync(unfinished, path);
  dropOldestClips();
}

function dropOldestClips(): void {
  const clips = readdirSync(CLIPS)
    .map((name) => join(CLIPS, name))
    // Another process may have dropped it just now, or given it its name.
    .map((path) => ({ path, ...statSync(path, { throwIfNoEntry: false }) }))
    .sort((one, other) => (other.mtimeMs ?? 0) - (one.mtimeMs ?? 0));
  let bytes = 0;
  for (const { path, size = 0 } of clips) {
    bytes += size;
    if (bytes > MAX_CLIPS_BYTES) rmSync(path, { force: true });
  }
}

export function withFile<T>(file: Uint8Array, use: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'headwater-media-'));
  try {
    const path = join(directory, 'file.mp4');
    writeFileSync(path, file);
    return use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
