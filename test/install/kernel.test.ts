// The kernel settings that come with Headwater: known to the kernel, and of use to it.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ServerProcess } from '../tools/cluster/server-process.ts';
import { INSTALLED } from '../tools/world/prometheus.ts';

const run = promisify(execFile);
const SETTINGS = join(INSTALLED, 'sysctl.d/60-headwater.conf');
/** Above Node's own backlog of 511, below what any kernel of these years allows (4096). */
const CROWD = 700;

interface Setting {
  readonly key: string;
  readonly value: string;
  /** In a network namespace too. */
  readonly isOfEach: boolean;
}

/** A setting belongs to the comment above it. */
function settings(): Setting[] {
  const blocks = readFileSync(SETTINGS, 'utf8').matchAll(/((?:^#.*\n)+)((?:^-?[\w.]+ = .*\n)+)/gm);
  return [...blocks].flatMap(([, comment, lines]) =>
    [...lines!.matchAll(/^-?([\w.]+) = (.+)$/gm)].map(([, key, value]) => ({
      key: key!,
      value: value!,
      isOfEach: comment!.includes('(each)'),
    })),
  );
}

test('every key is one of this kernel, where the module that has it is there', () => {
  for (const { key } of settings()) {
    const path = join('/proc/sys', key.replaceAll('.', '/'));
    expect([key, existsSync(path) || key.includes('nf_conntrack')]).toEqual([key, true]);
  }
});

test('a network of its own takes all that is said to be set for each, and has then what is said', async () => {
  const each = settings().filter(({ isOfEach }) => isOfEach);
  expect(each.length).toBeGreaterThan(5);
  const file = each.map(({ key, value }) => `${key} = ${value}`).join('\n');
  const keys = each.map(({ key }) => key);
  const script = `printf '%s\\n' "$0" | /sbin/sysctl -q -p - && /sbin/sysctl -n ${keys.join(' ')}`;
  const { stdout, stderr } = await run('unshare', ['--map-root-user', '--net', 'sh', '-c', script, file]);
  expect(stderr).toBe('');
  expect(stdout.trim().replaceAll('\t', ' ').split('\n')).toEqual(each.map(({ value }) => value));
});

test('a crowd that comes while the process is busy is let in by the kernel, whichever listener it comes to', async () => {
  await using server = await ServerProcess.start();
  server.signal('SIGSTOP');
  for (const url of [server.url, server.mediaUrl, server.rtmpUrl]) {
    const port = Number(new URL(url).port);
    const crowd = Array.from({ length: CROWD }, () => connect({ port, host: '127.0.0.1' }));
    await Promise.all(crowd.map((socket) => once(socket, 'connect')));
    for (const socket of crowd) socket.destroy();
  }
});
