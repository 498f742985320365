// Processes of a benchmark: each pinned to a core, asked and measured from outside.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** What is measured has a core to itself; everything else shares the other. */
export const SERVER_CORE = 0;
export const CLIENT_CORE = 1;

export interface ProcessOptions {
  readonly core: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  /** Whether what it prints is left out; else it comes out with this process's own errors. */
  readonly quiet?: boolean;
  /** What is run is a program of its own, with which no messages are exchanged. */
  readonly isProgram?: boolean;
  /** It waits for others on its core. */
  readonly isMeek?: boolean;
}

/** Of what the kernel counts processor time in (proc(5)). */
const TICKS_PER_S = 100;

/** None outlives this process, however it ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
process.once('SIGTERM', () => process.exit(1));

export class PinnedProcess {
  readonly #child: ChildProcess;
  /** Rejects when the process ends. */
  readonly #ended: Promise<never>;

  /** Runs a TypeScript file; a path that is not absolute is one beside this. */
  constructor(file: string, args: readonly string[], options: ProcessOptions) {
    const { core, environment, folder, quiet, isProgram, isMeek } = options;
    const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
    const program = isProgram ? [file, ...args] : [...node, join(import.meta.dirname, file), ...args];
    const command = isMeek ? ['nice', '-n', '10', ...program] : program;
    const pinned = availableParallelism() > 1 ? ['taskset', '-c', String(core), ...command] : command;
    this.#child = spawn(pinned[0]!, pinned.slice(1), {
      stdio: ['ignore', quiet ? 'ignore' : 2, 2, isProgram ? 'ignore' : 'ipc'],
      env: { ...process.env, ...environment },
      cwd: folder,
    });
    running.add(this.#child);
    this.#ended = once(this.#child, 'exit').then(([code]) => {
      running.delete(this.#child);
      throw new Error(`${this.#child.spawnargs.join(' ')} ended with ${code}`);
    });
    this.#ended.catch(() => {});
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  send(message: object): void {
    this.#child.send(message);
  }

  /** Sends a message and resolves with what comes back. */
  async ask<Answer>(message: object): Promise<Answer> {
    const answer = this.next<Answer>();
    this.send(message);
    return answer;
  }

  /** The next message; rejects when the process ends before. */
  async next<Answer>(): Promise<Answer> {
    const said = new AbortController();
    try {
      const message = once(this.#child, 'message', { signal: said.signal });
      return (await Promise.race([message, this.#ended]))[0] as Answer;
    } finally {
      said.abort();
    }
  }

  /** User and system time so far. */
  cpuSeconds(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  }

  residentBytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasEnded) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(force);
  }
}

/** What a core was not idle so far, whoever had it; of the whole machine if it has no such core. */
export function coreSeconds(core: number): number {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const line = lines.find((each) => each.startsWith(`cpu${core} `)) ?? lines[0]!;
  const [user, nice, system, _idle, _ioWait, irq, softIrq, steal] = line.split(/ +/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softIrq! + steal!) / TICKS_PER_S;
}

/** Headwater, as its program starts it. */
export function startProgram(args: readonly string[], options: ProcessOptions): PinnedProcess {
  const program = join(import.meta.dirname, '../../network/command/headwater.sh');
  return new PinnedProcess(program, args, { ...options, isProgram: true });
}

/** Ports of the loopback that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until something answers with success. */
export async function untilReady(url: string): Promise<Response> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response;
    await response?.body?.cancel();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not become ready`);
}
