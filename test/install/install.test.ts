// Installing on a machine with systemd: the units, and what install.sh puts where, keeps and takes away.

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../tools/cluster/redis-server.ts';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { INSTALLED } from '../tools/world/prometheus.ts';
import { lastingFolder } from '../tools/world/scratch-folder.ts';

const UNITS = ['headwater-server@.service', 'headwater-usher.service'];
/** Of what systemd-analyze gives up to 10 for; what is left is said in the units. */
const EXPOSURE = 1.7;

/** Restarts further and further apart are known from systemd 254 on; the program is below a folder. */
const EXPECTED = /Unknown key.*Restart(?:Steps|MaxDelaySec)|Command \/usr\/bin\/headwater is not executable/;

const root = join(lastingFolder(), 'root');
let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis[Symbol.asyncDispose]());

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What it printed, however it ended. */
async function run(program: string, ...args: string[]): Promise<Ended> {
  const done = promisify(execFile)(program, args, { maxBuffer: 16 * 1024 * 1024 });
  const { code = 0, stdout: out, stderr: err } = await done.catch((error) => error);
  return { code, out, err };
}

function install(...args: string[]): Promise<Ended> {
  return run(join(INSTALLED, 'install.sh'), ...args, '--root', root, '--link');
}

function at(path: string): string {
  return join(root, path);
}

function change(path: string, pattern: string | RegExp, text: string): void {
  writeFileSync(at(path), readFileSync(at(path), 'utf8').replace(pattern, text));
}

test('install.sh is a shell script without mistakes that shellcheck knows', async () => {
  expect(await run('shellcheck', join(INSTALLED, 'install.sh'))).toEqual({ code: 0, out: '', err: '' });
});

test('what is typed wrongly is told with exit code 2', async () => {
  expect(await install('instal')).toMatchObject({
    code: 2,
    err: expect.stringContaining("'instal'"),
  });
});

test('a dry run says what would be done and does nothing of it', async () => {
  const { code, out } = await install('--dry-run');
  expect([code, existsSync(root)]).toEqual([0, false]);
  expect(out).toContain(`mkdir -p ${at('etc/headwater/secrets')}\n`);
});

describe('installed below a folder', () => {
  beforeAll(async () => {
    expect(await install()).toEqual({ code: 0, out: '', err: '' });
    // What a machine has at / a test has below its folder; the rest stays as it was installed.
    for (const name of ['server', 'usher']) {
      change(`etc/headwater/${name}.yaml`, /(?<=file:)\/etc|(?<=data: )\/var/g, `${root}$&`);
      change(`etc/headwater/${name}.yaml`, '127.0.0.1:6379', redis.hostAndPort);
      change(`etc/headwater/${name}.yaml`, /Port: \d+/g, 'Port: 0');
      change(`etc/headwater/${name}.yaml`, 'bind: 0.0.0.0', 'bind: 127.0.0.1');
    }
    mkdirSync(at('etc/systemd/system'), { recursive: true });
  });

  test('packages that only development needs are not there, and all that the program imports is', () => {
    const packages = readdirSync(at('usr/lib/headwater/node_modules'));
    for (const name of ['vitest', 'typescript', '@biomejs', 'playwright-core'])
      expect(packages).not.toContain(name);
    expect(packages).toContain('undici');
  });

  test('systemd takes the units, and counts little that an intruder could do', async () => {
    const paths = UNITS.map((unit) => at(`usr/lib/systemd/system/${unit}`));
    const { err } = await run('systemd-analyze', 'verify', ...paths);
    expect(err.split('\n').filter((line) => /headwater/.test(line) && !EXPECTED.test(line))).toEqual([]);
    for (const path of paths) {
      const args = ['security', '--offline=true', `--threshold=${EXPOSURE * 10}`, '--no-pager', path];
      expect((await run('systemd-analyze', ...args)).code).toBe(0);
    }
  });

  test('what the units start meets in Redis, is ready, knows the commands of the README, and ends in order', async () => {
    const started = await Promise.all(UNITS.map((unit) => startUnit(unit)));
    for (const process of started) {
      const url = process.url.endsWith(':0') ? process.mediaUrl : process.url;
      await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
    }
    const usher = started.find((process) => !process.url.endsWith(':0'))!.url;
    for (const command of askingCommands()) {
      const [program, ...args] = command.replaceAll('/etc/', `${root}/etc/`).split(' ');
      expect(await run(at(`usr/bin/${program}`), ...args, '--usher', usher)).toMatchObject({
        code: 0,
        err: '',
      });
    }
    expect(await Promise.all(started.map((process) => process.end('SIGTERM')))).toEqual([0, 0]);
  });

  test('an upgrade is refused while a configuration is not one for it, and keeps it when it is', async () => {
    expect((await run('systemctl', `--root=${root}`, 'enable', 'headwater-server@server')).code).toBe(0);
    const before = readFileSync(at('etc/headwater/secrets/cluster'), 'utf8');
    change('etc/headwater/server.yaml', 'site: local', 'sight: ams');
    const refused = await install();
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/server\.yaml:\d+: .*sight/);
    change('etc/headwater/server.yaml', 'sight: ams', 'site: ams');
    expect(await install()).toMatchObject({ code: 0, err: expect.stringContaining('is good') });
    expect(readFileSync(at('etc/headwater/server.yaml'), 'utf8')).toContain('site: ams');
    expect(readFileSync(at('etc/headwater/secrets/cluster'), 'utf8')).toBe(before);
    expect(readdirSync(at('usr/lib')).filter((name) => name.startsWith('headwater'))).toEqual(['headwater']);
  });

  test('uninstalling leaves what was configured and recorded, and nothing else', async () => {
    expect(await install('uninstall')).toEqual({ code: 0, out: '', err: '' });
    const left = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.includes('headwater'),
    );
    const unexpected = left.filter(
      (path) => !/^(?:etc\/headwater|var\/lib\/headwater|etc\/systemd\/)/.test(path),
    );
    expect(unexpected).toEqual([]);
    expect(left).toContain('etc/headwater/server.yaml');
  });
});

/** Those by which the README has an operator ask an usher. */
function askingCommands(): string[] {
  const found = readFileSync(join(INSTALLED, 'README.md'), 'utf8').match(/^headwater .+ --config .+$/gm)!;
  expect(found.map((command) => command.split(' ')[1])).toEqual(['status', 'keys']);
  return found;
}

/** Runs what a unit runs, with the paths of the test. */
function startUnit(unit: string): Promise<ServerProcess> {
  const text = readFileSync(at(`usr/lib/systemd/system/${unit}`), 'utf8');
  const [, words] = /^ExecStart=(.+)$/m.exec(text)!;
  const [program, ...args] = words!
    .replaceAll('%i', 'server')
    .replaceAll(/(?<=^| )\//g, `${root}/`)
    .split(' ');
  return ServerProcess.startInstalled(program!, args);
}
