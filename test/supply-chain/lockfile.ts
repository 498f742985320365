// What is installed, as the lockfile says it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

export interface LockedPackage extends Manifest {
  /** Where it lies, from the top: `node_modules/<name>`. */
  readonly path: string;
  readonly integrity?: string;
  /** For tests alone. */
  readonly dev?: boolean;
  /** For other machines than this one, maybe. */
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

export function readManifest(path = ''): Manifest {
  return JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as Manifest;
}

/** All but Headwater itself. */
export function lockedPackages(): LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, Omit<LockedPackage, 'path'>>>;
  };
  return Object.entries(lock.packages).flatMap(([path, each]) => (path === '' ? [] : [{ path, ...each }]));
}

export function nameOf({ name, path }: LockedPackage): string {
  return name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
