// A real Prometheus with the configuration and rules that come with Headwater, which looks every half second; and promtool.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../cluster/test-cluster.ts';
import { freePort } from './free-port.ts';
import { ScratchFolder } from './scratch-folder.ts';

export const INSTALLED = join(import.meta.dirname, '../../../install');

export interface Rule {
  readonly name: string;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly health: 'ok' | 'unknown' | 'err';
  readonly lastError?: string;
}

/** Runs promtool; what it prints, and whether it is content. */
export async function promtool(
  args: readonly string[],
  input = '',
): Promise<{ isGood: boolean; text: string }> {
  const child = spawn('promtool', args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let text = '';
  for (const output of [child.stdout, child.stderr])
    output.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  return { isGood: code === 0, text };
}

export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #process: ChildProcess;
  readonly #folder: ScratchFolder;

  private constructor(url: string, child: ChildProcess, folder: ScratchFolder) {
    this.#url = url;
    this.#process = child;
    this.#folder = folder;
  }

  /** `targets`: host and port of each process. */
  static async start(targets: readonly string[]): Promise<Prometheus> {
    const folder = await ScratchFolder.make();
    cpSync(join(INSTALLED, 'prometheus'), folder.path, { recursive: true });
    const file = join(folder.path, 'prometheus.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll('_interval: 10s', '_interval: 500ms'));
    // JSON is YAML.
    writeFileSync(join(folder.path, 'targets.yaml'), JSON.stringify([{ targets }]));
    const address = `127.0.0.1:${await freePort()}`;
    const args = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder.path, 'data')}`];
    const child = spawn('prometheus', [...args, `--web.listen-address=${address}`, '--log.level=error'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const prometheus = new Prometheus(`http://${address}`, child, folder);
    await until(
      () => 'Prometheus is ready',
      () => prometheus.#answers(),
    );
    return prometheus;
  }

  /** The values of an instant query, whatever their labels. Throws when it is not understood. */
  async query(expr: string): Promise<number[]> {
    const { result } = await this.#ask<{ result: { value: [number, string] }[] }>(
      `query?${new URLSearchParams({ query: expr })}`,
    );
    return result.map(({ value }) => Number(value[1]));
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.#ask<{ groups: { rules: Rule[] }[] }>('rules');
    return groups.flatMap(({ rules }) => rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await ended;
    }
    await this.#folder[Symbol.asyncDispose]();
  }

  async #ask<Data>(path: string): Promise<Data> {
    const answer = await fetch(`${this.#url}/api/v1/${path}`);
    const body = (await answer.json()) as { status: string; error?: string; data: Data };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  }

  #answers(): Promise<boolean> {
    return fetch(`${this.#url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
