// The image and the cluster of compose.yaml: what linters say, and that its configurations make a cluster. No image is built here.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { systemClock as clock } from '../../network/clock.ts';
import { readConfig } from '../../network/config/config.ts';
import { signToken } from '../../network/token.ts';
import { startSampleBroadcast } from '../../origin/sample/sample-broadcast.ts';
import { type Parts, start } from '../../server.ts';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { until } from '../tools/cluster/test-cluster.ts';
import { readMultivariant } from '../tools/viewers/read-multivariant.ts';
import { freePort } from '../tools/world/free-port.ts';
import { keepingLogger } from '../tools/world/keeping-logger.ts';
import { NginxCdn } from '../tools/world/nginx-cdn.ts';
import { INSTALLED } from '../tools/world/prometheus.ts';
import { ScratchFolder } from '../tools/world/scratch-folder.ts';

const ROOT = join(INSTALLED, '..');
const COMPOSE = join(INSTALLED, 'compose');
const SECRET = 'the secret of a cluster in containers';
const HOUR_MS = 3_600_000;

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly published: number; readonly target: number }[];
  readonly volumes?: readonly string[];
  readonly read_only?: boolean;
}

let services: Readonly<Record<string, Service>>;

beforeAll(async () => {
  const args = ['--file', join(COMPOSE, 'compose.yaml'), 'config'];
  const env = { ...process.env, HEADWATER_SECRETS: SECRET };
  const { stdout } = await promisify(execFile)('docker-compose', args, { env });
  ({ services } = parse(stdout) as { services: typeof services });
});

function text(...path: string[]): string {
  return readFileSync(join(INSTALLED, ...path), 'utf8');
}

/** Each that is one of ours. */
function ours(): [id: string, service: Service][] {
  return Object.entries(services).filter(([, { command }]) => command?.[1] === '--config');
}

/** What of the repository a service has, by where it has it. */
function mounts({ volumes = [] }: Service): Map<string, string> {
  const files = volumes.map((volume) => volume.split(':')).filter(([from]) => from!.startsWith('/'));
  return new Map(files.map(([from, to]) => [to!, from!]));
}

describe('the image', () => {
  test('is described without mistakes or anything that is discouraged', () => {
    expect(validate(text('Containerfile'))).toEqual([]);
  });

  test('has what install.sh installs, and is told of no packages that lie here', () => {
    const copied = [...text('Containerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)];
    const parts = new Set(copied.flatMap(([, words]) => words!.split(' ')));
    const [, installed] = /--parents ([^$]+)\$\(packages\)/.exec(text('install.sh'))!;
    expect([...parts].toSorted()).toEqual(
      installed!
        .match(/[\w.-]+/g)!
        .filter((part) => part !== 'install')
        .toSorted(),
    );
    for (const part of parts) expect([part, existsSync(join(ROOT, part))]).toEqual([part, true]);
    expect(readFileSync(join(ROOT, '.dockerignore'), 'utf8')).toContain('node_modules\n');
  });
});

describe('compose.yaml', () => {
  test('mounts what is there, and lets our containers write to their volume alone', () => {
    for (const service of Object.values(services))
      for (const file of mounts(service).values()) expect([file, existsSync(file)]).toEqual([file, true]);
    for (const [id, { read_only: isReadOnly, volumes }] of ours())
      expect([isReadOnly, volumes?.at(-1)]).toEqual([true, `${id}:/var/lib/headwater:rw`]);
  });

  test('publishes each port that players and broadcasters are sent to, and asks the right one for health', () => {
    for (const [id, { command, ports = [], environment, ...service }] of ours()) {
      if (command![0] !== 'server') continue;
      const config = readConfig({ config: mounts(service).get('/etc/headwater/server.yaml')! }, {});
      const published = [
        ...(config.roles.includes('origin') ? [config.rtmpPort] : []),
        ...(config.roles.includes('edge') ? [config.mediaPort] : []),
      ];
      expect([id, ports.map((port) => [port.published, port.target])]).toEqual([
        id,
        published.map((port) => [port, port]),
      ]);
      expect(environment!['HEALTH_URL']).toBe(`http://127.0.0.1:${config.mediaPort}/healthz`);
      expect(config.relayUrl).toBe(`http://${id}:${config.mediaPort}`);
    }
  });

  test('has a CDN that is the example, with the servers that have viewers', () => {
    const own = /^.*(?=worker_processes)|^ *upstream .*?\}\n|^ *map \$shield .*?\}\n/gms;
    const example = readFileSync(join(ROOT, 'usher/cdn/nginx.conf'), 'utf8');
    expect(text('compose/nginx.conf').replaceAll(own, '')).toBe(example.replaceAll(own, ''));
    const shields = [...text('compose/nginx.conf').matchAll(/upstream (\S+) \{ server (\S+);/g)].map(
      ([, id, to]) => [id, to],
    );
    expect(shields).toEqual([
      ['ams-1', 'ams-1:8081'],
      ['iad-1', 'iad-1:8083'],
      ['iad-2', 'iad-2:8084'],
    ]);
  });

  test('its configurations make a cluster: what is pushed in one site plays in the other and through the CDN', async () => {
    await using cluster = await Composed.start();
    cluster.publish('alice', cluster.addressOf('ams-1'), 1935);
    const answers = await Promise.all(
      parse(text('compose/targets.yaml'))[0].targets.map((target: string) =>
        fetch(`http://${cluster.placed(target)}/metrics`),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    let playlist = '';
    await until(
      () => 'there is a playlist that leads to a server first',
      async () => {
        const answer = await fetch(`http://${cluster.addressOf('usher-2')}:8080/live/alice.m3u8`);
        playlist = await answer.text();
        const [first] = answer.ok ? readMultivariant(playlist).variants : [];
        return first !== undefined && new URL(first.url).pathname.startsWith('/play/');
      },
    );
    const { pathname } = new URL(readMultivariant(playlist).variants[0]!.url);
    await using cdn = await NginxCdn.start(await freePort(), {
      'iad-2': `http://${cluster.addressOf('iad-2')}:8084`,
    });
    const throughCdn = await fetch(`${cdn.url}/iad-2${pathname}`);
    expect(await throughCdn.text()).toContain('#EXTINF');
  });
});

/** The cluster in this process: each service at an address of the loopback that is its own, with the ports that it has. */
class Composed implements AsyncDisposable {
  readonly #opened = new AsyncDisposableStack();
  readonly #network = `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}`;
  readonly #redis: RedisServer;
  readonly #folder: ScratchFolder;

  private constructor(redis: RedisServer, folder: ScratchFolder) {
    this.#redis = this.#opened.use(redis);
    this.#folder = this.#opened.use(folder);
  }

  static async start(): Promise<Composed> {
    const cluster = new Composed(await RedisServer.start(), await ScratchFolder.make());
    await Promise.all(ours().map(([id, service]) => cluster.#open(id, service)));
    return cluster;
  }

  addressOf(id: string): string {
    return `${this.#network}.${1 + Object.keys(services).indexOf(id)}`;
  }

  /** The text, with addresses for the names of services. */
  placed(written: string): string {
    const names = ours()
      .map(([id]) => id)
      .join('|');
    return written
      .replaceAll(new RegExp(`(?<=//|^)(?:${names})(?=:)`, 'g'), (id) => this.addressOf(id))
      .replace('redis:6379', this.#redis.hostAndPort);
  }

  publish(name: string, host: string, port: number): void {
    const token = {
      purpose: 'publish',
      stream: name,
      expiresAtMs: Date.now() + HOUR_MS,
      session: '',
    } as const;
    const key = signToken([SECRET], token);
    const broadcast = startSampleBroadcast({ host, port, name, key, clock, logger: keepingLogger() });
    this.#opened.defer(() => broadcast.stop());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  async #open(id: string, service: Service): Promise<void> {
    const [parts, , path] = service.command!;
    const folder = join(this.#folder.path, id);
    const files = mounts(service);
    const written = readFileSync(files.get(path!)!, 'utf8')
      .replace('bind: 0.0.0.0', `bind: ${this.addressOf(id)}`)
      .replace('/var/lib/headwater', folder)
      .replace(/\/etc\/headwater\/\S+\.yaml/, (file) => files.get(file)!);
    writeFileSync(`${folder}.yaml`, this.placed(written));
    const config = readConfig(
      { config: `${folder}.yaml` },
      { HEADWATER_SECRETS: service.environment!['HEADWATER_SECRETS'] },
    );
    const running = await start(config, keepingLogger(), parts as Parts);
    this.#opened.defer(() => running.stop());
  }
}
