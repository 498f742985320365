// A real redis-server for tests: on a free port and a Unix socket, with nothing on disk; it can be stopped, frozen, begun anew.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisAddress } from '../../../network/state/redis/redis-client.ts';
import { freePort } from '../world/free-port.ts';

export interface RedisServerOptions {
  /** Further settings, as on redis-server's command line. */
  readonly settings?: readonly string[];
  /** A Redis Cluster of this one, with all its slots. */
  readonly cluster?: boolean;
  /** A Sentinel, configured by these lines. */
  readonly sentinel?: string;
  readonly password?: string;
  /** Takes connections with TLS only; paths of PEM files. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export class RedisServer implements AsyncDisposable {
  readonly port: number;
  /** By which nodes of a Redis Cluster speak with each other. */
  readonly #busPort: number;
  readonly #options: RedisServerOptions;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  private constructor(options: RedisServerOptions, ports: readonly [number, number], folder: string) {
    this.#options = options;
    [this.port, this.#busPort] = ports;
    this.#folder = folder;
  }

  /** Resolves once it takes connections. A port that somebody else took just before is tried again as another. */
  static async start(options: RedisServerOptions = {}, tries = 3): Promise<RedisServer> {
    const ports = [await freePort(), await freePort()] as const;
    const server = new RedisServer(options, ports, await mkdtemp(join(tmpdir(), 'headwater-redis-')));
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      if (tries > 1 && String(error).includes('Address already in use'))
        return RedisServer.start(options, tries - 1);
      throw error;
    }
  }

  /** `host:port`. */
  get hostAndPort(): string {
    return `127.0.0.1:${this.port}`;
  }

  get socketPath(): string {
    return join(this.#folder, 'redis.sock');
  }

  /** A single server's address under a prefix of its own, so that each test finds it empty. */
  address(changes: Partial<RedisAddress> = {}): RedisAddress {
    const prefix = `test-${Math.random().toString(36).slice(2)}`;
    return {
      kind: 'single',
      addresses: [this.hostAndPort],
      database: 0,
      password: this.#options.password,
      tls: false,
      prefix,
      ...changes,
    };
  }

  /** Starts it again, empty, on the same port. */
  async restart(): Promise<void> {
    await this.stop();
    const child = spawn('redis-server', this.#arguments(), { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (/Ready to accept connections|Sentinel ID is/.test(output)) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended:\n${output}`)));
    await promise;
    if (this.#options.cluster) await this.#takeAllSlots();
  }

  /** Kills it, and with it all that it knows. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It keeps its connections and answers nobody. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** A client of its own, for tests to look and to tamper with. */
  client(): Redis {
    return new Redis({ port: this.port, password: this.#options.password ?? '' });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #takeAllSlots(): Promise<void> {
    const client = this.client();
    const isNew = (await client.cluster('INFO')).includes('cluster_slots_assigned:0');
    if (isNew) await client.cluster('ADDSLOTSRANGE', 0, 16_383);
    while (!(await client.cluster('INFO')).includes('cluster_state:ok'));
    client.disconnect();
  }

  #arguments(): string[] {
    const { settings = [], password, cluster, sentinel, tls } = this.#options;
    if (sentinel !== undefined) return [this.#sentinelFile(sentinel), '--sentinel', '--port', `${this.port}`];
    return [
      ...(tls ? ['--port', '0', '--tls-port', `${this.port}`] : ['--port', `${this.port}`]),
      ...(tls
        ? ['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile, '--tls-auth-clients', 'no']
        : []),
      ...(tls ? ['--tls-ca-cert-file', tls.certFile] : []),
      ...['--unixsocket', this.socketPath, '--dir', this.#folder, '--save', '', '--appendonly', 'no'],
      ...(password ? ['--requirepass', password] : []),
      ...(cluster
        ? [
            '--cluster-enabled',
            'yes',
            '--cluster-announce-ip',
            '127.0.0.1',
            '--cluster-port',
            `${this.#busPort}`,
          ]
        : []),
      ...settings,
    ];
  }

  /** A Sentinel writes what it learns into its configuration file. */
  #sentinelFile(lines: string): string {
    const file = join(this.#folder, 'sentinel.conf');
    writeFileSync(file, lines);
    return file;
  }
}
