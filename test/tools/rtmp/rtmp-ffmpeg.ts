// Real encoders for tests: runs ffmpeg or curl (librtmp) until it ends, and keeps what it said.

import { spawn } from 'node:child_process';

export interface Run {
  readonly exit: Promise<{ readonly code: number | null; readonly output: string }>;
  kill(): void;
}

interface SourceOptions {
  readonly size?: string | undefined;
  /** 0: for ever. */
  readonly seconds?: number;
  readonly pace?: 'real' | 'fast';
}

/** Pushes a test picture and a tone, in real time or (`fast`) as fast as it goes. */
export function pushWithFfmpeg(url: string, seconds: number, pace: 'real' | 'fast' = 'real'): Run {
  return run('ffmpeg', ['-hide_banner', '-loglevel', 'debug', ...source({ seconds, pace }), url]);
}

/** Writes a file to publish. */
export function recordWithFfmpeg(file: string, seconds: number): Run {
  return run('ffmpeg', [
    '-hide_banner',
    '-loglevel',
    'error',
    ...source({ seconds, pace: 'fast' }),
    '-y',
    file,
  ]);
}

/** Publishes a file with librtmp, which sends chunks of 128 bytes. */
export function pushWithCurl(url: string, file: string): Run {
  return run('curl', ['--silent', '--show-error', '--max-time', '20', '--upload-file', file, url]);
}

export function run(program: string, args: readonly string[]): Run {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
  }
  const exit = new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
  return { exit, kill: () => child.kill('SIGKILL') };
}

/** A test picture of 30 fps and a tone, as FLV: for ever in real time, or as said. */
export function source({ size = '320x180', seconds = 0, pace = 'real' }: SourceOptions = {}): string[] {
  const inputs = [`testsrc2=size=${size}:rate=30`, 'sine=sample_rate=48000'];
  return [
    ...inputs.flatMap((input) => [...(pace === 'real' ? ['-re'] : []), '-f', 'lavfi', '-i', input]),
    ...(seconds > 0 ? ['-t', String(seconds)] : []),
    ...'-c:v libx264 -preset ultrafast -g 30 -c:a aac -f flv'.split(' '),
  ];
}
