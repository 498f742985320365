// What a table was measured on and with: without it, figures say little.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';

/** A line for below a table. The load is that of the minute before. */
export function machineText(command: string): string {
  const versions = versionsOf(['node-media-server', 'hls.js']);
  const machine = `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}`;
  const programs = [
    `Node ${process.version.slice(1)}`,
    `nginx ${nginxVersion()}`,
    ...Object.entries(versions).map(([name, version]) => `${name} ${version}`),
  ];
  const load = `load before ${loadavg()[0]!.toFixed(1)}`;
  return `\`${command}\`: ${machine}; ${programs.join(', ')}; ${load}; ${new Date().toISOString().slice(0, 10)}`;
}

function versionsOf(packages: readonly string[]): Readonly<Record<string, string>> {
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
  return Object.fromEntries(packages.map((name) => [name, manifest.dependencies[name]]));
}

function nginxVersion(): string {
  try {
    const said = execFileSync('sh', ['-c', 'nginx -v 2>&1'], { encoding: 'utf8' });
    return /nginx\/([\d.]+)/.exec(said)?.[1] ?? 'unknown';
  } catch {
    return 'not installed';
  }
}
