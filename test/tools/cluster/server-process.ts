// A real server process for tests: started on free ports, read by its log, ended by signals.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Place } from '../world/namespaces.ts';
import { lastingFolder } from '../world/scratch-folder.ts';

/** A process runs in this one's network unless it is told of another. */
const HERE: Place = { host: '127.0.0.1', enter: [] };
const SERVER = join(import.meta.dirname, '../../../server.ts');
const PROGRAM = [process.execPath, '--disable-warning=ExperimentalWarning', SERVER] as const;

export const FREE_PORTS = ['--rtmp-port', '0', '--usher-port', '0', '--media-port', '0'];

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface Ports {
  readonly rtmpPort: number;
  readonly usherPort: number;
  readonly mediaPort: number;
}

export class ServerProcess implements AsyncDisposable {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #printed: Interface;
  readonly #host: string;
  #output = '';
  #ports: Ports = { rtmpPort: 0, usherPort: 0, mediaPort: 0 };

  private constructor(
    flags: readonly string[],
    environment: NodeJS.ProcessEnv,
    program: readonly string[] = PROGRAM,
    place = HERE,
  ) {
    this.#host = place.host;
    const [file, ...args] = [...place.enter, ...program, ...flags] as [string, ...string[]];
    this.#child = spawn(file, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit').then(([code]) => code as number | null);
    this.#printed = createInterface(this.#child.stdout!).on('line', (line) => this.#read(line));
    this.#child.stderr!.on('data', (bytes: Buffer) => {
      this.#output += bytes.toString();
    });
  }

  /** Starts a server, or the process that `command` names, on free ports and waits until it is ready. */
  static async start(
    flags: readonly string[] = ['--no-sample'],
    environment: NodeJS.ProcessEnv = {},
    command: readonly string[] = [],
    place?: Place,
  ): Promise<ServerProcess> {
    const data = lastingFolder();
    const all = [...command, ...FREE_PORTS, '--data', data, ...flags];
    const server = new ServerProcess(all, environment, PROGRAM, place);
    await server.logged((line) => line.msg.startsWith('ready'));
    return server;
  }

  /** Starts a program that was installed, with what its configuration says, and waits until it is ready. */
  static async startInstalled(program: string, args: readonly string[]): Promise<ServerProcess> {
    const server = new ServerProcess(args, {}, [program]);
    await server.logged((line) => line.msg.startsWith('ready'));
    return server;
  }

  /** Runs the command to its end: what it printed, and its exit code. */
  static async run(
    args: readonly string[],
    environment: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number | null; output: string }> {
    const server = new ServerProcess(args, environment);
    const [code] = await once(server.#child, 'close');
    return { code: code as number | null, output: server.#output };
  }

  get rtmpUrl(): string {
    return `rtmp://${this.#host}:${this.#ports.rtmpPort}/live`;
  }

  get rtmpPort(): number {
    return this.#ports.rtmpPort;
  }

  get url(): string {
    return `http://${this.#host}:${this.#ports.usherPort}`;
  }

  get mediaUrl(): string {
    return `http://${this.#host}:${this.#ports.mediaPort}`;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Resolves with the first line, past or to come, that fits. Rejects when the process ends before. */
  async logged(fits: (line: LogLine) => boolean): Promise<LogLine> {
    for (;;) {
      const line = this.lines.find(fits);
      if (line) return line;
      if (this.hasEnded) throw new Error(`the server ended: ${this.#output}`);
      await Promise.race([once(this.#printed, 'line'), this.#exited]);
    }
  }

  /** As `SIGSTOP`, after which it does nothing and keeps its connections, and `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and resolves with the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }

  /** By itself, or because it was ended. */
  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  #read(line: string): void {
    this.#output += `${line}\n`;
    if (!line.startsWith('{')) return;
    const parsed = JSON.parse(line) as LogLine;
    if (parsed.msg.startsWith('ready')) this.#ports = parsed as unknown as Ports;
    this.lines.push(parsed);
  }
}
