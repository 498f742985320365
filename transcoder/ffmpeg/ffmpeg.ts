// The door to child processes: ffmpeg, with its input, its outputs and what it says, within limits of time and memory.

import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { constants, getPriority, setPriority } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../network/clock.ts';
import { reasonOf } from '../../network/errors.ts';

/** How it ended: of itself at the end of its input, or with what it said last. */
export type FfmpegEnd = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly reason: string };

export interface Ffmpeg {
  readonly pid: number;
  readonly input: Writable;
  /** The pipes from FIRST_OUTPUT on, in order. */
  readonly outputs: readonly Readable[];
  /** Resolves when the process is gone and all its outputs are read. */
  readonly ended: Promise<FfmpegEnd>;
  /** Ends it at once. The reason is what `ended` tells. */
  kill(reason: string): void;
}

export interface FfmpegOptions {
  /** The program's name or path. */
  readonly program: string;
  readonly args: readonly string[];
  readonly outputs: number;
  /** What kills it when this process dies, as far as this machine has that: what `findLeash` found. */
  readonly leash?: readonly string[];
  readonly clock: Clock;
  /** Of memory in use; it is killed when it has more. */
  readonly maxBytes: number;
  /** Added to this process's own; by default 10, so that viewers are served first. */
  readonly nice?: number;
}

/** Nothing of this process's own, which may hold secrets. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const NICE = 10;
const LOOK_MS = 1_000;
/** Of what it says the end is kept. */
const MAX_WORDS = 2_000;
const PAGE_BYTES = 4_096;

/**
 * Starts ffmpeg, without a shell. When this process dies, however it does, the pipes close: ffmpeg reads the end of its input
 * or finds nobody to write to, and ends by itself. One that stands still does not: that is what the leash is for.
 */
export function startFfmpeg(options: FfmpegOptions): Ffmpeg {
  const { program, args, outputs, leash = [], clock, maxBytes, nice = NICE } = options;
  const [command, ...all] = [...leash, program, ...args] as [string, ...string[]];
  const child = spawn(command, all, {
    stdio: ['pipe', 'ignore', 'pipe', ...Array.from({ length: outputs }, () => 'pipe' as const)],
    env: ENVIRONMENT,
  });
  let words = '';
  let verdict: string | undefined;
  const kill = (reason: string): void => {
    verdict ??= reason;
    child.kill('SIGKILL');
  };
  (child.stdio[2] as Readable).on('data', (bytes: Buffer) => {
    words = `${words}${bytes}`.slice(-MAX_WORDS);
  });
  // Whoever writes to it or reads from it hears of its end by `ended`.
  for (const stream of child.stdio) stream?.on('error', () => {});
  lowerPriority(child.pid, nice);
  const watch = clock.every(LOOK_MS, () => watchMemory(child.pid, maxBytes, kill));
  const ended = new Promise<FfmpegEnd>((resolve) => {
    child.once('error', (error) => {
      verdict ??= reasonOf(error);
    });
    child.once('close', (code, signal) => {
      watch.cancel();
      const isDone = code === 0 && verdict === undefined;
      resolve(isDone ? { kind: 'done' } : { kind: 'failed', reason: verdict ?? endOf(words, code, signal) });
    });
  });
  return {
    pid: child.pid ?? 0,
    input: child.stdio[0] as Writable,
    outputs: child.stdio.slice(3) as Readable[],
    ended,
    kill,
  };
}

/** The encoders that an installed ffmpeg has, or in words why there is none. */
export function probeFfmpeg(program: string): Promise<ReadonlySet<string> | { readonly missing: string }> {
  return new Promise((resolve) => {
    const options = { timeout: PROBE_MS, maxBuffer: 1024 * 1024, env: ENVIRONMENT };
    execFile(program, ['-hide_banner', '-encoders'], options, (error, printed) => {
      if (error) resolve({ missing: reasonOf(error) });
      else resolve(new Set([...printed.matchAll(/^ [VAS][A-Z.]{5} (\S+)/gm)].map(([, name]) => name!)));
    });
  });
}

/** Words to be put before a command, with which the kernel kills it when this process dies; none where that can't be had. */
export function findLeash(): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const [command, ...words] = LEASH;
    const options = { timeout: PROBE_MS, env: ENVIRONMENT };
    execFile(command, [...words, 'true'], options, (error) => resolve(error ? [] : LEASH));
  });
}

/** Of util-linux: `prctl(PR_SET_PDEATHSIG)` before it becomes the command, under the same process id. */
const LEASH = ['setpriv', '--pdeathsig', 'KILL', '--'] as const;
const PROBE_MS = 10_000;

/** CPU time that a process has used so far, in ms; undefined where the system does not say it. */
export async function cpuMsOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name may hold spaces: fields are counted behind it. utime and stime are fields 14 and 15, in hundredths of a second.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

function lowerPriority(pid: number | undefined, nice: number): void {
  try {
    if (pid !== undefined)
      setPriority(pid, Math.min(getPriority(pid) + nice, constants.priority.PRIORITY_LOW));
  } catch {
    // It has ended already.
  }
}

async function watchMemory(
  pid: number | undefined,
  maxBytes: number,
  kill: (reason: string) => void,
): Promise<void> {
  const text = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => undefined);
  const bytes = Number(text?.split(' ')[1] ?? 0) * PAGE_BYTES;
  if (bytes > maxBytes)
    kill(`ffmpeg uses ${Math.round(bytes / 1e6)} MB; the limit is ${Math.round(maxBytes / 1e6)} MB`);
}

function endOf(words: string, code: number | null, signal: NodeJS.Signals | null): string {
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
  const said = words.trim().split('\n').slice(-3).join('; ');
  return said ? `ffmpeg ${how}: ${said}` : `ffmpeg ${how}`;
}
