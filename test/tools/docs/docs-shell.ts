// A shell to run what the documentation says in: a folder like a clone, ports that are free in place of the usual ones, and
// `npx headwater` without npm.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../world/free-port.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** What each command takes is in its help. */
const HELP = join(ROOT, 'test/golden/commands');
/** Those that the documentation names. */
const PORTS = ['8080', '8081', '8082', '1935', '1936', '6379'];

/** What is still there after so long is to go on. */
const ENDS_MS = 5_000;

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

export class DocsShell implements AsyncDisposable {
  readonly #folder: string;
  readonly #ports: ReadonlyMap<string, number>;
  readonly #running: {
    readonly child: ChildProcess;
    readonly where: string;
    readonly text: string;
    output: string;
  }[] = [];

  private constructor(folder: string, ports: ReadonlyMap<string, number>) {
    this.#folder = folder;
    this.#ports = ports;
  }

  static async open(folder: string): Promise<DocsShell> {
    const ports = new Map<string, number>();
    for (const port of PORTS) ports.set(port, await freePort());
    const shell = new DocsShell(folder, ports);
    shell.#furnish();
    return shell;
  }

  get usherUrl(): string {
    return `http://127.0.0.1:${this.#ports.get('8080')}`;
  }

  /** With free ports in place of the usual ones. */
  fitted(text: string): string {
    return text.replace(/\b(?:8080|8081|8082|1935|1936|6379)\b/g, (port) => `${this.#ports.get(port)}`);
  }

  write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** Runs lines to their end. */
  async run(text: string, environment: NodeJS.ProcessEnv = {}): Promise<Ended> {
    const child = this.#spawn(text, environment);
    let output = '';
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (bytes: Buffer) => {
        output += bytes.toString();
      });
    const [code] = await once(child, 'close');
    return { code: code as number | null, output };
  }

  /** Starts what goes on until the shell ends. */
  async start(where: string, text: string, environment: NodeJS.ProcessEnv = {}): Promise<void> {
    await this.#untilEnded(text);
    const started = { child: this.#spawn(text, environment), where, text, output: '' };
    for (const stream of [started.child.stdout!, started.child.stderr!])
      stream.on('data', (bytes: Buffer) => {
        started.output += bytes.toString();
      });
    this.#running.push(started);
  }

  /** The terminal of a server that was emptied is free again when its process has ended, which takes it a moment. */
  async #untilEnded(text: string): Promise<void> {
    for (const { child } of this.#running.filter((one) => one.text === text)) {
      const signal = AbortSignal.timeout(ENDS_MS);
      if (child.exitCode === null && child.signalCode === null)
        await once(child, 'exit', { signal }).catch(() => {});
    }
  }

  /** What was started and has failed, with what it said. */
  get failed(): readonly string[] {
    const over = this.#running.filter(({ child }) => (child.exitCode ?? 0) !== 0);
    return over.map(({ where, child, output }) => `${where} ended with ${child.exitCode}: ${output}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const living = this.#running.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    const exits = living.map(({ child }) => once(child, 'exit'));
    for (const { child } of living) process.kill(-child.pid!, 'SIGKILL');
    await Promise.all(exits);
  }

  #spawn(text: string, environment: NodeJS.ProcessEnv): ChildProcess {
    return spawn('bash', ['-euo', 'pipefail', '-c', this.fitted(text)], {
      cwd: this.#folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment, PATH: `${this.#folder}/bin:${process.env['PATH']}` },
    });
  }

  #furnish(): void {
    symlinkSync(join(ROOT, 'origin'), join(this.#folder, 'origin'));
    symlinkSync(join(ROOT, 'usher'), join(this.#folder, 'usher'));
    cpSync(join(ROOT, 'docs/tour'), join(this.#folder, 'docs/tour'), { recursive: true });
    for (const name of readdirSync(join(this.#folder, 'docs/tour')))
      this.write(join('docs/tour', name), this.fitted(readFileSync(join(ROOT, 'docs/tour', name), 'utf8')));
    mkdirSync(join(this.#folder, 'bin'));
    writeFileSync(join(this.#folder, 'bin/npx'), this.#npx(), { mode: 0o755 });
  }

  /** Commands that ask an usher ask the one that is here. */
  #npx(): string {
    const asking = readdirSync(HELP)
      .filter((name) => readFileSync(join(HELP, name), 'utf8').includes('--usher <url>'))
      .map((name) => /^help-(\w+)-?(.*)\.txt$/.exec(name)!)
      .map(([, word, inner]) => (inner ? `"${word} ${inner}"` : `"${word} "*`));
    return `#!/bin/sh
shift
case "$1 \${2:-}" in
  ${asking.join(' | ')}) set -- "$@" --usher ${this.usherUrl} ;;
  "publish "*) set -- "$@" --to rtmp://127.0.0.1:${this.#ports.get('1935')}/live ;;
esac
exec ${process.execPath} --disable-warning=ExperimentalWarning ${ROOT}/server.ts "$@"
`;
  }
}
