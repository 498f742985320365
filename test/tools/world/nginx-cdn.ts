// A real nginx as the CDN: the example configuration, with the ports and folders of a test in it.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../cluster/test-cluster.ts';

const EXAMPLE = join(import.meta.dirname, '../../../usher/cdn/nginx.conf');

export class NginxCdn implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = child;
  }

  /** `shields`: URLs of media listeners by the ids of their servers. Resolves once it takes connections. */
  static async start(port: number, shields: Readonly<Record<string, string>>): Promise<NginxCdn> {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-nginx-'));
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, configured(readFileSync(EXAMPLE, 'utf8'), port, folder, shields));
    const settings = 'daemon off; master_process off;';
    const child = spawn('nginx', ['-p', folder, '-c', file, '-g', settings], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const cdn = new NginxCdn(port, folder, child);
    const answers = (): Promise<boolean> =>
      fetch(cdn.url).then(
        () => true,
        () => false,
      );
    await until(() => 'nginx takes connections', answers);
    return cdn;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await exited;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function configured(
  example: string,
  port: number,
  folder: string,
  shields: Readonly<Record<string, string>>,
): string {
  const ids = Object.keys(shields);
  const upstreams = ids.map((id) => `upstream ${id} { server ${new URL(shields[id]!).host}; keepalive 32; }`);
  const origins = ids.map((id) => `${id} ${id};`);
  return example
    .replaceAll(/^ *upstream .*\n/gm, '')
    .replace(
      /^ *map \$shield \$origin \{[^}]*\}/m,
      `${upstreams.join('\n')}\nmap $shield $origin { default ""; ${origins.join(' ')} }`,
    )
    .replace('listen 80;', `listen 127.0.0.1:${port};`)
    .replace('worker_processes auto;', 'worker_processes 1;')
    .replace('worker_connections 16384;', 'worker_connections 512;')
    .replace('/run/nginx.pid', join(folder, 'nginx.pid'))
    .replace('/var/log/nginx/error.log', 'stderr')
    .replace('/var/cache/nginx/headwater', join(folder, 'cache'));
}
